"""Law 6: the same question has the same answer, however it is asked.

Beside every live view of a case run variants that mean the same: its conditions with AND and OR
turned round, a conjunct said twice, every alias renamed, a limit that does not bind, and the plan
without the optimizer, without one of its rules, with one of them alone, and with some. After every
epoch all show the same keys and rows, in the same order. No oracle is needed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hypothesis import Phase, given, settings

from dataflow.frozen import replace
from dataflow.query import ir
from dataflow.query.optimizer.optimize import RULES, optimize
from dataflow.query.scalar import (
    Aggregate,
    Call,
    Column,
    Const,
    Ordering,
    RowOf,
    Scalar,
    Window,
    rewrite,
    rewrite_ordering,
)
from tests.laws.running import Run, attempt, difference, held, start
from tests.laws.shrinking import Failure, assert_holds
from tests.strategies import cases

if TYPE_CHECKING:
    from dataflow.live.live import LiveQuery
    from dataflow.query.optimizer.optimize import Rule
    from tests.cases import Case

SOME = settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=max(settings().max_examples // 2, 20),
)
Rewriting = Callable[[Scalar], Scalar]


def map_scalars(node: ir.Node, change: Rewriting) -> ir.Node:
    """Return a tree with every scalar expression of it changed."""

    def changed(part: Ordering) -> Ordering:
        return replace(part, by=change(part.by))

    def aggregate(spec: Aggregate) -> Aggregate:
        found = change(spec)
        assert isinstance(found, Aggregate)
        return found

    def window(spec: Window) -> Window:
        found = change(spec)
        assert isinstance(found, Window)
        return found

    match map_inputs(node, lambda child: map_scalars(child, change)):
        case ir.Filter(condition=condition) as tree:
            return replace(tree, condition=change(condition))
        case ir.Project(row=row) as tree:
            return replace(tree, row=change(row))
        case ir.Join(on=on, residual=residual) as tree:
            pairs = tuple((change(mine), change(theirs)) for mine, theirs in on)
            return replace(tree, on=pairs, residual=None if residual is None else change(residual))
        case ir.Group(keys=keys, aggregates=aggregates) as tree:
            return replace(
                tree,
                keys=tuple(map(change, keys)),
                aggregates=tuple(map(aggregate, aggregates)),
            )
        case ir.Windowed(windows=windows) as tree:
            return replace(tree, windows=tuple(map(window, windows)))
        case ir.Order(by=by) as tree:
            return replace(tree, by=tuple(map(changed, by)))
        case tree:
            return tree


def map_inputs(node: ir.Node, change: Callable[[ir.Node], ir.Node]) -> ir.Node:
    """Return a node over changed inputs."""
    return ir.with_inputs(node, change)


def turned_round(node: ir.Node) -> ir.Node:
    """Reverse the operands of every AND and OR."""

    def reverse(part: Scalar) -> Scalar | None:
        if isinstance(part, Call) and part.name in ("and", "or"):
            return Call(part.name, tuple(rewrite(arg, reverse) for arg in reversed(part.args)))
        return None

    return map_scalars(node, lambda part: rewrite(part, reverse))


def said_twice(node: ir.Node) -> ir.Node:
    """Repeat every condition, and add one that always holds."""
    tree = map_inputs(node, said_twice)
    if isinstance(tree, ir.Filter):
        parts = (tree.condition, Const(value=True), tree.condition)
        return replace(tree, condition=Call("and", parts))
    return tree


def renamed(node: ir.Node) -> ir.Node:
    """Give every alias another name, so that their alphabetical order changes too.

    A function that gets `{alias: row}` sees the names: such a query is left as it is.
    """
    if _shows_names(node):
        return node

    def name(alias: str) -> str:
        if alias.startswith("nested "):
            return alias
        return f"{9 - int(alias[1]) if alias[1:2].isdigit() else 0}{alias}" if alias else alias

    def rename(part: Scalar) -> Scalar | None:
        if isinstance(part, Column | RowOf):
            return replace(part, alias=name(part.alias))
        return None

    def aliases(tree: ir.Node) -> ir.Node:
        found = map_inputs(tree, aliases)
        if isinstance(found, ir.Scan | ir.Named):
            return replace(found, alias=name(found.alias))
        return found

    return map_scalars(aliases(node), lambda part: rewrite(part, rename))


def _shows_names(node: ir.Node) -> bool:
    if isinstance(node, ir.MapRows | ir.FilterRows) and len(ir.scope(node.input)) > 1:
        return True
    return any(map(_shows_names, ir.inputs(node)))


def not_binding(node: ir.Node) -> ir.Node:
    """Limit what is not limited to more rows than there are."""
    tree = map_inputs(node, not_binding)
    if isinstance(tree, ir.Order) and tree.limit is None:
        return replace(tree, limit=1_000)
    return tree


def explicit_directions(node: ir.Node) -> ir.Node:
    """Order by every column twice: the second time cannot matter."""
    tree = map_inputs(node, explicit_directions)
    if isinstance(tree, ir.Order):
        return replace(
            tree, by=tree.by + tuple(rewrite_ordering(p, lambda _: None) for p in tree.by)
        )
    return tree


VARIANTS: dict[str, Callable[[ir.Node], ir.Node]] = {
    "AND and OR turned round": turned_round,
    "conditions said twice": said_twice,
    "aliases renamed": renamed,
    "limits that do not bind": not_binding,
    "columns of an order repeated": explicit_directions,
}


def answers_alike(case: Case) -> Failure | None:
    """Run every variant of every view of a case beside it."""
    return attempt(case, _answers_alike)


def _answers_alike(run: Run) -> Failure | None:
    run.start_views()
    rng = random.Random(len(run.case.history))
    variants: list[tuple[str, ir.Node, LiveQuery[Any], LiveQuery[Any]]] = []
    for view in run.watched:
        trees = {how: optimize(change(view.tree)) for how, change in VARIANTS.items()}
        trees["no optimizer"] = view.tree
        trees |= {how: optimize(view.tree, rules) for how, rules in _some_rules(rng)}
        for how, tree in trees.items():
            variants.append((f"{view.name}, {how}", view.tree, view.result, start(tree, how)))
    try:
        failure = _compare(variants, "at the start")
        for n, commit in enumerate(run.case.history, start=1):
            if failure is not None:
                break
            run.commit(commit)
            failure = _compare(variants, f"after commit {n}")
        return failure
    finally:
        for *_, result in variants:
            result.close()


def _some_rules(rng: random.Random) -> list[tuple[str, list[Rule]]]:
    one = rng.choice(RULES)
    return [
        (f"without {one.__name__}", [rule for rule in RULES if rule is not one]),
        (f"{one.__name__} alone", [one]),
        ("some rules of the optimizer", [rule for rule in RULES if rng.random() < 0.5]),
    ]


def _compare(
    variants: list[tuple[str, ir.Node, LiveQuery[Any], LiveQuery[Any]]], when: str
) -> Failure | None:
    for how, tree, original, variant in variants:
        found = difference(tree, held(original), held(variant))
        if found is not None:
            return Failure(how.partition(", ")[2], f"{how} differs {when}{found}")
    return None


@SOME
@given(cases(commits=6, views=2))
def test_a_query_and_its_variants_always_agree(case: Case) -> None:
    assert_holds(case, answers_alike)
