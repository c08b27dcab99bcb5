"""Joins: a condition that relates one side only, kinds, and what is no source."""

from __future__ import annotations

from dataflow.query.aggregates import sum_
from dataflow.query.builder import query
from dataflow.query.functions import fn, lit, selected
from dataflow.query.nesting import nested
from tests.dataflow.query.refused.parts import (
    Refused,
    actor,
    anything,
    anything_of,
    event,
    message,
    place,
    start,
    twice,
)

REFUSED: list[Refused] = [
    Refused(
        "on",
        lambda: start.join(actor, on=message.id == message.role),
        "on=message.id == message.role does not relate 'message' to 'actor'",
        "compare a column of the one with a column of the other; without any use how='cross'",
    ),
    Refused(
        "on",
        lambda: start.join(actor, on=actor.id == "a"),
        "on=actor.id == 'a' does not relate 'message' to 'actor'",
        "compare a column of the one with a column of the other; without any use how='cross'",
    ),
    Refused(
        "on",
        lambda: start.join(actor, on=lit(value=True)),
        "on=True does not relate 'message' to 'actor'",
        "compare a column of the one with a column of the other; without any use how='cross'",
    ),
    Refused(
        "on",
        lambda: start.join(actor, on=(message.id == "m") & (actor.id == "a")),
        "on=(message.id == 'm') & (actor.id == 'a') does not relate 'message' to 'actor'",
        "compare a column of the one with a column of the other; without any use how='cross'",
    ),
    Refused(
        "on",
        lambda: start.join(actor, on=[message.id == "m", actor.id == "a"]),
        "on=(message.id == 'm') & (actor.id == 'a') does not relate 'message' to 'actor'",
        "compare a column of the one with a column of the other; without any use how='cross'",
    ),
    Refused(
        "on",
        lambda: anything.join(actor, on=True),
        "on got the plain bool True: Python has computed it before the query exists",
        "not, is, in and == between plain values do that: write ~x, x.is_null(), x.in_(...)",
    ),
    Refused(
        "on",
        lambda: anything.join(actor, on=[message.id == actor.id, message.role is None]),
        "on got the plain bool False: Python has computed it before the query exists",
        "not, is, in and == between plain values do that: write ~x, x.is_null(), x.in_(...)",
    ),
    Refused(
        "on",
        lambda: anything.join(actor, on="id"),
        "on takes a condition, not 'id'",
        "compare a column: alias.field == value; always true is lit(True)",
    ),
    Refused(
        "on",
        lambda: anything.join(actor, on=["id"]),
        "on takes a condition, not 'id'",
        "compare a column: alias.field == value; always true is lit(True)",
    ),
    Refused(
        "on",
        lambda: anything.join(actor, on=len),
        "on takes an expression, not a function: <built-in function len>",
        "a function of the row goes into filter(...)",
    ),
    Refused(
        "on",
        lambda: start.join(actor, on=sum_(message.seq) == actor.id),
        "aggregate 'sum_(message.seq)' in on, which looks at single rows",
        "select it in a subquery: query(q.alias('x'))",
    ),
    Refused(
        "on",
        lambda: start.join(actor, on=place == actor.id),
        "window function 'row_number().over(partition_by=message.role, order_by=message.seq.desc())' in on, which comes before it is computed",
        "name it in select, and look at it in a subquery: r = q.alias('r'); query(r).where(r.position <= 3)",
    ),
    Refused(
        "on",
        lambda: start.join(actor, on=selected.id == actor.id),
        "selected.id in on: selected columns exist in having and order_by",
        "name the column of the alias it was selected from",
    ),
    Refused(
        "on",
        lambda: start.join(actor, on=nested(query(event))[0] == actor.id),
        "nested(rows) in on: nested queries belong in select",
        "to use one elsewhere wrap the query: query(q.alias('x'))",
    ),
    Refused(
        "on",
        lambda: start.join(actor, on=fn(twice, message.id) == actor.id),
        "fn(twice, message.id) in on=fn(twice, message.id) == actor.id: rows cannot be looked up by a call",
        "select its result in a subquery: s = query(a).select(a, part=fn(f, a.x)).alias('s'); on=s.part == b.y",
    ),
    Refused(
        "join",
        lambda: anything.join(actor),
        "join of 'actor' without on",
        "write on=a.x == b.y; how='cross' pairs all rows",
    ),
    Refused(
        "join",
        lambda: anything.join(actor, on=[]),
        "join of 'actor' without on",
        "write on=a.x == b.y; how='cross' pairs all rows",
    ),
    Refused(
        "join",
        lambda: anything.join(actor, on=message.id == actor.id, how="outer"),
        "unknown kind of join 'outer'",
        "one of inner, left, right, full, semi, anti, cross",
    ),
    Refused(
        "join",
        lambda: anything.join(actor, on=message.id == actor.id, how="iner"),
        "unknown kind of join 'iner' (did you mean 'inner'?)",
        "one of inner, left, right, full, semi, anti, cross",
    ),
    Refused(
        "cross",
        lambda: anything.join(actor, on=message.id == actor.id, how="cross"),
        "a cross join takes no on: it pairs all rows",
        "how='inner' takes on",
    ),
    Refused(
        "join",
        lambda: anything.join(query(actor), on=message.id == actor.id),
        "join takes a collection, a live result or an alias, not a query",
        "a query gets a name by q.alias('x')",
    ),
    Refused(
        "join",
        lambda: anything.join([{"id": 1}], how="cross"),
        "join takes a collection, a live result or an alias, not [{'id': 1}]",
        "rows are queried in a collection: Collection(name, key=...)",
    ),
    Refused(
        "query",
        lambda: query(anything_of([{"id": 1}])),
        "query takes a collection, a live result or an alias, not [{'id': 1}]",
        "rows are queried in a collection: Collection(name, key=...)",
    ),
    Refused(
        "query",
        lambda: query(anything_of(message.id)),
        "query takes a collection, a live result or an alias, not an expression",
        "a query gets a name by q.alias('x')",
    ),
]
