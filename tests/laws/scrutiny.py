"""One case under every eye at once: what a soak does thousands of times.

After every epoch each live view holds what the naive evaluator computes from the rows, in its order,
and what SQLite answers, and for a share of the cases DuckDB; a subscriber that folds what it is told
holds the same; it was told at most once, and only if something changed. What was covered is tallied
(`tests.coverage_table`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from dataflow.query import ir
from tests.coverage_table import Change, Tally
from tests.features import Origin, Use, origin_of
from tests.laws.copies import Copy, follow
from tests.laws.running import Run, Watched, attempt, by_key, difference, held
from tests.laws.shrinking import Failure, assert_holds
from tests.oracle import duck, sqlite
from tests.oracle.reference import has_cycle, is_ordered
from tests.oracle.semantics import same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cases import Case, Commit
    from tests.laws.running import Entries
    from tests.oracle.reference import Tables

DUCK_SHARE = (
    16  # one case in so many: a question to DuckDB costs as much as all the rest of an epoch
)


def scrutinize(case: Case, tally: Tally, seed: int) -> None:
    """Assert that a case holds; count what it covers.

    Raises:
        AssertionError: It does not, with the smallest case that fails in the same way.
    """
    mine = Tally()
    check = partial(stands, with_duckdb=seed % DUCK_SHARE == 0)
    assert_holds(case, partial(check, tally=mine))
    tally.merge(mine)


def stands(case: Case, *, tally: Tally | None = None, with_duckdb: bool = True) -> Failure | None:
    """Look at every view of a case after every epoch."""
    oracles = {"SQLite": sqlite.evaluate}
    if with_duckdb:
        oracles["DuckDB"] = duck.evaluate
    return attempt(case, partial(_stands, tally=tally or Tally(), oracles=oracles))


@dataclass
class Seen:
    """A view, its follower, and what has been seen of it."""

    view: Watched
    copy: Copy
    subscription: Any
    origin: Origin
    is_cyclic: bool = False
    changes: list[Change | None] = field(default_factory=list)

    def uses(self) -> set[Use]:
        """Return the features of the view, with those that only its rows can tell."""
        recursions = {use for use in self.origin.uses if use.feature == "recursion"}
        cyclic = {Use("recursion over a cycle", use.inputs) for use in recursions}
        return {*self.origin.uses, *(cyclic if self.is_cyclic else ())}


def _stands(run: Run, tally: Tally, oracles: dict[str, Any]) -> Failure | None:
    run.start_views()
    seen = _watch(run)
    former = Former(run)
    try:
        for n, commit in enumerate(run.case.history, start=1):
            run.commit(commit)
            failure = _compare(run, seen, former.changes(commit), oracles, tally)
            if failure is not None:
                return Failure(failure.kind, f"after commit {n} {failure.detail}")
    finally:
        for each in seen:
            each.subscription.close()
    tally.add([(each.uses(), each.changes) for each in seen])
    return None


def _watch(run: Run) -> list[Seen]:
    origins = {
        ir.SourceRef(collection): Origin(frozenset((name,)))
        for name, collection in run.collections.items()
    }
    seen = []
    for view in run.watched:
        copy, subscription = follow(Copy(view.name, view.result), initial=False)
        origin = origin_of(view.tree, origins.__getitem__)
        origins[ir.SourceRef(view.result)] = origin
        seen.append(Seen(view, copy, subscription, origin))
    return seen


def _compare(
    run: Run,
    seen: Sequence[Seen],
    changes: list[Change],
    oracles: dict[str, Any],
    tally: Tally,
) -> Failure | None:
    tables = run.tables()
    for each, expected in zip(seen, run.expected(), strict=True):
        view, deliveries = each.view, each.copy.deliveries
        each.copy.deliveries = 0
        failure = _against_reference(view, expected) or _against_others(
            view, tables, oracles, tally
        )
        if failure is None:
            fault = each.copy.fault()
            if fault is None and deliveries > 1:
                fault = f"{view.name} got {deliveries} deliveries"
            failure = Failure("delta", fault) if fault else None
        if failure is not None:
            return failure
        tally.epochs += 1
        if deliveries and expected:
            _note(each, changes, tables)
        tables[ir.SourceRef(view.result)] = expected
    return None


def _against_reference(view: Watched, expected: Entries) -> Failure | None:
    if view.result.status != "ready":
        return Failure("status", f"{view.name} is {view.result.status}: {view.result.error!r}")
    found = difference(view.tree, expected, held(view.result))
    return None if found is None else Failure("result", f"{view.name} differs{found}")


def _against_others(
    view: Watched, tables: Tables, oracles: dict[str, Any], tally: Tally
) -> Failure | None:
    for name, evaluate in oracles.items():
        try:
            theirs = evaluate(view.tree, tables)
        except sqlite.NotExpressibleError:
            continue
        tally.compared[name] += 1
        ours = held(view.result)
        if not is_ordered(view.tree):
            ours, theirs = by_key(ours), by_key(theirs)
        if not near(ours, theirs):
            return Failure(name, f"{view.name}\n  {name}  {theirs}\n  but got {ours}")
    return None


def near(a: Any, b: Any) -> bool:
    """Tell whether values are equal but for what databases round away while they add up thirds.

    The error of a sum is one of its largest term, so what is left of terms that cancel each other
    out may differ in every digit; nothing else in these rows is that small.
    """
    match a, b:
        case (float() | int(), float()) | (float(), int()) if math.isfinite(a) and math.isfinite(b):
            return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
        case (list(), list()) | (tuple(), tuple()):
            return len(a) == len(b) and all(map(near, a, b))
        case dict(), dict():
            return all(near(a.get(name), b.get(name)) for name in a.keys() | b.keys())
        case _:
            return same(a, b)


def _note(each: Seen, changes: list[Change], tables: Tables) -> None:
    """Keep what changed the rows of a view, and whether its recursion has met a cycle."""
    mine = [change for change in changes if change[1] in each.origin.collections]
    each.changes.append(mine[0] if len(mine) == 1 else None)
    each.is_cyclic = each.is_cyclic or has_cycle(each.view.tree, tables)


class Former:
    """What the models held before a commit, and which keys were ever deleted."""

    def __init__(self, run: Run) -> None:
        self._models = run.models
        self._rows = {name: list(model.entries) for name, model in run.models.items()}
        self._gone: dict[str, list[Any]] = {name: [] for name in run.models}

    def changes(self, commit: Commit) -> list[Change]:
        """Return the net changes of the commit that was just made."""
        found: list[Change] = []
        for name in sorted({op.collection for op in commit}):
            keys: list[Any] = []
            for op in commit:
                key = op.value if op.verb == "delete" else op.value["id"]
                if op.collection == name and not any(same(key, known) for known in keys):
                    keys.append(key)
            kinds = [self._kind(name, key) for key in keys]
            found += [(kind, name) for kind in kinds if kind is not None]
            self._rows[name] = list(self._models[name].entries)
        return found

    def _kind(self, name: str, key: Any) -> str | None:
        before = [row for known, row in self._rows[name] if same(known, key)]
        after = [row for known, row in self._models[name].entries if same(known, key)]
        was_gone = any(same(key, one) for one in self._gone[name])
        if before and not after:
            self._gone[name].append(key)
            return "delete"
        if after and not before:
            return "re-insert" if was_gone else "insert"
        return "update" if after and not same(before[0], after[0]) else None
