"""The chat of `tests.usage.chat`, used: what its queries show, epoch by epoch."""

import asyncio
import json
import threading
from typing import Any

import pytest

from dataflow import Collection, LiveQuery, count, live, query, run, selected, sum_
from dataflow.testing import assert_incremental
from stateschema import SchemaError
from stateschema.stream import MemoryStream
from stateschema.streamdb import BlockingStreamDB, StreamDB
from tests.usage.chat import (
    Chat,
    Chunk,
    Message,
    Presence,
    Profile,
    UserCard,
    active_users,
    actors,
    apply,
    approvals,
    materialized,
    worker,
)


def chunk(message_id: str, seq: int, text: str, role: str = "assistant") -> Chunk:
    return Chunk(
        id=f"{message_id}:{seq}",
        message_id=message_id,
        actor_id="agent",
        role=role,
        chunk=text,
        seq=seq,
        created_at=f"2026-01-01T00:00:{seq:02}Z",
    )


def presence(actor: str, device: str, name: str, status: Any, seen: str) -> Presence:
    return Presence(actor_id=actor, device_id=device, name=name, status=status, last_seen_at=seen)


def hello(number: int) -> Message:
    return Message(
        id=f"m{number}",
        role="user",
        content=f"Hello {number}",
        created_at=f"2026-01-01T00:00:{number:02}Z",
    )


def test_a_stream_is_a_database_with_live_queries() -> None:
    asyncio.run(quickstart())


async def quickstart() -> None:
    async with StreamDB(Chat, stream=MemoryStream()) as db:
        message = db.collections.messages.alias("message")
        newest = live(query(message).order_by(message.created_at.desc()).limit(2))
        offset = ""
        for number in (1, 3, 2):
            offset = await db.stream.append(
                [Chat.messages.insert(hello(number), txid=f"t{number}")]
            )
            await db.wait_txid(f"t{number}")
        assert newest.rows() == [hello(3), hello(2)]
        assert newest["m3"].content == "Hello 3"
        assert db.collections.presence.status == "ready"
        assert db.offset == offset


def test_chunks_become_messages_and_messages_approvals() -> None:
    asyncio.run(session())


async def session() -> None:
    stream = MemoryStream()
    seen: list[tuple[str, Any, str]] = []
    async with StreamDB(Chat, stream=stream) as db:
        following = asyncio.create_task(approvals(db, seen))
        for each in (chunk("m1", 0, "May"), chunk("m2", 0, "Yes."), chunk("m1", 1, " I?")):
            await stream.append([Chat.chunks.insert(each, txid=each.id)])
            await db.wait_txid(each.id)
        await stream.append([Chat.chunks.insert(chunk("m1", 2, " Thanks."), txid="last")])
        await db.wait_txid("last")
    await following
    assert seen == [
        ("insert", "m1", "May I?"),
        ("delete", "m1", "May I?"),
    ]


def test_users_online_are_joined_with_data_of_the_app() -> None:
    devices = Collection("devices", row=Presence, key=("actor_id", "device_id"))
    profiles = Collection("profiles", row=Profile, key="id")
    cards = live(active_users(devices, profiles))
    with devices.sync() as write:
        write.insert(presence("ann", "d1", "Ann", "online", "2026-01-02"))
        write.insert(presence("bob", "d1", "Bob", "online", "2026-01-02"))
        write.insert(presence("eve", "d1", "Eve", "offline", "2026-01-02"))
    with profiles.sync() as write:
        write.insert(Profile(id="bob", avatar_url="bob.png"))
    assert sorted(cards.rows(), key=lambda card: card.id) == [
        UserCard(id="ann", avatar="none", known=False),
        UserCard(id="bob", avatar="bob.png", known=True),
    ]


