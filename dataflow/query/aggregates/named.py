"""The aggregates that have a name in SQL or are as common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dataflow.query.aggregates.expression import AggregateExpr, OrderBy, aggregate_of, column
from dataflow.query.expr import Expr, as_condition
from dataflow.query.traps import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataflow.query.alias import Alias

T = TypeVar("T")


def count(of: Expr[Any] | Alias[Any] | None = None) -> AggregateExpr[int]:
    """Count the rows of the group; with an argument, those where it is not null."""
    return aggregate_of("count") if of is None else aggregate_of("count", of)


def count_distinct(of: Expr[Any]) -> AggregateExpr[int]:
    """Count the different values that are not null."""
    return aggregate_of("count_distinct", column(of, "count_distinct"))


def sum_(of: Expr[Any]) -> AggregateExpr[Any]:
    """Sum numbers exactly: the answer does not depend on the order of changes."""
    return aggregate_of("sum", column(of, "sum_"))


def avg(of: Expr[Any]) -> AggregateExpr[Any]:
    """Return the mean of numbers, from their exact sum."""
    return aggregate_of("avg", column(of, "avg"))


def min_(of: Expr[T]) -> AggregateExpr[T]:
    """Return the smallest value."""
    return aggregate_of("min", column(of, "min_"))


def max_(of: Expr[T]) -> AggregateExpr[T]:
    """Return the largest value."""
    return aggregate_of("max", column(of, "max_"))


def median(of: Expr[Any]) -> AggregateExpr[Any]:
    """Return the middle number, or the mean of the two in the middle."""
    return aggregate_of("median", column(of, "median"))


def variance(of: Expr[Any]) -> AggregateExpr[float]:
    """Return the variance of numbers as a sample, exactly; null of fewer than two."""
    return aggregate_of("variance", column(of, "variance"))


def stddev(of: Expr[Any]) -> AggregateExpr[float]:
    """Return the standard deviation of numbers as a sample; null of fewer than two."""
    return aggregate_of("stddev", column(of, "stddev"))


def any_(condition: Expr[Any]) -> AggregateExpr[bool]:
    """Test whether a condition is true of any row."""
    return aggregate_of("any", as_condition(condition, "any_"))


def all_(condition: Expr[Any]) -> AggregateExpr[bool]:
    """Test whether a condition is true of all rows of which it is known."""
    return aggregate_of("all", as_condition(condition, "all_"))


def string_agg(
    of: Expr[Any], separator: str = "", *, order_by: OrderBy | Iterable[OrderBy] = ()
) -> AggregateExpr[str]:
    """Join texts, with a separator between them; numbers, bools and times count as their text.

    Complexity: O(rows of the group) for each change of the group; `fold` costs less.
    """
    if not isinstance(separator, str):
        raise refusal(
            f"the separator of string_agg is a text, not {separator!r}",
            "several values in one text are string_agg(concat(x, y), ', ')",
        )
    return aggregate_of(
        "string_agg", column(of, "string_agg"), order_by=order_by, options=(separator,)
    )


def collect(
    of: Expr[T] | Alias[T], *, order_by: OrderBy | Iterable[OrderBy] = ()
) -> AggregateExpr[list[T]]:
    """Return the values of the group as a new list; rows in it are shared and read-only.

    Complexity: O(rows of the group) for each change of the group; `fold` costs less.
    """
    return aggregate_of("collect", of, order_by=order_by)


def first(
    of: Expr[T] | Alias[T], *, order_by: OrderBy | Iterable[OrderBy] = ()
) -> AggregateExpr[T]:
    """Return the first value that is not null."""
    return aggregate_of("first", of, order_by=order_by)


def last(of: Expr[T] | Alias[T], *, order_by: OrderBy | Iterable[OrderBy] = ()) -> AggregateExpr[T]:
    """Return the last value that is not null."""
    return aggregate_of("last", of, order_by=order_by)
