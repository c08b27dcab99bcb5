"""Clauses out of place, and what they are given: limit without order_by, order_by of other things."""

from __future__ import annotations

from dataflow.query.aggregates import count
from dataflow.query.functions import fn, lit, selected
from tests.dataflow.query.refused.parts import (
    Refused,
    actor,
    anything,
    groups,
    message,
    newest,
    place,
    start,
    totals,
    twice,
    unfinished,
    x,
)
from tests.dataflow.query.sources import Message

REFUSED: list[Refused] = [
    Refused(
        "where",
        lambda: start.select(id=message.id).where(message.pending),
        "where cannot follow select",
        "call it before select, or wrap it: query(q.alias('x')) and there call where",
    ),
    Refused(
        "where",
        lambda: newest.limit(3).where(message.pending),
        "where cannot follow limit",
        "call it before limit, or wrap it: query(q.alias('x')) and there call where",
    ),
    Refused(
        "where",
        lambda: groups.where(message.pending),
        "where cannot follow group_by",
        "where looks at rows; a condition on groups is having(...)",
    ),
    Refused(
        "where",
        lambda: start.distinct().where(message.pending),
        "where cannot follow distinct",
        "call it before distinct, or wrap it: query(q.alias('x')) and there call where",
    ),
    Refused(
        "where",
        lambda: start.one().where(message.pending),
        "where cannot follow one",
        "call it before one, or wrap it: query(q.alias('x')) and there call where",
    ),
    Refused(
        "where",
        lambda: start.map(str).where(message.pending),
        "where cannot follow map",
        "call it before map, or wrap it: query(q.alias('x')) and there call where",
    ),
    Refused(
        "filter",
        lambda: totals.filter(bool),
        "filter cannot follow group_by",
        "call it before group_by, or wrap it: query(q.alias('x')) and there call filter",
    ),
    Refused(
        "filter",
        lambda: start.map(str).filter(bool),
        "filter cannot follow map",
        "call it before map, or wrap it: query(q.alias('x')) and there call filter",
    ),
    Refused(
        "join",
        lambda: start.select(id=message.id).join(actor, on=message.id == actor.id),
        "join cannot follow select",
        "call it before select, or wrap it: query(q.alias('x')) and there call join",
    ),
    Refused(
        "join",
        lambda: groups.join(actor, on=message.id == actor.id),
        "join cannot follow group_by",
        "call it before group_by, or wrap it: query(q.alias('x')) and there call join",
    ),
    Refused(
        "join",
        lambda: newest.limit(3).join(actor, on=message.id == actor.id),
        "join cannot follow limit",
        "call it before limit, or wrap it: query(q.alias('x')) and there call join",
    ),
    Refused(
        "group_by",
        lambda: newest.group_by(message.id),
        "group_by cannot follow order_by",
        "call it before order_by, or wrap it: query(q.alias('x')) and there call group_by",
    ),
    Refused(
        "group_by",
        lambda: start.select(id=message.id).group_by(message.id),
        "group_by cannot follow select",
        "call it before select, or wrap it: query(q.alias('x')) and there call group_by",
    ),
    Refused(
        "group_by",
        lambda: newest.limit(3).group_by(message.id),
        "group_by cannot follow order_by",
        "call it before order_by, or wrap it: query(q.alias('x')) and there call group_by",
    ),
    Refused(
        "group_by",
        lambda: groups.group_by(message.id),
        "group_by is called twice",
        "name all keys in one call: group_by(a.x, a.y)",
    ),
    Refused(
        "having",
        lambda: totals.distinct().having(count() > 1),
        "having cannot follow distinct",
        "call it before distinct, or wrap it: query(q.alias('x')) and there call having",
    ),
    Refused(
        "having",
        lambda: totals.map(str).having(count() > 1),
        "having cannot follow map",
        "call it before map, or wrap it: query(q.alias('x')) and there call having",
    ),
    Refused(
        "having",
        lambda: totals.order_by(selected.n).limit(3).having(count() > 1),
        "having cannot follow limit",
        "call it before limit, or wrap it: query(q.alias('x')) and there call having",
    ),
    Refused(
        "select",
        lambda: start.select(id=message.id).select(role=message.role),
        "select is called twice",
        "name all columns in one call: select(a, total=a.x + 1)",
    ),
    Refused(
        "select",
        lambda: start.distinct().select(id=message.id),
        "select cannot follow distinct",
        "call it before distinct, or wrap it: query(q.alias('x')) and there call select",
    ),
    Refused(
        "select",
        lambda: start.map(str).select(id=message.id),
        "select cannot follow map",
        "call it before map, or wrap it: query(q.alias('x')) and there call select",
    ),
    Refused(
        "into",
        lambda: start.select(message).into(Message).into(Message),
        "into is called twice",
        "wrap it: query(q.alias('x'))",
    ),
    Refused(
        "into",
        lambda: start.select(message).map(str).into(Message),
        "into cannot follow map",
        "call it before map, or wrap it: query(q.alias('x')) and there call into",
    ),
    Refused(
        "distinct",
        lambda: newest.limit(3).distinct(),
        "distinct cannot follow limit",
        "call it before limit, or wrap it: query(q.alias('x')) and there call distinct",
    ),
    Refused(
        "distinct",
        lambda: start.one().distinct(),
        "distinct cannot follow one",
        "call it before one, or wrap it: query(q.alias('x')) and there call distinct",
    ),
    Refused(
        "distinct",
        lambda: start.distinct().distinct(),
        "distinct is called twice",
        "wrap it: query(q.alias('x'))",
    ),
    Refused(
        "distinct",
        lambda: start.map(str).distinct(),
        "distinct cannot follow map",
        "call it before map, or wrap it: query(q.alias('x')) and there call distinct",
    ),
    Refused(
        "order_by",
        lambda: newest.order_by(message.id),
        "order_by is called twice",
        "name all parts of the order in one call: order_by(a.x, a.y.desc())",
    ),
    Refused(
        "order_by",
        lambda: newest.limit(3).order_by(message.id),
        "order_by is called twice",
        "name all parts of the order in one call: order_by(a.x, a.y.desc())",
    ),
    Refused(
        "order_by",
        lambda: start.map(str).order_by(message.id),
        "order_by cannot follow map",
        "call it before map, or wrap it: query(q.alias('x')) and there call order_by",
    ),
    Refused(
        "limit",
        lambda: newest.limit(3).limit(2),
        "limit is called twice",
        "the query keeps one window: limit(n, offset=k)",
    ),
    Refused(
        "limit",
        lambda: newest.map(str).limit(1),
        "limit cannot follow map",
        "call it before map, or wrap it: query(q.alias('x')) and there call limit",
    ),
    Refused(
        "limit",
        lambda: newest.one().limit(1),
        "limit cannot follow one",
        "call it before one, or wrap it: query(q.alias('x')) and there call limit",
    ),
    Refused(
        "order_by",
        lambda: start.one().order_by(message.id),
        "order_by cannot follow one",
        "order_by decides which row is the first, so it comes before",
    ),
    Refused(
        "offset",
        lambda: newest.limit(3, offset=1).offset(2),
        "offset is called twice",
        "the query keeps one window: limit(n, offset=k)",
    ),
    Refused(
        "offset",
        lambda: newest.map(str).offset(2),
        "offset cannot follow map",
        "call it before map, or wrap it: query(q.alias('x')) and there call offset",
    ),
    Refused(
        "one", lambda: start.one().one(), "one is called twice", "wrap it: query(q.alias('x'))"
    ),
    Refused(
        "map",
        lambda: start.map(str).map(len),
        "map is called twice",
        "wrap it: query(q.alias('x'))",
    ),
    Refused(
        "limit",
        lambda: start.limit(3),
        "limit without order_by: which rows are the first is not said",
        "call order_by(...) before limit",
    ),
    Refused(
        "offset",
        lambda: start.offset(3),
        "offset without order_by: which rows are the first is not said",
        "call order_by(...) before offset",
    ),
    Refused(
        "limit",
        lambda: newest.limit(-1),
        "limit takes a number of rows, 0 or more, not -1",
        "without limit all rows are kept",
    ),
    Refused(
        "limit",
        lambda: newest.limit(True),
        "limit takes a number of rows, 0 or more, not True",
        "without limit all rows are kept",
    ),
    Refused(
        "limit",
        lambda: anything.order_by(message.id).limit("3"),
        "limit takes a number of rows, 0 or more, not '3'",
        "without limit all rows are kept",
    ),
    Refused(
        "offset",
        lambda: newest.offset(-1),
        "offset takes a number of rows, 0 or more, not -1",
        "without offset all rows are kept",
    ),
    Refused(
        "offset",
        lambda: newest.limit(3, offset=-1),
        "offset takes a number of rows, 0 or more, not -1",
        "without offset all rows are kept",
    ),
    Refused(
        "order_by",
        lambda: anything.order_by(),
        "order_by needs at least one expression",
        "write order_by(alias.field.desc())",
    ),
    Refused(
        "order_by",
        lambda: anything.order_by("seq"),
        "order_by takes expressions, not 'seq'",
        "write alias.field, alias.field.desc(), or selected.field for a selected column",
    ),
    Refused(
        "order_by",
        lambda: anything.order_by(message),
        "order_by takes expressions, not <Alias message>",
        "write alias.field, alias.field.desc(), or selected.field for a selected column",
    ),
    Refused(
        "order_by",
        lambda: start.order_by(selected.id),
        "selected.id in order_by before there is a select",
        "call select(...) first, then order_by",
    ),
    Refused(
        "order_by",
        lambda: anything.order_by(unfinished),
        "order_by takes expressions, not row_number(...)",
        "write alias.field, alias.field.desc(), or selected.field for a selected column",
    ),
    Refused(
        "order_by",
        lambda: start.order_by(fn(twice, message.seq)).alias("x"),
        "order_by fn(twice, message.seq): a call is ordered by as a column alone",
        "name the columns: select(id=a.id, place=fn(f, a.x)).order_by(selected.place)",
    ),
    Refused(
        "order_by",
        lambda: (
            start.select(message.meta, n=message.seq).order_by(fn(twice, message.seq)).alias("x")
        ),
        "order_by fn(twice, message.seq): a call is ordered by as a column alone",
        "name the columns: select(id=a.id, place=fn(f, a.x)).order_by(selected.place)",
    ),
    Refused(
        "order_by",
        lambda: start.select(role=message.role).distinct().order_by(message.seq).alias("x"),
        "order_by message.seq after distinct: equal rows may differ in it",
        "order by what is selected, or select it too",
    ),
    Refused(
        "order_by",
        lambda: start.select(x=lit(1)).distinct().order_by(place).alias("x"),
        "order_by row_number().over(partition_by=message.role, order_by=message.seq.desc()) after distinct: equal rows may differ in it",
        "order by what is selected, or select it too",
    ),
    Refused(
        "nulls",
        lambda: x.desc(nulls="top"),
        "nulls is 'first' or 'last', not 'top'",
        "it is where nulls stand in the result",
    ),
    Refused(
        "collation",
        lambda: x.asc(collation="nocas"),
        "unknown collation 'nocas' (did you mean 'nocase'?)",
        "one of natural, nocase, unaccented; for another order select what to sort by, select(id=a.id, place=fn(f, a.x)).order_by(selected.place)",
    ),
]
