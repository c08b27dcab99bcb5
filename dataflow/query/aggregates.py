"""Aggregates: one value from the rows of a group.

They skip nulls and are null if nothing is left; `count()` counts rows. Those that depend on an order
take `order_by`; without one they see the rows by ascending key. Each has `.where(condition)`, which
restricts the rows it sees, and takes part in expressions: `count() - 1`.

`collect`, `first`, `last` and `fold` take an expression, or an alias for the whole row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

from dataflow.query.alias import Alias, row_of
from dataflow.query.expr import (
    Expr,
    Order,
    as_condition,
    as_order,
    merged,
    node_of,
    ordering_of,
)
from dataflow.query.notation import text_of
from dataflow.query.scalar import Aggregate, Const, Selected, conjunction, contains
from dataflow.query.traps import QueryPart, check_function, kind_of_part, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
S = TypeVar("S")
V = TypeVar("V")

OrderBy: TypeAlias = Expr[Any] | Order
"""One part of an order: an expression, or one with a direction."""


class AggregateExpr(Expr[T_co]):
    """An aggregate over the rows of a group; `where` restricts the rows it sees."""

    __slots__ = ()

    def where(self, *conditions: Expr[bool]) -> AggregateExpr[T_co]:
        """Let the aggregate see only the rows for which all conditions are true."""
        node = node_of(self)
        assert isinstance(node, Aggregate)
        added = [as_condition(condition, "where of an aggregate") for condition in conditions]
        parts = tuple(map(node_of, added))
        if node.where is not None:
            parts = (node.where, *parts)
        where = conjunction(parts) if parts else None
        narrowed = Aggregate(node.kind, node.args, where, node.order_by, node.options)
        return AggregateExpr(narrowed, merged(self, *added))


def count(of: Expr[Any] | Alias[Any] | None = None) -> AggregateExpr[int]:
    """Count the rows of the group; with an argument, those where it is not null."""
    return _aggregate("count") if of is None else _aggregate("count", of)


def count_distinct(of: Expr[Any]) -> AggregateExpr[int]:
    """Count the different values that are not null."""
    return _aggregate("count_distinct", _column(of, "count_distinct"))


def sum_(of: Expr[Any]) -> AggregateExpr[Any]:
    """Sum numbers exactly: the answer does not depend on the order of changes."""
    return _aggregate("sum", _column(of, "sum_"))


def avg(of: Expr[Any]) -> AggregateExpr[Any]:
    """Return the mean of numbers, from their exact sum."""
    return _aggregate("avg", _column(of, "avg"))


def min_(of: Expr[T]) -> AggregateExpr[T]:
    """Return the smallest value."""
    return _aggregate("min", _column(of, "min_"))


def max_(of: Expr[T]) -> AggregateExpr[T]:
    """Return the largest value."""
    return _aggregate("max", _column(of, "max_"))


def median(of: Expr[Any]) -> AggregateExpr[Any]:
    """Return the middle number, or the mean of the two in the middle."""
    return _aggregate("median", _column(of, "median"))


def any_(condition: Expr[Any]) -> AggregateExpr[bool]:
    """Test whether a condition is true of any row."""
    return _aggregate("any", as_condition(condition, "any_"))


def all_(condition: Expr[Any]) -> AggregateExpr[bool]:
    """Test whether a condition is true of all rows of which it is known."""
    return _aggregate("all", as_condition(condition, "all_"))


def string_agg(
    of: Expr[Any], separator: str = "", *, order_by: OrderBy | Iterable[OrderBy] = ()
) -> AggregateExpr[str]:
    """Join texts, with a separator between them."""
    if not isinstance(separator, str):
        raise refusal(f"the separator of string_agg is a text, not {separator!r}")
    return _aggregate(
        "string_agg", _column(of, "string_agg"), Expr(Const(separator)), order_by=order_by
    )


def collect(
    of: Expr[T] | Alias[T], *, order_by: OrderBy | Iterable[OrderBy] = ()
) -> AggregateExpr[list[T]]:
    """Return the values of the group as a new list; rows in it are shared and read-only.

    Complexity: O(rows of the group) for each change of the group; `fold` costs less.
    """
    return _aggregate("collect", of, order_by=order_by)


def first(
    of: Expr[T] | Alias[T], *, order_by: OrderBy | Iterable[OrderBy] = ()
) -> AggregateExpr[T]:
    """Return the first value that is not null."""
    return _aggregate("first", of, order_by=order_by)


def last(of: Expr[T] | Alias[T], *, order_by: OrderBy | Iterable[OrderBy] = ()) -> AggregateExpr[T]:
    """Return the last value that is not null."""
    return _aggregate("last", of, order_by=order_by)


@overload
def fold(
    of: Expr[T] | Alias[T],
    initial: Callable[[], S],
    step: Callable[[S, T], S],
    *,
    finish: None = None,
    order_by: OrderBy | Iterable[OrderBy] = (),
) -> AggregateExpr[S]: ...
@overload
def fold(
    of: Expr[T] | Alias[T],
    initial: Callable[[], S],
    step: Callable[[S, T], S],
    *,
    finish: Callable[[S], V],
    order_by: OrderBy | Iterable[OrderBy] = (),
) -> AggregateExpr[V]: ...
@overload
def fold(
    of: Expr[T] | Alias[T],
    initial: S,
    step: Callable[[S, T], S],
    *,
    finish: None = None,
    order_by: OrderBy | Iterable[OrderBy] = (),
) -> AggregateExpr[S]: ...
@overload
def fold(
    of: Expr[T] | Alias[T],
    initial: S,
    step: Callable[[S, T], S],
    *,
    finish: Callable[[S], V],
    order_by: OrderBy | Iterable[OrderBy] = (),
) -> AggregateExpr[V]: ...
def fold(
    of: Expr[Any] | Alias[Any],
    initial: Any,
    step: Callable[[Any, Any], Any],
    *,
    finish: Callable[[Any], Any] | None = None,
    order_by: OrderBy | Iterable[OrderBy] = (),
) -> AggregateExpr[Any]:
    """Carry a state over the values of the group, in order.

    Args:
        of: The values to step over: an expression, or an alias for whole rows.
        initial: An immutable state to begin with, or a function that makes a fresh one.
        step: From state and value to the next state; must never change the state it gets.
        finish: From the last state to the value of the aggregate; the state itself by default.
        order_by: The order of the values.

    Complexity: O(1) steps for a value at the end of the order; a change before it replays from there.
    """
    hint = "write fold(values, initial, lambda state, value: ...)"
    check_function(step, "fold", hint)
    if finish is not None:
        check_function(finish, "fold", hint)
    if callable(initial):
        check_function(initial, "fold", hint)
    if isinstance(initial, list | dict | set | bytearray):
        raise refusal(
            f"fold begins with the mutable value {initial!r}, which all groups would share",
            f"pass what makes a fresh one: {type(initial).__name__}, or lambda: ...",
        )
    return _aggregate("fold", of, order_by=order_by, options=(initial, step, finish))


def _aggregate(
    kind: str,
    *of: Expr[Any] | Alias[Any],
    order_by: OrderBy | Iterable[OrderBy] = (),
    options: tuple[Any, ...] = (),
) -> AggregateExpr[Any]:
    args = [_argument(value, kind) for value in of]
    parts = [order_by] if isinstance(order_by, QueryPart) else list(order_by)
    order = [as_order(part, "order_by of an aggregate") for part in parts]
    node = Aggregate(kind, tuple(map(node_of, args)), None, tuple(map(ordering_of, order)), options)
    for arg in node.args + tuple(part.by for part in node.order_by):
        if contains(arg, Aggregate):
            raise refusal(
                f"aggregate {text_of(arg)!r} stands inside another aggregate",
                "aggregate twice: group in a subquery, then group query(q.alias('x')) again",
            )
        if contains(arg, Selected):
            raise refusal(
                f"{text_of(arg)} is a column of the result and cannot be aggregated in it",
                "aggregate the column of the source",
            )
    return AggregateExpr(node, merged(*args, *order))


def _argument(value: object, kind: str) -> Expr[Any]:
    if isinstance(value, Alias):
        return row_of(value)
    if isinstance(value, Expr):
        return value
    name = kind_of_part(value) if isinstance(value, QueryPart) else repr(value)
    raise refusal(f"aggregate {kind} takes an expression, not {name}")


def _column(value: object, name: str) -> Expr[Any]:
    if isinstance(value, Alias):
        raise refusal(f"{name} takes a column, not a whole row", "name a field of the alias")
    return _argument(value, name)
