"""Nested queries: what cannot be computed row by row, and aliases of the query around."""

from __future__ import annotations

from dataflow.query.aggregates import count
from dataflow.query.builder import query
from dataflow.query.combining import union_all
from dataflow.query.functions import length, selected
from dataflow.query.nesting import nested
from tests.dataflow.query.refused.parts import (
    Refused,
    actor,
    anything_of,
    event,
    message,
    mine,
    start,
)
from tests.dataflow.query.sources import EVENTS

REFUSED: list[Refused] = [
    Refused(
        "nested",
        lambda: nested(anything_of(message)),
        "nested takes a query, not an alias",
        "of an alias a write nested(query(a))",
    ),
    Refused(
        "nested",
        lambda: nested(anything_of(count())),
        "nested takes a query, not an expression",
        "of an alias a write nested(query(a))",
    ),
    Refused(
        "where",
        lambda: mine.alias("x"),
        "unknown alias 'actor' in where",
        "this query knows 'message'; join(source.alias('actor'), on=...) adds another",
    ),
    Refused(
        "where",
        lambda: union_all(mine, start),
        "unknown alias 'actor' in where",
        "this query knows 'message'; join(source.alias('actor'), on=...) adds another",
    ),
    Refused(
        "select",
        lambda: query(event).select(rows=nested(mine)),
        "unknown alias 'actor' in select",
        "this query knows 'event'; join(source.alias('actor'), on=...) adds another",
    ),
    Refused(
        "nested",
        lambda: query(actor).group_by(actor.id).select(id=actor.id, rows=nested(mine)),
        "nested(rows) in select of a query with groups",
        "wrap the query: query(q.alias('x')).select(x, rows=nested(...))",
    ),
    Refused(
        "having",
        lambda: query(actor).select(actor, n=nested(mine)).having(count() > 1),
        "having without group_by: there are no groups",
        "a condition on rows is where(...)",
    ),
    Refused(
        "having",
        lambda: nested(mine.select(n=count()).having(count() > 1)),
        "having in a nested query without group_by: its one row would come and go",
        "nest it without having, and test the value outside",
    ),
    Refused(
        "distinct",
        lambda: nested(query(event).where(event.role == actor.role).distinct()),
        "distinct in a nested query whose columns are not known",
        "select its columns by name before distinct",
    ),
    Refused(
        "distinct",
        lambda: nested(mine.select(n=count()).distinct()),
        "distinct in a nested query of one row",
        "leave it out",
    ),
    Refused(
        "full",
        lambda: mine.join(event, on=message.id == event.id, how="full"),
        "a full join cannot follow a condition on 'actor', an outer alias",
        "call where after the join, or wrap the query: query(q.alias('x'))",
    ),
    Refused(
        "where",
        lambda: mine.join(actor, on=message.role == actor.role),
        "where names alias 'actor' before it is joined",
        "join it first",
    ),
    Refused(
        "alias",
        lambda: mine.where(EVENTS.alias("actor").id == 1),
        "alias 'actor' of the query around this one stands for two different sources",
        "give one of the two another name: source.alias('other')",
    ),
    Refused(
        "select",
        lambda: query(actor).select(first=nested(mine, live=True)[0]),
        "nested(rows, live=True) in select is a collection, of which nothing can be computed",
        "select it as a column by itself; of rows as a value write nested(q)",
    ),
    Refused(
        "select",
        lambda: query(actor).select(nested(mine, live=True)),
        "nested(rows, live=True) in select is a collection, of which nothing can be computed",
        "select it as a column by itself; of rows as a value write nested(q)",
    ),
    Refused(
        "select",
        lambda: query(actor).select(n=length(nested(mine, live=True))),
        "nested(rows, live=True) in select is a collection, of which nothing can be computed",
        "select it as a column by itself; of rows as a value write nested(q)",
    ),
    Refused(
        "order_by",
        lambda: query(actor).select(x=nested(mine, live=True)).order_by(selected.x),
        "nested(rows, live=True) in order_by is a collection, of which nothing can be computed",
        "select it as a column by itself; of rows as a value write nested(q)",
    ),
    Refused(
        "distinct",
        lambda: query(actor).select(x={"in": nested(mine, live=True)}).distinct(),
        "nested(rows, live=True) in distinct is a collection, of which nothing can be computed",
        "select it as a column by itself; of rows as a value write nested(q)",
    ),
]
