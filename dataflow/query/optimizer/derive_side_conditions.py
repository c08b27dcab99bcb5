"""Derive from a choice between combinations what it says of each side alone.

    where (a.x == 1 & b.y == 2) | (a.x == 2 & b.y == 1)   ->   where a.x in (1, 2) & b.y in (1, 2) & (… | …)

Whatever passes the choice passes what is derived, which speaks of one alias and can be pushed to where its rows come from. The
choice itself stays: it knows which goes with which. Nothing is derived for an alias that conditions cannot be pushed to, from a
choice that calls user functions, or behind a condition that does.
"""

from __future__ import annotations

from itertools import takewhile

from dataflow.query.ir import Filter, Join, Named, Node, Scan, with_inputs
from dataflow.query.optimizer.barriers import calls_no_user
from dataflow.query.optimizer.push_down_predicates import open_sides
from dataflow.query.scalar import (
    Call,
    Column,
    Const,
    Scalar,
    aliases_of,
    conjunction,
    conjuncts,
)
from dataflow.values.null import is_null


def derive_side_conditions(node: Node) -> Node:
    """Add what can be derived to every filter over a join."""
    node = with_inputs(node, derive_side_conditions)
    if not isinstance(node, Filter) or not isinstance(node.input, Filter | Join):
        return node
    parts = conjuncts(node.condition)
    if not any(isinstance(part, Call) and part.name == "or" for part in parts):
        return node
    before = tuple(takewhile(calls_no_user, parts))
    aliases = _open_aliases(node.input)
    found = [part for choice in before for part in _implied(choice, aliases) if part not in parts]
    return Filter(node.input, conjunction((*found, *parts))) if found else node


def _open_aliases(node: Node) -> tuple[str, ...]:
    """Return the aliases that a condition above a tree can be pushed to."""
    match node:
        case Scan(alias=alias) | Named(alias=alias):
            return (alias,)
        case Filter(condition=condition) if calls_no_user(condition):
            return _open_aliases(node.input)
        case Join():
            left_is_open, right_is_open = open_sides(node)
            left = _open_aliases(node.left) if left_is_open else ()
            return (*left, *_open_aliases(node.right)) if right_is_open else left
        case _:
            return ()


def _implied(choice: Scalar, aliases: tuple[str, ...]) -> list[Scalar]:
    """Return what a condition implies for single aliases, if it is a choice between several."""
    if not isinstance(choice, Call) or choice.name != "or" or len(aliases_of(choice)) < 2:
        return []
    branches = [conjuncts(branch) for branch in choice.args]
    found = (_of_alias(branches, alias) for alias in aliases)
    return [condition for condition in found if condition is not None]


def _of_alias(branches: list[tuple[Scalar, ...]], alias: str) -> Scalar | None:
    """Return the choice reduced to one alias; None if some branch says nothing of it."""
    own = [tuple(part for part in branch if aliases_of(part) == {alias}) for branch in branches]
    if not all(own):
        return None
    choices = tuple(dict.fromkeys(map(conjunction, own)))
    return choices[0] if len(choices) == 1 else _membership(choices) or Call("or", choices)


def _membership(choices: tuple[Scalar, ...]) -> Scalar | None:
    """Return `column in (…)` for a choice between values of one column."""
    columns, values = set(), []
    for choice in choices:
        match choice:
            case Call(name="eq", args=(Column() as column, Const(value=value))) if not is_null(
                value
            ):
                columns.add(column)
                values.append(value)
            case _:
                return None
    return Call("in", (columns.pop(), Const(tuple(values)))) if len(columns) == 1 else None
