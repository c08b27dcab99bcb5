"""What the rows of a result are: select, into, group_by, aggregates, distinct."""

from __future__ import annotations

from dataflow.query.aggregates import count
from dataflow.query.builder import query
from dataflow.query.functions import selected
from dataflow.query.nesting import nested
from tests.dataflow.query.refused.parts import (
    Refused,
    anything,
    event,
    groups,
    message,
    newest,
    place,
    start,
    totals,
    unfinished,
)
from tests.dataflow.query.sources import Message

REFUSED: list[Refused] = [
    Refused(
        "select",
        lambda: start.select(),
        "select without columns",
        "write select(alias) or select(name=expression)",
    ),
    Refused(
        "select",
        lambda: anything.select(kind="user"),
        "column 'kind' of select takes an expression, not 'user'",
        "a constant is lit(value)",
    ),
    Refused(
        "select",
        lambda: anything.select(nested={"known": message is None}),
        "column 'known' of select takes an expression, not False",
        "a constant is lit(value)",
    ),
    Refused(
        "select",
        lambda: anything.select("role"),
        "select takes an expression, not 'role'",
        "positional arguments are spread; name a column: select(total=expression)",
    ),
    Refused(
        "select",
        lambda: anything.select(total=totals),
        "column 'total' of select takes an expression, not a query",
        "name a column of it: q.alias('x').column; its rows in a column are nested(q)",
    ),
    Refused(
        "select",
        lambda: anything.select(place=unfinished),
        "column 'place' of select takes an expression, not a window function without over",
        "say over which rows: row_number(...).over(order_by=alias.field)",
    ),
    Refused(
        "select",
        lambda: anything.select(rows=[message.id]),
        "column 'rows' of select takes an expression, not [<Expr message.id>]",
        "a constant is lit(value)",
    ),
    Refused(
        "select",
        lambda: start.select(message.role, n=count()),
        "'message.role' in select is neither grouped nor aggregated",
        "the query is grouped by the whole input as one group",
    ),
    Refused(
        "select",
        lambda: groups.select(row=message),
        "'message' in select is neither grouped nor aggregated",
        "the query is grouped by message.role",
    ),
    Refused(
        "select",
        lambda: groups.select(message),
        "'message' in select is neither grouped nor aggregated",
        "the query is grouped by message.role",
    ),
    Refused(
        "select",
        lambda: groups.select(key=message.id),
        "'message.id' in select is neither grouped nor aggregated",
        "the query is grouped by message.role",
    ),
    Refused(
        "select",
        lambda: groups.select(place=place),
        "'message.seq' in select is neither grouped nor aggregated",
        "the query is grouped by message.role",
    ),
    Refused(
        "select",
        lambda: groups.select(rows=nested(query(event))),
        "nested(rows) in select of a query with groups",
        "wrap the query: query(q.alias('x')).select(x, rows=nested(...))",
    ),
    Refused(
        "order_by",
        lambda: totals.order_by(message.seq),
        "'message.seq' in order_by is neither grouped nor aggregated",
        "the query is grouped by message.role",
    ),
    Refused(
        "order_by",
        lambda: newest.select(n=count()),
        "'message.seq' in order_by is neither grouped nor aggregated",
        "the query is grouped by the whole input as one group",
    ),
    Refused(
        "selected.role",
        lambda: start.select(message, message.meta).order_by(selected.role),
        "selected.role may come from 'message.meta', whose fields are not known",
        "name the column: select(..., role=expression)",
    ),
    Refused(
        "order_by",
        lambda: start.order_by(count()),
        "aggregate 'count()' in order_by of a query without groups",
        "call group_by first; group_by() makes the whole input one group",
    ),
    Refused(
        "select",
        lambda: start.select(n=selected.id),
        "selected.id in select before there is a select",
        "id = expression; select(id=id, more=id + 1)",
    ),
    Refused(
        "group_by",
        lambda: anything.group_by("role"),
        "group_by takes an expression, not 'role'",
        "name the fields: group_by(alias.one, alias.other)",
    ),
    Refused(
        "group_by",
        lambda: anything.group_by(message),
        "group_by takes an expression, not an alias",
        "an alias is a whole row: name a field of it, or ask is_null(alias)",
    ),
    Refused(
        "group_by",
        lambda: anything.group_by(lambda row: row.role),
        "group_by takes an expression, not ...",
        "name the fields: group_by(alias.one, alias.other)",
    ),
    Refused(
        "group_by",
        lambda: anything.group_by([message.role, message.id]),
        "group_by takes an expression, not [<Expr message.role>, <Expr message.id>]",
        "name the fields: group_by(alias.one, alias.other)",
    ),
    Refused(
        "group_by",
        lambda: anything.group_by(day=message.seq),
        "group_by takes keys without names, not day=",
        "day = expression; group_by(day).select(day=day)",
    ),
    Refused(
        "group_by",
        lambda: start.group_by(count()),
        "aggregate 'count()' in group_by, which looks at single rows",
        "select it in a subquery: query(q.alias('x'))",
    ),
    Refused(
        "group_by",
        lambda: start.group_by(place),
        "window function 'row_number().over(partition_by=message.role, order_by=message.seq.desc())' in group_by, which comes before it is computed",
        "name it in select, and look at it in a subquery: r = q.alias('r'); query(r).where(r.position <= 3)",
    ),
    Refused(
        "group_by",
        lambda: start.group_by(selected.role),
        "selected.role in group_by: selected columns exist in having and order_by",
        "name the column of the alias it was selected from",
    ),
    Refused(
        "group_by",
        lambda: groups.alias("group"),
        "group_by without select: its groups have no columns yet",
        "name them: .select(key=alias.field, n=count())",
    ),
    Refused(
        "map",
        lambda: groups.map(str),
        "map after group_by, without select",
        "select the columns of the group first",
    ),
    Refused(
        "distinct",
        lambda: groups.distinct(),
        "distinct after group_by, without select",
        "select the columns of the group first",
    ),
    Refused(
        "into",
        lambda: start.into(Message),
        "into without select: there is no new row to build",
        "write .select(...).into(T), or .map(T) to call T with each row",
    ),
    Refused(
        "into",
        lambda: anything.select(message).into("Message"),
        "into takes a class, not 'Message'",
        "a function goes into map(...), after select",
    ),
    Refused(
        "iterate",
        lambda: list(start),
        "a query has no rows to iterate",
        "run(q) computes them once, live(q) keeps them",
    ),
    Refused(
        "iterate",
        lambda: "a" in anything,
        "a query has no rows to iterate",
        "run(q) computes them once, live(q) keeps them",
    ),
    Refused(
        "iterate",
        lambda: list(anything.where(message.pending)),
        "a query has no rows to iterate",
        "run(q) computes them once, live(q) keeps them",
    ),
]
