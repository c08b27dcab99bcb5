"""Window functions: one value per row, from the rows of its partition.

`over` says which rows those are (`partition_by`; all without it) and in which order (`order_by`).
Rankings, `lag` and `lead` need an order. An aggregate with one is running: it sees the rows up to
its own, ROWS UNBOUNDED PRECEDING in SQL; without one it sees the whole partition. Rows of equal
order stand by ascending key, so that every row has a position of its own; `rank` and `dense_rank`
alone treat them as peers.

They stand in select and order_by, which come after everything that chooses rows. A condition on one
is a condition on a subquery: `query(ranked.alias("r")).where(r.position <= 3)`.

Complexity: a change costs the rows of its partition that stand at or after it, never other
    partitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, NoReturn, TypeAlias, TypeVar, final

from dataflow.query.alias import Alias, row_of
from dataflow.query.expr import (
    Expr,
    Order,
    as_order,
    merged,
    node_of,
    operand,
    ordering_of,
)
from dataflow.query.notation import text_of
from dataflow.query.scalar import Aggregate, Const, Selected, Window, contains
from dataflow.query.traps import QueryPart, kind_of_part, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataflow.query.expr import Origins

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

OrderBy: TypeAlias = Expr[Any] | Order
"""One part of an order: an expression, or one with a direction."""

AGGREGATES: Final = ("count", "sum", "avg", "min", "max")
"""The aggregates that have a running form."""


@final
class WindowFunction(QueryPart, Generic[T_co]):
    """A ranking, `lag` or `lead` that lacks its window; `over` makes it an expression."""

    __slots__ = ("_node", "_origins")
    __hash__: ClassVar[None]  # type: ignore[assignment]  # it is not compared

    _part = "a window function without over"
    _instead = "say over which rows: row_number().over(order_by=alias.field)"

    def __init__(self, node: Window, origins: Origins) -> None:
        self._node = node
        self._origins = origins

    def over(
        self,
        *,
        order_by: OrderBy | Iterable[OrderBy],
        partition_by: Expr[Any] | Iterable[Expr[Any]] = (),
    ) -> Expr[T_co]:
        """Compute this over the rows of the partition, in order.

        Args:
            order_by: The order: an expression, `x.desc()`, or several; ties by ascending key.
            partition_by: What rows of one partition have in common; nulls are equal here.
        """
        return over(self._node, self._origins, partition_by, order_by)

    def __eq__(self, other: object) -> NoReturn:
        raise self._unfinished("compared")

    def __ne__(self, other: object) -> NoReturn:
        raise self._unfinished("compared")

    def __bool__(self) -> NoReturn:
        raise self._unfinished("tested for truth")

    def __repr__(self) -> str:
        return f"{self._node.kind}(...)"

    def _unfinished(self, what: str) -> Exception:
        return refusal(
            f"{self._node.kind} without over cannot be {what}: its window is not said",
            self._instead,
        )


def row_number() -> WindowFunction[int]:
    """Number the rows of the partition from 1; no two rows have the same number."""
    return WindowFunction(Window("row_number"), {})


def rank() -> WindowFunction[int]:
    """Number the rows from 1; rows of equal order share the first of their numbers: 1, 1, 3."""
    return WindowFunction(Window("rank"), {})


def dense_rank() -> WindowFunction[int]:
    """Number the different orders from 1, without gaps: 1, 1, 2."""
    return WindowFunction(Window("dense_rank"), {})


def lag(of: Expr[T] | Alias[T], n: int = 1, default: Any = None) -> WindowFunction[T]:
    """Return the value that the row `n` rows before has.

    Args:
        of: A value of that row, or an alias for the row itself.
        n: How many rows.
        default: The value where there is no such row: a constant, or an expression of this row.
    """
    return _shifted("lag", of, n, default)


def lead(of: Expr[T] | Alias[T], n: int = 1, default: Any = None) -> WindowFunction[T]:
    """Return the value that the row `n` rows after has; else as `lag`."""
    return _shifted("lead", of, n, default)


def _shifted(kind: str, of: Expr[T] | Alias[T], n: object, default: object) -> WindowFunction[T]:
    value: object = row_of(of) if isinstance(of, Alias) else of
    if not isinstance(value, Expr):
        name = kind_of_part(value) if isinstance(value, QueryPart) else repr(value)
        raise refusal(f"{kind} takes an expression, not {name}", "name a field: alias.field")
    if isinstance(n, bool) or not isinstance(n, int) or n < 0:
        raise refusal(
            f"{kind} takes a number of rows, 0 or more, not {n!r}",
            "lag looks back, lead looks ahead",
        )
    other: Expr[Any] = Expr(Const(None)) if default is None else operand(default, kind)
    node = Window(kind, (node_of(value), node_of(other)), offset=n)
    return WindowFunction(node, merged(value, other))


def over_aggregate(
    aggregate: Expr[T],
    partition_by: Expr[Any] | Iterable[Expr[Any]],
    order_by: OrderBy | Iterable[OrderBy],
) -> Expr[T]:
    """Return an aggregate as a window function.

    Raises:
        QueryError: It has no running form, or the window means nothing.
    """
    node = node_of(aggregate)
    assert isinstance(node, Aggregate)
    if node.kind not in AGGREGATES:
        raise refusal(
            f"aggregate {text_of(node)!r} has no window",
            "over goes with count, sum_, avg, min_, max_ and row_number, rank, dense_rank, lag, lead",
            "for a whole partition: group in a subquery, and join it",
        )
    window = Window(node.kind, node.args, node.where)
    return over(window, merged(aggregate), partition_by, order_by)


def over(
    node: Window,
    origins: Origins,
    partition_by: Expr[Any] | Iterable[Expr[Any]],
    order_by: OrderBy | Iterable[OrderBy],
) -> Expr[Any]:
    """Return a window function over its window, checked."""
    keys = _several(partition_by)
    for key in keys:
        if not isinstance(key, Expr):
            name = kind_of_part(key) if isinstance(key, QueryPart) else repr(key)
            raise refusal(
                f"partition_by of {node.kind} takes expressions, not {name}",
                "name a field: partition_by=alias.field",
            )
    order = [as_order(part, f"order_by of {node.kind}") for part in _several(order_by)]
    if not order and node.kind not in AGGREGATES:
        raise refusal(
            f"{node.kind} over rows without order_by: which row is the first is not said",
            f"write {node.kind}(...).over(order_by=alias.field)",
        )
    whole = Window(
        node.kind,
        node.args,
        node.where,
        tuple(map(node_of, keys)),
        tuple(map(ordering_of, order)),
        node.offset,
    )
    _check_parts(whole)
    return Expr(whole, merged(Expr(whole, origins), *keys, *order))


def _check_parts(window: Window) -> None:
    where = () if window.where is None else (window.where,)
    parts = (*window.args, *where, *window.partition_by, *(part.by for part in window.order_by))
    for part in parts:
        if contains(part, Window):
            raise refusal(
                f"window function {text_of(part)!r} stands inside the window of {window.kind}",
                "compute the inner one in a subquery: query(q.alias('x'))",
            )
        if contains(part, Selected):
            raise refusal(
                f"{text_of(part)} is a column of the result and cannot be read in the window of {window.kind}",
                "name the column of the source",
            )


def _several(parts: Any) -> list[Any]:
    return [parts] if isinstance(parts, QueryPart | str) else list(parts)
