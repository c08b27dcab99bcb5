"""What type checkers infer about queries, and what they report; nothing here is called.

mypy checks this file as part of the suite: a line marked `type: ignore` must be an error, every other
line must not. Pyright in strict mode agrees (`pyright -p tests/typing`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict, assert_type

from dataflow.query.aggregates import (
    AggregateExpr,
    aggregate,
    collect,
    count,
    first,
    fold,
    last,
    max_,
    median,
    min_,
    string_agg,
    sum_,
)
from dataflow.query.alias import Alias
from dataflow.query.builder import Query, query
from dataflow.query.expr import Expr, Order
from dataflow.query.functions import (
    case,
    cast,
    coalesce,
    concat,
    date_add,
    date_part,
    fn,
    is_null,
    length,
    lit,
    selected,
    split,
)
from dataflow.query.nesting import nested
from dataflow.query.recursion import recursive
from dataflow.query.source import Source
from dataflow.query.windows import lag, lead, row_number


@dataclass(frozen=True)
class Message:
    id: str
    role: str
    seq: int


@dataclass(frozen=True)
class Summary:
    role: str
    total: int


class Card(TypedDict):
    id: str
    known: bool


def row_types_flow_through_clauses(messages: Source[Message]) -> None:
    message = messages.alias("message")
    assert_type(message, Alias[Message])
    assert_type(query(messages), Query[Message])
    assert_type(query(message), Query[Message])
    assert_type(query(query(message)), Query[Message])
    users = (
        query(message)
        .where(message.role == "user", message.seq > 3)
        .filter(lambda row: row.seq > 3)
        .order_by(message.seq, message.id.desc(nulls="last"))
        .limit(9, offset=1)
    )
    assert_type(users, Query[Message])
    assert_type(users.alias("user"), Alias[Message])


def map_and_into_give_new_row_types(messages: Source[Message]) -> None:
    message = messages.alias("message")
    assert_type(query(message).map(lambda row: row.role), Query[str])
    selected_rows = query(message).select(message, total=message.seq + 1)
    assert_type(selected_rows, Query[dict[str, Any]])
    assert_type(selected_rows.into(Summary), Query[Summary])
    assert_type(selected_rows.into(Card), Query[Card])
    assert_type(selected_rows.map(summarize), Query[Summary])


def summarize(row: Mapping[str, Any]) -> Summary:
    return Summary(row["role"], row["total"])


def recursion_yields_dicts(messages: Source[Message]) -> None:
    message = messages.alias("message")

    def step(found: Alias[dict[str, Any]]) -> Query[dict[str, Any]]:
        return query(message).join(found, on=message.seq == found.seq).select(seq=message.seq + 1)

    assert_type(recursive(query(message).select(seq=message.seq), step), Query[dict[str, Any]])
    assert_type(recursive(messages, query, max_rounds=9), Query[dict[str, Any]])
    recursive(messages, lambda found: found)  # type: ignore[arg-type, return-value]
    recursive(message, step)  # type: ignore[arg-type]


def joins_yield_dicts_but_semi_and_anti_keep_rows(
    messages: Source[Message], cards: Source[Card]
) -> None:
    message, card = messages.alias("message"), cards.alias("card")
    matching = message.id == card.id
    assert_type(query(message).join(card, on=matching), Query[dict[str, Any]])
    assert_type(query(message).join(card, on=matching, how="left"), Query[dict[str, Any]])
    assert_type(query(message).join(card, how="cross"), Query[dict[str, Any]])
    assert_type(query(message).join(card, on=matching, how="semi"), Query[Message])
    assert_type(query(message).join(cards, on=matching, how="anti"), Query[Message])


def groups_yield_dicts(messages: Source[Message]) -> None:
    message = messages.alias("message")
    groups = (
        query(message)
        .group_by(message.role)
        .having(count() > 1)
        .select(role=message.role, total=sum_(message.seq), nested={"n": count() - 1})
        .having(selected.total > 3)
        .order_by(selected.total.desc())
    )
    assert_type(groups, Query[dict[str, Any]])


def expressions_have_types(messages: Source[Message]) -> None:
    message = messages.alias("message")
    assert_type(message.role, Expr[Any])
    assert_type(message["any name"], Expr[Any])
    assert_type(message.meta["author"][0], Expr[Any])
    assert_type(message.role == "user", Expr[bool])
    assert_type(message.role != "user", Expr[bool])
    assert_type((message.seq > 1) & ~message.role.in_(["user"]), Expr[bool])
    assert_type(1 - message.seq, Expr[Any])
    assert_type(message.seq.desc(), Order)
    assert_type(is_null(message), Expr[bool])
    assert_type(coalesce(message.role, "none"), Expr[Any])
    assert_type(concat(message.role, ":", message.seq), Expr[str])
    assert_type(length(message.role), Expr[int])
    assert_type(lit(0), Expr[int])
    assert_type(case((message.seq > 1, "late"), else_="early"), Expr[Any])
    assert_type(cast(message.role, int), Expr[int])
    assert_type(cast(message.role, datetime), Expr[datetime])
    assert_type(split(message.role, ","), Expr[list[str]])
    assert_type(date_part(message.role, "week"), Expr[int])
    date_part(message.role, "fortnight")  # type: ignore[arg-type]  # no part of a time
    date_add(message.role, 1, "weeks")  # type: ignore[arg-type]  # no unit


def functions_of_the_user_are_checked(messages: Source[Message]) -> None:
    message = messages.alias("message")
    assert_type(fn(lambda row: row.seq, message), Expr[int])
    assert_type(fn(str.upper, message.role), Expr[str])
    assert_type(fn(scaled, message.seq, lit(2)), Expr[float])
    assert_type(fn(max, message.seq, 1, 2, 3), Expr[Any])
    fn(scaled, message.seq, lit("2"))  # type: ignore[arg-type]  # no number
    fn(lambda row: row.sequence, message)  # type: ignore[attr-defined]  # a field that is not there


def scaled(number: int, by: int) -> float:
    return number / by


def aggregates_have_types(messages: Source[Message]) -> None:
    message = messages.alias("message")
    assert_type(count(), AggregateExpr[int])
    assert_type(count().where(message.seq > 1), AggregateExpr[int])
    assert_type(count() - 1, Expr[Any])
    assert_type(collect(message, order_by=message.seq), AggregateExpr[list[Message]])
    assert_type(collect(concat(message.role)), AggregateExpr[list[str]])
    assert_type(first(message), AggregateExpr[Message])
    assert_type(last(message, order_by=[message.role, message.seq.desc()]), AggregateExpr[Message])
    assert_type(min_(length(message.role)), AggregateExpr[int])
    assert_type(max_(message.seq), AggregateExpr[Any])
    assert_type(query(message).one(), Query[Message])
    assert_type(nested(query(message).where(message.role == "user")), Expr[Any])
    assert_type(median(message.seq), AggregateExpr[Any])
    assert_type(string_agg(message.role, ", "), AggregateExpr[str])
    assert_type(
        aggregate(message, 0, lambda n, row: n + row.seq, lambda n, row: n - row.seq),
        AggregateExpr[int],
    )
    aggregate(message, 0, lambda n, row: n + row.sequence, lambda n, row: n)  # type: ignore[attr-defined]  # a field that is not there
    assert_type(row_number().over(order_by=message.seq), Expr[int])
    assert_type(lag(message, 2).over(order_by=message.seq.desc()), Expr[Message])
    assert_type(lead(length(message.role)).over(order_by=[message.seq]), Expr[int])
    assert_type(count().over(partition_by=[message.role, message.seq]), Expr[int])
    row_number().over(partition_by=message.role)  # type: ignore[call-arg]  # without an order
    assert_type(fold(message, set[str], add_role), AggregateExpr[set[str]])
    assert_type(fold(message, 0, lambda total, row: total + row.seq), AggregateExpr[int])
    assert_type(
        fold(message, "", lambda text, row: text + row.role, finish=lambda text: len(text)),
        AggregateExpr[int],
    )


def add_role(roles: set[str], row: Message) -> set[str]:
    return roles | {row.role}


def mistakes_are_reported(messages: Source[Message]) -> None:
    message = messages.alias("message")
    start = query(message)
    start.where(lambda row: row.seq > 1)  # type: ignore[arg-type]  # belongs in filter
    start.where(message.role is None)  # type: ignore[arg-type]  # a plain bool
    start.where(not message.pending)  # type: ignore[arg-type]  # a plain bool
    start.where(message.role in ("user", "agent"))  # type: ignore[arg-type]  # a plain bool
    start.filter(message.role == "user")  # type: ignore[arg-type]  # belongs in where
    start.filter(lambda row: row.contnt)  # type: ignore[attr-defined]  # no such field
    start.map(lambda row: row.contnt)  # type: ignore[attr-defined]  # no such field
    start.join(messages, on=message.id == 1, how="outer")  # type: ignore[call-overload]  # no kind
    start.join(messages, how="left")  # type: ignore[call-overload]  # without on
    start.order_by("seq")  # type: ignore[arg-type]  # a text is no column
    start.select(kind="user")  # type: ignore[arg-type]  # a constant is lit("user")
    message.seq.desc(nulls="top")  # type: ignore[arg-type]  # first or last
    message.seq.upper()  # type: ignore[attr-defined]  # a function, not a method
