"""What type checkers infer about live results, their changes and what runs once. Checked, never run."""

from typing import Any, assert_type

from dataflow.collection.changes import Change
from dataflow.collection.collection import Collection
from dataflow.live.live import LiveQuery, live, run
from dataflow.query.alias import Alias
from dataflow.query.builder import Query, query
from dataflow.query.combining import except_, intersect, union, union_all
from dataflow.query.source import Source
from dataflow.query.unnesting import unnest
from tests.typing.queries import Card, Message, Summary


def collections_have_rows(messages: Collection[Message]) -> None:
    assert_type(messages["m1"], Message)
    assert_type(messages.rows(), list[Message])
    assert_type(messages.alias("message"), Alias[Message])
    assert_type(Collection("messages", row=Message, key="id"), Collection[Message])
    assert_type(Collection("open", key="id"), Collection[dict[str, Any]])


async def results_have_the_rows_of_their_query(messages: Source[Message]) -> None:
    message = messages.alias("message")
    users = live(query(message).where(message.role == "user").order_by(message.seq).limit(3))
    assert_type(users, LiveQuery[Message])
    assert_type(users.rows(), list[Message])
    assert_type(users["m1"], Message)
    assert_type(users.get("m1"), Message | None)
    async with users.changes(initial=True) as epochs:
        async for changes in epochs:
            assert_type(changes, list[Change[Message]])
            assert_type(changes[0].value, Message)  # never None
    assert_type(live(query(users).map(lambda row: row.seq)), LiveQuery[int])
    cards = query(message).select(id=message.id, known=message.seq > 1).into(Card)
    assert_type(run(cards), list[Card])
    assert_type(run(query(message).select(message).into(Summary)), list[Summary])
    assert_type(run(query(message).select(n=message.seq)), list[dict[str, Any]])


def sets_of_rows_have_the_rows_of_their_operands(messages: Source[Message]) -> None:
    message = messages.alias("message")
    late = query(message).where(message.seq > 3)
    assert_type(union(late, messages), Query[Message])
    assert_type(union_all(late, late), Query[Message])
    assert_type(intersect(late, messages), Query[Message])
    assert_type(except_(messages, late), Query[Message])
    assert_type(unnest(late, "seq", position="n"), Query[dict[str, Any]])


def joins_take_several_conditions(messages: Source[Message], cards: Source[Card]) -> None:
    message, card = messages.alias("message"), cards.alias("card")
    both = [message.id == card.id, message.seq > 1]
    assert_type(query(message).join(card, on=both), Query[dict[str, Any]])
    assert_type(query(message).join(card, on=tuple(both), how="semi"), Query[Message])


def mistakes_about_results_are_reported(messages: Collection[Message]) -> None:
    message = messages.alias("message")
    result = live(query(message))
    _ = result.rows()[0].contnt  # type: ignore[attr-defined]  # no such field
    result.subscribe(lambda: None)  # type: ignore[arg-type, misc]  # it gets the changes
    query(message).group_by(role=message.role)  # type: ignore[arg-type]  # keys have no names
    query(message).orderby(message.seq)  # type: ignore[attr-defined]  # no such clause
