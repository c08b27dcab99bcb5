"""Aggregates as users hold them: an expression that may stand where rows are grouped."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dataflow.query.alias import Alias, row_of
from dataflow.query.expr import (
    Expr,
    as_condition,
    as_order,
    merged,
    node_of,
    ordering_of,
)
from dataflow.query.notation import text_of
from dataflow.query.scalar import (
    Aggregate,
    Nested,
    Scalar,
    Selected,
    Window,
    all_columns,
    conjunction,
    contains,
)
from dataflow.query.traps import QueryPart, kind_of_part, refusal
from dataflow.query.windows import OrderBy, over_aggregate

if TYPE_CHECKING:
    from collections.abc import Iterable

T_co = TypeVar("T_co", covariant=True)

__all__ = ["AggregateExpr", "OrderBy", "aggregate_of", "column"]


class AggregateExpr(Expr[T_co]):
    """An aggregate over the rows of a group; `where` restricts the rows it sees."""

    __slots__ = ()

    def where(self, *conditions: Expr[bool]) -> AggregateExpr[T_co]:
        """Let the aggregate see only the rows for which all conditions are true."""
        node = node_of(self)
        assert isinstance(node, Aggregate)
        added = [as_condition(condition, "where of an aggregate") for condition in conditions]
        parts = tuple(map(node_of, added))
        for part in parts:
            _check_free_of_windows(part, node.kind)
        if node.where is not None:
            parts = (node.where, *parts)
        where = conjunction(parts) if parts else None
        narrowed = Aggregate(node.kind, node.args, where, node.order_by, node.options)
        return AggregateExpr(narrowed, merged(self, *added))

    def over(
        self,
        *,
        partition_by: Expr[Any] | Iterable[Expr[Any]] = (),
        order_by: OrderBy | Iterable[OrderBy] = (),
    ) -> Expr[T_co]:
        """Compute the aggregate for each row, over the rows of its partition; see `windows`.

        Args:
            partition_by: What rows of one partition have in common; all rows without it.
            order_by: Makes it running: it sees the rows up to this one, ties by ascending key.
        """
        return over_aggregate(self, partition_by, order_by)


def aggregate_of(
    kind: str,
    *of: Expr[Any] | Alias[Any],
    order_by: OrderBy | Iterable[OrderBy] = (),
    options: tuple[Any, ...] = (),
) -> AggregateExpr[Any]:
    """Return an aggregate over expressions or whole rows.

    Args:
        kind: What `scalar.Aggregate` carries.
        of: The arguments.
        order_by: The order in which an ordered aggregate sees the rows.
        options: What is no expression.
    """
    args = [_argument(value, kind) for value in of]
    nodes = tuple([node_of(arg) for arg in args])
    if not options and order_by.__class__ is tuple and not order_by and all_columns(nodes):
        return AggregateExpr(_of_columns(kind, nodes), merged(*args))
    parts = [order_by] if isinstance(order_by, QueryPart | str) else list(order_by)
    order = [as_order(part, "order_by of an aggregate") for part in parts]
    node = Aggregate(kind, nodes, None, tuple(map(ordering_of, order)), options)
    for arg in (*node.args, *[part.by for part in node.order_by]):
        if not contains(arg, _OF_RESULTS):
            continue
        if contains(arg, Aggregate):
            raise refusal(
                f"aggregate {text_of(arg)!r} stands inside aggregate {kind!r}",
                "aggregate twice: group in a subquery, then group query(q.alias('x')) again",
            )
        if contains(arg, Nested):
            raise refusal(
                f"a nested query stands inside aggregate {kind!r}",
                "nest in a subquery, then aggregate query(q.alias('x'))",
            )
        _check_free_of_windows(arg, kind)
        if contains(arg, Selected):
            raise refusal(
                f"{text_of(arg)} is a column of the result and cannot be aggregated in it",
                "aggregate the column of the source",
            )
    return AggregateExpr(node, merged(*args, *order))


@lru_cache(maxsize=4_096)
def _of_columns(kind: str, columns: tuple[Scalar, ...]) -> Aggregate:
    """Return the one node of an aggregate over columns, so that its hash is computed once."""
    return Aggregate(kind, columns)


_OF_RESULTS: Final = (Aggregate, Nested, Window, Selected)


def _check_free_of_windows(part: Scalar, kind: str) -> None:
    if contains(part, Window):
        raise refusal(
            f"window function {text_of(part)!r} stands inside aggregate {kind!r}",
            "compute it in a subquery, then aggregate query(q.alias('x'))",
        )


def _argument(value: object, kind: str) -> Expr[Any]:
    if isinstance(value, Alias):
        return row_of(value)
    if isinstance(value, Expr):
        return value
    name = kind_of_part(value) if isinstance(value, QueryPart) else repr(value)
    raise refusal(f"aggregate {kind} takes an expression, not {name}", "name a field: alias.field")


def column(value: object, name: str) -> Expr[Any]:
    """Return an argument that is no whole row.

    Args:
        name: The function it is an argument of.
    """
    if isinstance(value, Alias):
        raise refusal(f"{name} takes a column, not a whole row", "name a field of the alias")
    return _argument(value, name)
