"""Queries that mean nothing, or not what they seem to, are refused while they are built."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

from dataflow.errors import QueryError, UnknownFieldError
from dataflow.query.aggregates import all_, any_, collect, count, fold, last, string_agg, sum_
from dataflow.query.builder import query
from dataflow.query.functions import and_, case, coalesce, concat, facts, fn, lit, or_, selected
from tests.dataflow.query.sources import ACTORS, EVENTS, MESSAGES, Actor, Message

message = MESSAGES.alias("message")
actor = ACTORS.alias("actor")
event = EVENTS.alias("event")
start = query(message)
groups = start.group_by(message.role)
totals = groups.select(role=message.role, n=count())
newest = start.order_by(message.seq)
left = start.join(actor, on=message.role == actor.role, how="left")
anything: Any = start  # for calls that a type checker refuses, too
nothing: Any = start is None


async def later(row: Any) -> bool:
    return bool(row)


async def many(row: Any) -> AsyncIterator[Any]:
    yield row


class Later:
    async def __call__(self, row: Any) -> bool:
        return bool(row)


asynchronous: Any = later


def wrapped(clause: str) -> str:
    return f"wrap it: query(q.alias('x')); there call {clause}"


Case = tuple[Callable[[], object], str, str]

CONDITIONS: list[Case] = [
    (
        lambda: anything.where(message.role is None),
        "where got the plain bool False: Python has computed it before the query exists",
        "not, is, in and == between plain values do that: write ~x, x.is_null(), x.in_(...)",
    ),
    (
        lambda: anything.join(actor, on=True),
        "on got the plain bool True: Python has computed it before the query exists",
        "always true is lit(True)",
    ),
    (
        lambda: groups.having(nothing),
        "having got the plain bool False: Python has computed it before the query exists",
        "always true is lit(True)",
    ),
    (
        lambda: anything.where(len),
        "where takes an expression, not a function: <built-in function len>",
        "a function of the row goes into filter(...)",
    ),
    (
        lambda: anything.where(message),
        "where takes a condition, not an alias",
        "compare a field of it",
    ),
    (
        lambda: anything.where("role = 'user'"),
        "where takes a condition, not \"role = 'user'\"",
        "always true is lit(True)",
    ),
    (
        lambda: start.where(count() > 1),
        "aggregate 'count()' in where, which looks at single rows",
        "a condition on groups belongs in having(...), after group_by",
    ),
    (
        lambda: start.where(selected.total > 1),
        "selected.total in where: selected columns exist in having and order_by",
        "name the column of the alias it was selected from",
    ),
    (
        lambda: start.having(message.seq > 1),
        "having without group_by: there are no groups",
        "a condition on rows is where(...)",
    ),
    (
        lambda: groups.having(message.seq > 1),
        "'message.seq' in having is neither grouped nor aggregated",
        "the query is grouped by message.role",
    ),
    (
        lambda: count().where(nothing),
        "where of an aggregate got the plain bool False: "
        "Python has computed it before the query exists",
        "always true is lit(True)",
    ),
    (
        lambda: and_(message.pending, nothing),
        "and_ got the plain bool False: Python has computed it before the query exists",
        "always true is lit(True)",
    ),
    (lambda: or_(), "or_ needs at least one condition", "always true is lit(True)"),
    (
        lambda: any_(anything),
        "any_ takes a condition, not a query",
        "compare a field of it",
    ),
]

FUNCTIONS: list[Case] = [
    (
        lambda: anything.filter(message.role == "user"),
        "filter takes a function, not an expression",
        "an expression goes into where(...)",
    ),
    (
        lambda: anything.map(message.role),
        "map takes a function, not an expression",
        "an expression goes into select(name=expression)",
    ),
    (lambda: anything.map("role"), "map takes a function, not 'role'", ""),
    (
        lambda: start.filter(later),
        f"filter cannot call a coroutine function: {later!r}",
        "queries never await; fetch the data first and write it to a collection",
    ),
    (lambda: start.map(many), f"map cannot call a coroutine function: {many!r}", "never await"),
    (
        lambda: fn(partial(later), message.role),
        "fn cannot call a coroutine function: functools.partial(<function later",
        "never await",
    ),
    (lambda: start.map(Later()), "map cannot call a coroutine function: <", "never await"),
    (
        lambda: fold(message, 0, anything),
        "fold takes a function, not a query",
        "write fold(values, initial, lambda state, value: ...)",
    ),
    (
        lambda: fold(message, ["a"], lambda roles, row: [*roles, row.role]),
        "fold begins with the mutable value ['a'], which all groups would share",
        "pass what makes a fresh one: list, or lambda: ...",
    ),
    (lambda: fold(message.seq, asynchronous, max), "fold cannot call a coroutine", "never await"),
]

ALIASES: list[Case] = [
    (
        lambda: start.where(event.kind == 1).columns,
        "unknown alias 'event' in where",
        "this query knows 'message'; join(source.alias('event'), on=...) adds another",
    ),
    (
        lambda: start.order_by(MESSAGES.alias("mesage").seq),
        "unknown alias 'mesage' in order_by (did you mean 'message'?)",
        "this query knows 'message'",
    ),
    (
        lambda: start.select(event.kind["name"]),
        "unknown alias 'event' in select",
        "this query knows 'message'",
    ),
    (
        lambda: start.group_by(EVENTS.alias("message").role),
        "alias 'message' in group_by stands for source 'events', "
        "but in this query for source 'messages'",
        "use the alias the query was built with, or another name for the second one",
    ),
    (
        lambda: query(totals.alias("message")).where(message.seq > 1),
        "alias 'message' in where stands for source 'messages', "
        "but in this query for a subquery of 'messages'",
        "use the alias the query was built with, or another name for the second one",
    ),
    (
        lambda: message.role == EVENTS.alias("message").role,
        "alias 'message' stands for two different sources in one expression",
        "give one of the two another name: source.alias('other')",
    ),
    (
        lambda: start.join(ACTORS.alias("message"), on=message.id == message.role),
        "alias 'message' is used twice in one query",
        "give one of the two another name: source.alias('other')",
    ),
    (
        lambda: start.join(actor, on=message.role == actor.role, how="semi").where(actor.id == "a"),
        "alias 'actor' cannot be named in where: it only decides a semi or anti join",
        "the join keeps the rows of its left side; for columns of both use inner or left",
    ),
]

JOINS: list[Case] = [
    (
        lambda: start.join(actor, on=message.id == message.role),
        "on=message.id == message.role does not relate 'message' to 'actor'",
        "compare a column of the one with a column of the other; without any use how='cross'",
    ),
    (
        lambda: start.join(actor, on=lit(value=True)),
        "on=True does not relate 'message' to 'actor'",
        "a condition on one side alone belongs in where(...)",
    ),
    (
        lambda: anything.join(actor, on=message.id == actor.id, how="outer"),
        "unknown kind of join 'outer'",
        "one of inner, left, right, full, semi, anti, cross",
    ),
    (
        lambda: anything.join(actor),
        "join of 'actor' without on",
        "write on=a.x == b.y; how='cross' pairs all rows",
    ),
    (
        lambda: anything.join(actor, on=message.id == actor.id, how="cross"),
        "a cross join takes no on: it pairs all rows",
        "how='inner' takes on",
    ),
    (
        lambda: start.join(actor, on=sum_(message.seq) == actor.id),
        "aggregate 'sum_(message.seq)' in on, which looks at single rows",
        "a condition on groups belongs in having(...), after group_by",
    ),
    (
        lambda: anything.join(query(actor), on=message.id == actor.id),
        "join takes a collection, a live result or an alias, not a query",
        "a query gets a name by q.alias('x')",
    ),
    (
        lambda: query([{"id": 1}]),  # type: ignore[arg-type]  # rows are no source
        "query takes a collection, a live result or an alias, not [{'id': 1}]",
        "",
    ),
]

PLACES: list[Case] = [
    (lambda: newest.limit(3).where(message.pending), "where cannot follow limit", wrapped("where")),
    (
        lambda: groups.where(message.pending),
        "where cannot follow group_by",
        "where looks at rows of the sources; a condition on groups is having(...)",
    ),
    (lambda: totals.filter(bool), "filter cannot follow group_by", wrapped("filter")),
    (
        lambda: start.select(id=message.id).join(actor, on=message.id == actor.id),
        "join cannot follow select",
        wrapped("join"),
    ),
    (lambda: newest.group_by(message.id), "group_by cannot follow order_by", wrapped("group_by")),
    (
        lambda: groups.group_by(message.id),
        "group_by is called twice",
        "name all keys in one call: group_by(a.x, a.y)",
    ),
    (
        lambda: newest.order_by(message.id),
        "order_by is called twice",
        "name all parts of the order in one call: order_by(a.x, a.y.desc())",
    ),
    (
        lambda: newest.limit(3).order_by(message.id),
        "order_by is called twice",
        "name all parts of the order in one call: order_by(a.x, a.y.desc())",
    ),
    (lambda: newest.limit(3).limit(2), "limit is called twice", "limit(n, offset=k)"),
    (lambda: newest.limit(3, offset=1).offset(2), "offset is called twice", "limit(n, offset=k)"),
    (
        lambda: start.select(id=message.id).select(role=message.role),
        "select is called twice",
        "name all columns in one call: select(a, total=a.x + 1)",
    ),
    (lambda: start.map(str).map(len), "map is called twice", "wrap it: query(q.alias('x'))"),
    (
        lambda: start.map(str).select(id=message.id),
        "select cannot follow map",
        wrapped("select"),
    ),
    (
        lambda: start.map(str).order_by(message.id),
        "order_by cannot follow map",
        "order_by decides which rows a limit keeps, so it comes first",
    ),
    (
        lambda: newest.map(str).limit(1),
        "limit cannot follow map",
        wrapped("limit"),
    ),
    (
        lambda: start.limit(3),
        "limit without order_by: which rows are the first is not said",
        "call order_by(...) before limit",
    ),
    (
        lambda: start.offset(3),
        "offset without order_by: which rows are the first is not said",
        "call order_by(...) before offset",
    ),
    (lambda: newest.limit(-1), "limit takes a number of rows, 0 or more, not -1", ""),
    (lambda: newest.limit(True), "limit takes a number of rows, 0 or more, not True", ""),
    (lambda: anything.order_by(), "order_by needs at least one expression", ""),
    (
        lambda: anything.order_by("seq"),
        "order_by takes expressions, not 'seq'",
        "write alias.field, alias.field.desc(), or selected.field for a selected column",
    ),
    (
        lambda: start.order_by(selected.id),
        "selected.id in order_by before there is a select",
        "call select(...) first, then order_by",
    ),
]

ROWS: list[Case] = [
    (
        lambda: start.select(),
        "select without columns",
        "write select(alias) or select(name=expression)",
    ),
    (
        lambda: anything.select(kind="user"),
        "column 'kind' of select takes an expression, not 'user'",
        "a constant is lit(value)",
    ),
    (
        lambda: anything.select(nested={"known": message is None}),
        "column 'known' of select takes an expression, not False",
        "a constant is lit(value)",
    ),
    (
        lambda: anything.select("role"),
        "select takes an expression, not 'role'",
        "positional arguments are spread; name a column: select(total=expression)",
    ),
    (
        lambda: anything.select(total=totals),
        "column 'total' of select takes an expression, not a query",
        "a constant is lit(value)",
    ),
    (
        lambda: start.select(message.role, n=count()),
        "'message.role' in select is neither grouped nor aggregated",
        "the query is grouped by the whole input as one group",
    ),
    (
        lambda: groups.select(row=message),
        "'message' in select is neither grouped nor aggregated",
        "add it to group_by, or aggregate it: first(x), max_(x), collect(x)",
    ),
    (
        lambda: totals.order_by(message.seq),
        "'message.seq' in order_by is neither grouped nor aggregated",
        "the query is grouped by message.role",
    ),
    (
        lambda: newest.select(n=count()),
        "'message.seq' in order_by is neither grouped nor aggregated",
        "the query is grouped by the whole input as one group",
    ),
    (
        lambda: start.select(message, message.meta).order_by(selected.role),
        "selected.role may come from 'message.meta', whose fields are not known",
        "name the column: select(..., role=expression)",
    ),
    (
        lambda: start.order_by(count()),
        "aggregate 'count()' in order_by of a query without groups",
        "call group_by first; group_by() makes the whole input one group",
    ),
    (
        lambda: anything.group_by("role"),
        "group_by takes an expression, not 'role'",
        "name a field: group_by(alias.field)",
    ),
    (
        lambda: anything.group_by(message),
        "group_by takes an expression, not an alias",
        "name a field: group_by(alias.field)",
    ),
    (
        lambda: groups.alias("group"),
        "group_by without select: its groups have no columns yet",
        "name them: .select(key=alias.field, n=count())",
    ),
    (
        lambda: groups.map(str),
        "map after group_by, without select",
        "select the columns of the group first",
    ),
    (
        lambda: start.into(Message),
        "into without select: there is no new row to build",
        "write .select(...).into(T), or .map(T) to call T with each row",
    ),
    (lambda: anything.select(message).into("Message"), "into takes a class, not 'Message'", ""),
    (
        lambda: list(start),
        "a query has no rows to iterate",
        "run(q) computes them once, live(q) keeps them",
    ),
    (lambda: anything.alias(None), "the name of an alias is a text, not None", ""),
]

ARGUMENTS: list[Case] = [
    (
        lambda: sum_(count()),
        "aggregate 'count()' stands inside another aggregate",
        "aggregate twice: group in a subquery, then group query(q.alias('x')) again",
    ),
    (
        lambda: collect(message, order_by=selected.total),
        "selected.total is a column of the result and cannot be aggregated in it",
        "aggregate the column of the source",
    ),
    (
        lambda: sum_(message),  # type: ignore[arg-type]  # a row is no number
        "sum_ takes a column, not a whole row",
        "name a field of the alias",
    ),
    (
        lambda: last("seq"),  # type: ignore[arg-type]  # a text is no column
        "aggregate last takes an expression, not 'seq'",
        "",
    ),
    (
        lambda: string_agg(message.role, 1),  # type: ignore[arg-type]  # no text
        "the separator of string_agg is a text, not 1",
        "",
    ),
    (
        lambda: all_(message),  # type: ignore[arg-type]  # a row is no condition
        "all_ takes a condition, not an alias",
        "compare a field of it",
    ),
    (
        lambda: case(message.pending, "yes"),  # type: ignore[arg-type]  # no pair
        "case takes pairs (condition, value), not <Expr message.pending>",
        "",
    ),
    (lambda: case(), "case needs at least one (condition, value)", ""),
    (lambda: coalesce(), "coalesce needs at least one value", ""),
    (lambda: concat(), "concat needs at least one text", ""),
    (
        lambda: lit(message.role),
        "lit takes a constant; this already is a part of a query",
        "",
    ),
    (
        lambda: selected[0],  # type: ignore[index]  # no name
        "brackets of selected take the name of a column, not 0",
        "",
    ),
    (lambda: lit(len), "a function stands where lit expects a value: <built-in", "fn(function"),
    (
        lambda: facts(totals.alias("total")),
        "alias 'total' stands for a subquery, whose rows have no facts",
        "select the facts inside the subquery",
    ),
    (
        lambda: facts(MESSAGES),  # type: ignore[arg-type]  # no alias
        "facts takes an alias, not ",
        "write facts(source.alias('x'))",
    ),
]


@pytest.mark.parametrize(
    ("build", "text", "hint"),
    [*CONDITIONS, *FUNCTIONS, *ALIASES, *JOINS, *PLACES, *ROWS, *ARGUMENTS],
)
def test_a_query_that_means_nothing_is_refused(
    build: Callable[[], object], text: str, hint: str
) -> None:
    with pytest.raises(QueryError) as caught:
        build()
    assert str(caught.value).startswith(text)
    assert hint in "\n".join(getattr(caught.value, "__notes__", []))


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: message.contnt, "alias 'message' has no field 'contnt' (did you mean 'content'?)"),
        (lambda: message["colour"], "alias 'message' has no field 'colour'"),
        (lambda: totals.alias("total").m, "alias 'total' has no field 'm'"),
        (
            lambda: totals.order_by(selected.rol),
            "select has no field 'rol' (did you mean 'role'?)",
        ),
        (lambda: left.alias("pair").mesage, "alias 'pair' has no field 'mesage'"),
        (
            lambda: start.select(id=message.id, nam=message.role).into(Actor),
            "row type 'Actor' has no field 'nam' (did you mean 'name'?)",
        ),
    ],
)
def test_a_field_that_does_not_exist_is_refused(build: Callable[[], object], text: str) -> None:
    with pytest.raises(UnknownFieldError) as caught:
        build()
    assert str(caught.value).startswith(text)
