"""Aggregates of one's own: `fold`, which sees rows in order, and `aggregate`, which does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from dataflow.query.aggregates.expression import AggregateExpr, OrderBy, aggregate_of
from dataflow.query.traps import check_function, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dataflow.query.alias import Alias
    from dataflow.query.expr import Expr

T = TypeVar("T")
S = TypeVar("S")
V = TypeVar("V")


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

    Complexity: O(1) steps for a value at the end of the order; a change before it replays from
        there.
    """
    hint = "write fold(values, initial, lambda state, value: ...)"
    _check_functions("fold", hint, initial, step, finish)
    return aggregate_of("fold", of, order_by=order_by, options=(initial, step, finish))


@overload
def aggregate(
    of: Expr[T] | Alias[T],
    initial: Callable[[], S],
    add: Callable[[S, T], S],
    retract: Callable[[S, T], S],
    *,
    finish: None = None,
) -> AggregateExpr[S]: ...
@overload
def aggregate(
    of: Expr[T] | Alias[T],
    initial: Callable[[], S],
    add: Callable[[S, T], S],
    retract: Callable[[S, T], S],
    *,
    finish: Callable[[S], V],
) -> AggregateExpr[V]: ...
@overload
def aggregate(
    of: Expr[T] | Alias[T],
    initial: S,
    add: Callable[[S, T], S],
    retract: Callable[[S, T], S],
    *,
    finish: None = None,
) -> AggregateExpr[S]: ...
@overload
def aggregate(
    of: Expr[T] | Alias[T],
    initial: S,
    add: Callable[[S, T], S],
    retract: Callable[[S, T], S],
    *,
    finish: Callable[[S], V],
) -> AggregateExpr[V]: ...
def aggregate(
    of: Expr[Any] | Alias[Any],
    initial: Any,
    add: Callable[[Any, Any], Any],
    retract: Callable[[Any, Any], Any],
    *,
    finish: Callable[[Any], Any] | None = None,
) -> AggregateExpr[Any]:
    """Carry a state that values are added to and retracted from, in no particular order.

    The value of a group without any is that of the initial state. What `retract` gets was added
    before; it is not called for the values of a group that all leave it.

    Args:
        of: The values: an expression, or an alias for whole rows.
        initial: An immutable state to begin with, or a function that makes a fresh one.
        add: From state and value to the next state; must never change the state it gets.
        retract: The inverse of `add`: from state and value to the state without the value.
        finish: From the last state to the value of the aggregate; the state itself by default.

    Complexity: one call for each value that came or went. Order matters? Use `fold`.
    """
    hint = "write aggregate(values, initial, lambda state, value: ..., lambda state, value: ...)"
    _check_functions("aggregate", hint, initial, add, retract, finish)
    return aggregate_of("aggregate", of, options=(initial, add, retract, finish))


def _check_functions(
    name: str, hint: str, initial: object, *functions: Callable[..., Any] | None
) -> None:
    """Refuse functions that cannot be called, and a state that all groups would share."""
    *steps, finish = functions
    for step in steps:
        check_function(step, name, hint)
    if finish is not None:
        check_function(finish, name, hint)
    if callable(initial):
        check_function(initial, name, hint)
    if isinstance(initial, list | dict | set | bytearray):
        raise refusal(
            f"{name} begins with the mutable value {initial!r}, which all groups would share",
            f"pass what makes a fresh one: {type(initial).__name__}, or lambda: ...",
        )
