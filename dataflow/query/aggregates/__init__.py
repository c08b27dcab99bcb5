"""Aggregates: one value from the rows of a group.

    expression  AggregateExpr, and how one is made
    named       count, sum_, max_, first, median ...
    custom      fold and aggregate, for functions of one's own

They skip nulls and are null if nothing is left; `count()` counts rows. Those that depend on an
order take `order_by`; without one they see the rows by ascending key. Each has `.where(condition)`,
which restricts the rows it sees, and takes part in expressions: `count() - 1`.

`collect`, `first`, `last`, `fold` and `aggregate` take an expression, or an alias for the whole
row.
"""

from dataflow.query.aggregates.custom import aggregate, fold
from dataflow.query.aggregates.expression import AggregateExpr, OrderBy
from dataflow.query.aggregates.named import (
    all_,
    any_,
    avg,
    collect,
    count,
    count_distinct,
    first,
    last,
    max_,
    median,
    min_,
    stddev,
    string_agg,
    sum_,
    variance,
)

__all__ = [
    "AggregateExpr",
    "OrderBy",
    "aggregate",
    "all_",
    "any_",
    "avg",
    "collect",
    "count",
    "count_distinct",
    "first",
    "fold",
    "last",
    "max_",
    "median",
    "min_",
    "stddev",
    "string_agg",
    "sum_",
    "variance",
]
