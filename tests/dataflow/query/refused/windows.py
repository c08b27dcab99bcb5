"""Window functions: windows that are missing, and places where there is no window yet."""

from __future__ import annotations

from dataflow.query import aggregates as agg
from dataflow.query.aggregates import fold, median
from dataflow.query.builder import query
from dataflow.query.functions import selected
from dataflow.query.nesting import nested
from dataflow.query.windows import lag, lead, rank, row_number
from tests.dataflow.query.refused.parts import (
    Refused,
    actor,
    added,
    anything,
    message,
    place,
    start,
    unfinished,
)

REFUSED: list[Refused] = [
    Refused(
        "row_number",
        lambda: row_number().over(partition_by=message.role, order_by=[]),
        "row_number over rows without order_by: which row is the first is not said",
        "write row_number(...).over(order_by=alias.field)",
    ),
    Refused(
        "lag",
        lambda: lag(message.seq).over(order_by=()),
        "lag over rows without order_by: which row is the first is not said",
        "write lag(...).over(order_by=alias.field)",
    ),
    Refused(
        "rank",
        lambda: rank().over(order_by=place),
        "window function 'row_number().over(partition_by=message.role, order_by=message.seq.desc())' stands inside the window of rank",
        "compute the inner one in a subquery: query(q.alias('x'))",
    ),
    Refused(
        "rank",
        lambda: rank().over(order_by=message.seq, partition_by=place + 1),
        "window function 'row_number().over(partition_by=message.role, order_by=message.seq.desc()) + 1' stands inside the window of rank",
        "compute the inner one in a subquery: query(q.alias('x'))",
    ),
    Refused(
        "rank",
        lambda: rank().over(order_by=selected.place),
        "selected.place is a column of the result and cannot be read in the window of rank",
        "name the column of the source",
    ),
    Refused(
        "rank",
        lambda: rank().over(order_by=message.seq, partition_by=anything),
        "partition_by of rank takes expressions, not a query",
        "name a field: partition_by=alias.field",
    ),
    Refused(
        "rank",
        lambda: rank().over(order_by=anything),
        "order_by of rank takes expressions, not <Query of message: all rows>",
        "write alias.field, alias.field.desc(), or selected.field for a selected column",
    ),
    Refused(
        "median",
        lambda: median(message.seq).over(),
        "aggregate 'median(message.seq)' has no window",
        "over goes with count, sum_, avg, min_, max_ and row_number, rank, dense_rank, lag, lead",
    ),
    Refused(
        "fold",
        lambda: fold(message.seq, 0, added).over(order_by=message.seq),
        "aggregate 'fold(message.seq)' has no window",
        "over goes with count, sum_, avg, min_, max_ and row_number, rank, dense_rank, lag, lead",
    ),
    Refused(
        "aggregate",
        lambda: agg.aggregate(message.seq, 0, max, min).over(),
        "aggregate 'aggregate(message.seq)' has no window",
        "over goes with count, sum_, avg, min_, max_ and row_number, rank, dense_rank, lag, lead",
    ),
    Refused(
        "row_number",
        lambda: unfinished == 1,
        "row_number without over cannot be compared: its window is not said",
        "say over which rows: row_number().over(order_by=alias.field)",
    ),
    Refused(
        "row_number",
        lambda: unfinished != 1,
        "row_number without over cannot be compared: its window is not said",
        "say over which rows: row_number().over(order_by=alias.field)",
    ),
    Refused(
        "row_number",
        lambda: bool(unfinished),
        "row_number without over cannot be tested for truth: its window is not said",
        "say over which rows: row_number().over(order_by=alias.field)",
    ),
    Refused(
        "lag",
        lambda: lag(message.seq, -1),
        "lag takes a number of rows, 0 or more, not -1",
        "lag looks back, lead looks ahead",
    ),
    Refused(
        "lag",
        lambda: lag(message.seq, default=unfinished),
        "a window function without over stands where lag expects a value",
        "say over which rows: row_number().over(order_by=alias.field)",
    ),
    Refused(
        "lead",
        lambda: lead(anything),
        "lead takes an expression, not a query",
        "name a field: alias.field",
    ),
    Refused(
        "select",
        lambda: start.select(x=rank().over(order_by=actor.name)),
        "unknown alias 'actor' in select",
        "this query knows 'message'; join(source.alias('actor'), on=...) adds another",
    ),
    Refused(
        "nested",
        lambda: nested(
            query(actor)
            .where(actor.role == message.role)
            .select(n=row_number().over(order_by=actor.id))
        ),
        "a window function in a nested query that names the row around it",
        "compute it in a subquery: query(q.alias('x')).where(x.id == outer.id)",
    ),
]
