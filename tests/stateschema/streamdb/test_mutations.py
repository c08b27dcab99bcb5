"""What users write into the collections of a StreamDB: shown, appended, and confirmed by the stream."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from typing_extensions import override

from dataflow import Change, CollectionError, Transaction, TransactionError, batch
from stateschema.errors import SchemaError
from stateschema.events import Event
from stateschema.stream.memory import MemoryStream
from stateschema.stream.offset import Offset
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.db import StreamDB
from tests.stateschema.streamdb.chat import (
    Chat,
    Message,
    Presence,
    change,
    control,
    events,
    message,
)


async def appended(stream: MemoryStream) -> list[Any]:
    """Return the events of a stream without their txids, and the number of distinct txids."""
    found = (await stream.read()).messages
    txids = {each["headers"].pop("txid", None) for each in found}
    return [*found, len(txids)]


def test_an_insert_is_shown_at_once_and_confirmed_by_the_stream() -> None:
    async def scenario() -> None:
        stream = MemoryStream("chat")
        async with StreamDB(Chat, stream=stream) as db:
            messages, seen = db.collections.messages, []
            messages.subscribe(lambda changes: seen.append(changes))
            tx = messages.insert(Message(id="1", text="a", reply_to="0"))
            assert (tx.state, messages["1"].text) == ("persisting", "a")
            await tx
            assert tx.state == "completed"
            assert seen == [[Change("insert", "1", Message(id="1", text="a", reply_to="0"), None)]]
        value = {"id": "1", "text": "a", "replyTo": "0"}
        assert await appended(stream) == [change("message", "1", "insert", value), 1]

    asyncio.run(scenario())


def test_updates_and_deletes_are_appended_too() -> None:
    async def scenario() -> None:
        stream = MemoryStream("chat")
        await stream.append(events([message("1", "a"), message("2", "b")]))
        async with StreamDB(Chat, stream=stream) as db:
            messages = db.collections.messages
            await messages.update("1", text="c")
            await messages.delete("2")
            await db.collections.counters.insert({"id": 7, "n": 1})
            assert dict(messages) == {"1": Message(id="1", text="c")}
        assert (await appended(stream))[2:] == [
            change("message", "1", "update", {"id": "1", "text": "c", "replyTo": None}),
            change("message", "2", "delete"),
            change("counter", "7", "insert", {"id": 7, "n": 1}),
            4,  # the first two events had none
        ]

    asyncio.run(scenario())


def test_an_update_sends_no_field_that_somebody_else_has_pending() -> None:
    async def scenario() -> None:
        stream = MemoryStream("chat")
        await stream.append(events([message("1", "a")]))
        async with StreamDB(Chat, stream=stream) as db:
            messages = db.collections.messages
            pending = Transaction(mutation_fn=lambda tx: None)
            with pending:
                messages.update("1", text="unsent")
            await messages.update("1", reply_to="0")
            assert messages["1"] == Message(id="1", text="unsent", reply_to="0")
            pending.rollback()
            assert messages["1"] == Message(id="1", text="a", reply_to="0")

    asyncio.run(scenario())


def test_a_transaction_over_several_collections_is_one_append_with_one_txid() -> None:
    async def scenario() -> None:
        stream = MemoryStream("chat")
        async with StreamDB(Chat, stream=stream) as db:
            tx = Transaction(mutation_fn=db.persist)
            with tx:
                db.collections.messages.insert(Message(id="1", text="a"))
                db.collections.counters.insert({"id": 1, "n": 1})
            await tx.commit()
            assert len(db.collections.messages) == len(db.collections.counters) == 1
        assert (await appended(stream))[-1] == 1

    asyncio.run(scenario())


class Refusing(MemoryStream):
    """Takes no appends."""

    @override
    async def append(self, events: Event | Iterable[Event], /) -> Offset:
        raise PermissionError("read-only")


def test_what_the_stream_refuses_is_rolled_back() -> None:
    async def scenario() -> None:
        async with StreamDB(Chat, stream=Refusing("chat")) as db:
            messages = db.collections.messages
            with pytest.raises(TransactionError, match="PermissionError: read-only"):
                await messages.insert(Message(id="1", text="a"))
            assert dict(messages) == {}

    asyncio.run(scenario())


def test_invalid_rows_are_refused_before_anything_is_shown() -> None:
    async def scenario() -> None:
        async with StreamDB(Chat, stream=MemoryStream("chat")) as db:
            with pytest.raises(CollectionError, match="collection 'counters': field 'n': input"):
                db.collections.counters.insert({"id": 1, "n": "many"})
            assert dict(db.collections.counters) == {}

    asyncio.run(scenario())


def test_collections_of_something_else_are_none_of_its_business() -> None:
    async def scenario() -> None:
        async with (
            StreamDB(Chat, stream=MemoryStream("chat")) as one,
            StreamDB(Chat, stream=MemoryStream("chat")) as other,
        ):
            tx = Transaction(mutation_fn=one.persist)
            with tx:
                other.collections.messages.insert(Message(id="1", text="a"))
            with pytest.raises(TransactionError, match="collection 'messages' is none of Chat"):
                await tx.commit()
            assert isinstance(tx.error, SchemaError)

    asyncio.run(scenario())


def test_two_clients_that_write_the_same_row_end_equal() -> None:
    async def scenario() -> None:
        stream = MemoryStream("chat")
        await stream.append(events([message("1", "a")]))
        async with StreamDB(Chat, stream=stream) as one, StreamDB(Chat, stream=stream) as other:
            made = [
                one.collections.messages.update("1", text="one"),
                other.collections.messages.update("1", text="other"),
                other.collections.messages.update("1", reply_to="0"),
            ]
            assert one.collections.messages["1"].text == "one"
            assert other.collections.messages["1"].text == "other"
            for tx in made:
                await tx
            await stream.append(events([message("2", txid="last")]))
            await one.wait_txid("last")
            await other.wait_txid("last")
            assert dict(one.collections.messages) == dict(other.collections.messages)
            assert len(one.collections.messages) == 2

    asyncio.run(scenario())


def test_without_a_loop_the_blocking_one_appends_and_polls() -> None:
    stream = MemoryStream("chat")
    with BlockingStreamDB(Chat, stream=stream) as db:
        messages = db.collections.messages
        tx = messages.insert(Message(id="1", text="a"))
        assert (tx.state, tx.error) == ("completed", None)
        assert messages["1"] == Message(id="1", text="a")
        with batch():
            messages.update("1", text="b")
            db.collections.counters.insert({"id": 1, "n": 1})
        assert (messages["1"].text, len(db.collections.counters)) == ("b", 1)


# -- what is pending does not leak into what is synced -----------------------------------------------------------------


def test_events_that_merge_do_so_beneath_what_is_pending() -> None:
    async def scenario() -> None:
        stream = MemoryStream("chat")
        row = {"actor": "ann", "device": "x", "name": "Ann"}
        await stream.append(events([change("presence", "ann:x", "insert", row)]))
        async with StreamDB(Chat, stream=stream) as db:
            presence = db.collections.presence
            pending = Transaction(mutation_fn=lambda tx: None)
            with pending:
                presence.update("ann:x", name="unsent")
            await stream.append(
                events([change("presence", "ann:x", "update", {"status": "away"}, txid="t")])
            )
            await db.wait_txid("t")
            assert presence["ann:x"] == Presence(
                actor="ann", device="x", name="unsent", status="away"
            )
            pending.rollback()
            assert presence["ann:x"] == Presence(actor="ann", device="x", name="Ann", status="away")

    asyncio.run(scenario())


def test_the_end_of_a_snapshot_removes_rows_whose_deletion_is_pending() -> None:
    async def scenario() -> None:
        stream = MemoryStream("chat")
        await stream.append(events([message("1", "a"), message("2", "b")]))
        async with StreamDB(Chat, stream=stream) as db:
            messages = db.collections.messages
            pending = Transaction(mutation_fn=lambda tx: None)
            with pending:
                messages.delete("1")
                messages.insert(Message(id="3", text="unsent"))
            dump = [control("snapshot-start"), message("2", "c"), control("snapshot-end")]
            await stream.append(events([*dump, message("4", "d", txid="t")]))
            await db.wait_txid("t")
            assert sorted(messages) == ["2", "3", "4"]
            pending.rollback()
            assert sorted(messages) == ["2", "4"]

    asyncio.run(scenario())