def test_presence_is_shown_per_actor_under_the_bare_key() -> None:
    devices = Collection("devices", row=Presence, key=("actor_id", "device_id"))
    online = live(actors(devices))
    with devices.sync() as write:
        write.insert(presence("ann", "d2", "Ann B.", "online", "2026-01-03"))
        write.insert(presence("ann", "d1", "Ann", "online", "2026-01-02"))
        write.insert(presence("bob", "d1", "Bob", "online", "2026-01-04"))
        write.insert(presence("old", "d1", "Old", "online", "2025-01-04"))
    assert list(online) == ["bob", "ann"]
    assert online["ann"] == {
        "actor_id": "ann",
        "name": "Ann B.",
        "devices": ["d1", "d2"],
        "seen": "2026-01-03",
    }
    with pytest.raises(KeyError):
        online[("ann",)]


def run_cell() -> LiveQuery[dict[str, Any]]:
    sales = Collection("sales", key="id")
    sale = sales.alias("sale")
    by_day = live(
        query(sale)
        .group_by(sale.day)
        .select(day=sale.day, total=sum_(sale.amount), n=count())
        .order_by(selected.day)
    )
    with sales.sync() as write:
        for i in range(100):
            write.insert({"id": i, "day": i % 7, "amount": i})
    return by_day


def test_a_notebook_cell_can_be_run_again() -> None:
    run_cell()
    by_day = run_cell()
    expected = [
        {"day": day, "total": sum(range(day, 100, 7)), "n": len(range(day, 100, 7))}
        for day in range(7)
    ]
    assert by_day.rows() == expected
    assert by_day._repr_html_().count("<tr>") == 8


def test_a_worker_thread_hands_its_events_over() -> None:
    asyncio.run(hand_over())


async def hand_over() -> None:
    events = Collection("events", key="id")
    apply(events, [{"id": 0, "n": 0}])  # the collection now belongs to this thread
    total = live(query(events.alias("e")).select(n=sum_(events.alias("e").n)))
    lines = [json.dumps([{"id": i, "n": i}, {"id": i + 1, "n": 1}]) for i in (1, 2, 3)]
    thread = threading.Thread(
        target=worker, args=(asyncio.get_running_loop(), events, lines), daemon=True
    )
    thread.start()
    async with total.changes() as epochs:
        received = 0
        async for changes in epochs:
            received += len(changes)
            if total.rows() == [{"n": 7}]:
                break
    thread.join()
    assert 1 <= received <= 3
    assert [dict(row) for row in events.values()] == [
        {"id": 0, "n": 0},
        {"id": 1, "n": 1},
        {"id": 2, "n": 2},
        {"id": 3, "n": 3},
        {"id": 4, "n": 1},
    ]


def test_the_query_over_chunks_is_incremental() -> None:
    rows = [
        Chunk(
            id=f"m{i % 3}:{i}",
            message_id=f"m{i % 3}",
            actor_id="a",
            role="user",
            chunk="x",
            seq=i,
            created_at=f"{i:04}",
        )
        for i in range(30)
    ]
    chunks = Collection("chunks", row=Chunk, key="id")
    assert_incremental(materialized(chunks), (chunks, rows), steps=200, seed=7)
    assert [message.content for message in run(materialized(chunks))] == []


def test_constructors_refuse_what_is_no_row() -> None:
    with pytest.raises(SchemaError, match="message"):
        Chat.messages.insert({"id": 1})  # type: ignore[arg-type]  # that is the question
    assert Chat.messages.delete("m1", txid="t").to_wire() == {
        "type": "message",
        "key": "m1",
        "headers": {"operation": "delete", "txid": "t"},
    }


def test_computed_keys_come_from_the_row() -> None:
    stream = MemoryStream()
    with BlockingStreamDB(Chat, stream=stream) as db:
        device = presence("ann", "d1", "Ann", "online", "2026-01-02")
        stream.append_now([Chat.presence.upsert(device)])
        db.poll()
        assert dict(db.collections.presence) == {"ann:d1": device}
