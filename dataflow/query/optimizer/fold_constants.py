"""Compute what depends on no row once, when the query starts.

    a.x > lit(2) * 3                 ->   a.x > 6
    and_(a.x > 1, lit(True))         ->   a.x > 1
    case((lit(None) == 1, a.x), …)   ->   …
    where lit(1) == 1                ->   no filter

The functions are the library's own, so null, logic and arithmetic are what they are for rows. Not folded: what raises, what is no
scalar (a list would be one object in all rows), calls of user functions, and any branch that would take such a call with it.
Only values change, or whole branches go; a query of the same shape keeps its generated code.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from uuid import UUID

from dataflow.query.ir import Filter, Node, with_inputs
from dataflow.query.operations.registry import OPERATIONS
from dataflow.query.optimizer.expressions import with_expressions
from dataflow.query.scalar import (
    Apply,
    Call,
    Column,
    Const,
    Item,
    Record,
    Scalar,
    conjunction,
    conjuncts,
    contains,
)
from dataflow.values.null import is_null

if TYPE_CHECKING:
    from collections.abc import Sequence

_SCALARS: Final = frozenset(
    (
        bool, bytes, date, datetime, Decimal, float, int, str, time, timedelta, type(None), UUID,
    )
)  # fmt: skip
_ANSWERS: Final = frozenset(
    (
        "and", "contains", "ends_with", "eq", "ge", "gt", "ilike", "in", "in_any", "is_not_null", "is_null", "le", "like",
        "lt", "ne", "not", "or", "starts_with",
    )
)  # fmt: skip
"""Operations whose value is True, False or null."""

_COMPARISONS: Final = frozenset(("eq", "ne", "lt", "le", "gt", "ge"))


def fold_constants(node: Node) -> Node:
    """Fold every expression of a tree, and leave out conditions that always hold."""
    node = with_expressions(with_inputs(node, fold_constants), folded)
    if isinstance(node, Filter):
        parts = conjuncts(node.condition)
        open_ = tuple(part for part in parts if not _is(part, True))  # noqa: FBT003 - a constant
        if not open_:
            return node.input
        if len(open_) < len(parts):
            return Filter(node.input, conjunction(open_))
    return node


def folded(node: Scalar) -> Scalar:
    """Return an expression with the parts computed that read no row; the same object if there are none."""
    if isinstance(node, Column | Const):
        return node
    if isinstance(node, Call):
        plain = node.name in _COMPARISONS and isinstance(node.args[0], Column)
        return node if plain and isinstance(node.args[1], Const | Column) else _call(node)
    if isinstance(node, Apply):
        args = _folded(node.args)
        return node if args is node.args else Apply(node.function, args)
    if isinstance(node, Item):
        base = folded(node.base)
        return node if base is node.base else Item(base, node.key)
    if isinstance(node, Record):
        before = tuple([value for _, value in node.items])
        values = _folded(before)
        if values is before:
            return node
        return Record(
            tuple((name, value) for (name, _), value in zip(node.items, values, strict=True))
        )
    return node


def _folded(parts: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    found = tuple([folded(part) for part in parts])
    return found if any(new is not old for new, old in zip(found, parts, strict=True)) else parts


def _call(node: Call) -> Scalar:
    args = _folded(node.args)
    if args is not node.args:
        node = Call(node.name, args)
    match node.name:
        case "and" | "or":
            return _connective(node)
        case "coalesce":
            return _coalesce(node)
        case "case":
            return _case(node)
        case _:
            return _computed(node) if all(isinstance(arg, Const) for arg in args) else node


def _computed(node: Call) -> Scalar:
    """Return the value of a call with constant arguments, as a constant if that is possible."""
    function = OPERATIONS[node.name].function
    assert function is not None
    try:
        value = function(*[arg.value for arg in node.args if isinstance(arg, Const)])
    except Exception:  # noqa: BLE001 - the row that needs it will raise it
        return node
    return Const(value) if value.__class__ in _SCALARS else node


def _connective(node: Call) -> Scalar:
    """Fold `and` by True and False, and `or` by False and True."""
    deciding = node.name == "or"
    if any(_is(arg, deciding) for arg in node.args):
        return node if contains(node, Apply) else Const(deciding)
    kept = tuple(arg for arg in node.args if not _is(arg, not deciding))
    if len(kept) == len(node.args):
        return node
    if not kept:
        return Const(not deciding)
    if len(kept) == 1 and not _is_condition(kept[0]):
        kept = (*kept, Const(not deciding))  # `x and True` is null where x is no truth value
    return kept[0] if len(kept) == 1 else Call(node.name, kept)


def _is_condition(node: Scalar) -> bool:
    if isinstance(node, Const):
        return node.value is None or isinstance(node.value, bool)
    return isinstance(node, Call) and node.name in _ANSWERS


def _coalesce(node: Call) -> Scalar:
    kept: list[Scalar] = []
    for number, arg in enumerate(node.args, start=1):
        if not isinstance(arg, Const):
            kept.append(arg)
        elif not is_null(arg.value):
            if _call_users(node.args[number:]):
                return node
            kept.append(arg)
            break
    if len(kept) == len(node.args):
        return node
    if len(kept) < 2:
        return kept[0] if kept else Const(None)
    return Call("coalesce", tuple(kept))


def _case(node: Call) -> Scalar:
    """Leave out branches that are never taken, and all that follows one that always is."""
    kept: list[Scalar] = []
    *branches, otherwise = node.args
    for at in range(0, len(branches), 2):
        condition, value = branches[at], branches[at + 1]
        if not isinstance(condition, Const):
            kept += (condition, value)
        elif condition.value is True:
            if _call_users(node.args[at + 2 :]):
                return node
            otherwise = value
            break
        elif contains(value, Apply):
            return node
    if len(kept) == len(branches):
        return node
    return Call("case", (*kept, otherwise)) if kept else otherwise


def _call_users(parts: Sequence[Scalar]) -> bool:
    return any(contains(part, Apply) for part in parts)


def _is(node: Scalar, value: bool) -> bool:  # noqa: FBT001 - the value looked for
    return isinstance(node, Const) and node.value is value
