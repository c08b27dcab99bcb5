"""Conditions of where and having that are none, and what they may not look at."""

from __future__ import annotations

from dataflow.query.aggregates import all_, any_, count
from dataflow.query.functions import and_, not_, or_, selected
from dataflow.query.nesting import nested
from tests.dataflow.query.refused.parts import (
    Refused,
    anything,
    false,
    grouped,
    groups,
    message,
    mine,
    place,
    ranked,
    row,
    start,
    x,
)

REFUSED: list[Refused] = [
    Refused(
        "where",
        lambda: anything.where(message.role is None),
        "where got the plain bool False: Python has computed it before the query exists",
        "not, is, in and == between plain values do that: write ~x, x.is_null(), x.in_(...)",
    ),
    Refused(
        "where",
        lambda: anything.where(len),
        "where takes an expression, not a function: <built-in function len>",
        "a function of the row goes into filter(...)",
    ),
    Refused(
        "where",
        lambda: anything.where(lambda row: row.pending),
        "where takes an expression, not a function: ...",
        "a function of the row goes into filter(...)",
    ),
    Refused(
        "where",
        lambda: anything.where(message),
        "where takes a condition, not an alias",
        "an alias is a whole row: name a field of it, or ask is_null(alias)",
    ),
    Refused(
        "where",
        lambda: anything.where("role = 'user'"),
        "where takes a condition, not \"role = 'user'\"",
        "compare a column: alias.field == value; always true is lit(True)",
    ),
    Refused(
        "where",
        lambda: anything.where(message.seq.desc()),
        "where takes a condition, not an order",
        "asc and desc belong in order_by",
    ),
    Refused(
        "where",
        lambda: anything.where(None),
        "where takes a condition, not None",
        "compare a column: alias.field == value; always true is lit(True)",
    ),
    Refused(
        "where",
        lambda: start.where(count() > 1),
        "aggregate 'count()' in where, which looks at single rows",
        "a condition on groups belongs in having(...), after group_by",
    ),
    Refused(
        "where",
        lambda: start.where(nested(mine.one())["id"] == 1),
        "nested(one row) in where: nested queries belong in select",
        "to use one elsewhere wrap the query: query(q.alias('x'))",
    ),
    Refused(
        "where",
        lambda: start.where(place <= 3),
        "window function 'row_number().over(partition_by=message.role, order_by=message.seq.desc())' in where, which comes before it is computed",
        "name it in select, and look at it in a subquery: r = q.alias('r'); query(r).where(r.position <= 3)",
    ),
    Refused(
        "where",
        lambda: start.where(selected.total > 1),
        "selected.total in where: selected columns exist in having and order_by",
        "name the column of the alias it was selected from",
    ),
    Refused(
        "having",
        lambda: groups.having(false),
        "having got the plain bool False: Python has computed it before the query exists",
        "not, is, in and == between plain values do that: write ~x, x.is_null(), x.in_(...)",
    ),
    Refused(
        "having",
        lambda: start.having(message.seq > 1),
        "having without group_by: there are no groups",
        "a condition on rows is where(...)",
    ),
    Refused(
        "having",
        lambda: start.select(n=count()).having(message.seq > 1),
        "'message.seq' in having is neither grouped nor aggregated",
        "the query is grouped by the whole input as one group",
    ),
    Refused(
        "having",
        lambda: groups.having(message.seq > 1),
        "'message.seq' in having is neither grouped nor aggregated",
        "the query is grouped by message.role",
    ),
    Refused(
        "having",
        lambda: groups.having(place > 1),
        "window function 'row_number().over(partition_by=message.role, order_by=message.seq.desc())' in having, which comes before it is computed",
        "name it in select, and look at it in a subquery: r = q.alias('r'); query(r).where(r.position <= 3)",
    ),
    Refused(
        "having",
        lambda: ranked.having(selected.place < 3),
        "window function 'rank().over(order_by=count())' in having, which comes before it is computed",
        "name it in select, and look at it in a subquery: r = q.alias('r'); query(r).where(r.position <= 3)",
    ),
    Refused(
        "having",
        lambda: grouped.having(len),
        "having takes an expression, not a function: <built-in function len>",
        "a function of the row goes into filter(...)",
    ),
    Refused(
        "where of an aggregate",
        lambda: count().where(false),
        "where of an aggregate got the plain bool False: Python has computed it before the query exists",
        "not, is, in and == between plain values do that: write ~x, x.is_null(), x.in_(...)",
    ),
    Refused(
        "and_",
        lambda: and_(message.pending, false),
        "and_ got the plain bool False: Python has computed it before the query exists",
        "not, is, in and == between plain values do that: write ~x, x.is_null(), x.in_(...)",
    ),
    Refused(
        "and_", lambda: and_(), "and_ needs at least one condition", "always true is lit(True)"
    ),
    Refused("or_", lambda: or_(), "or_ needs at least one condition", "always true is lit(True)"),
    Refused(
        "not_",
        lambda: not_(row),
        "not_ takes a condition, not an alias",
        "an alias is a whole row: name a field of it, or ask is_null(alias)",
    ),
    Refused(
        "any_",
        lambda: any_(anything),
        "any_ takes a condition, not a query",
        "name a column of it: q.alias('x').column; its rows in a column are nested(q)",
    ),
    Refused(
        "all_",
        lambda: all_(row),
        "all_ takes a condition, not an alias",
        "an alias is a whole row: name a field of it, or ask is_null(alias)",
    ),
    Refused(
        "&",
        lambda: x == 1 & x,
        "& takes a condition, not 1",
        "compare a column: alias.field == value; always true is lit(True)",
    ),
    Refused(
        "&",
        lambda: 1 & x,
        "& takes a condition, not 1",
        "compare a column: alias.field == value; always true is lit(True)",
    ),
    Refused(
        "|",
        lambda: x | 0,
        "| takes a condition, not 0",
        "compare a column: alias.field == value; always true is lit(True)",
    ),
    Refused(
        "|",
        lambda: 0 | x,
        "| takes a condition, not 0",
        "compare a column: alias.field == value; always true is lit(True)",
    ),
]
