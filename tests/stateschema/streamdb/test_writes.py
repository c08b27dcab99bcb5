"""Writes on their way: acknowledged, observed, settled, and what happens when an answer is late or lost."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Any

import pytest
from typing_extensions import override

from dataflow import Transaction, TransactionError
from stateschema.errors import NetworkError, StreamClosedError, UnconfirmedError
from stateschema.events import Event
from stateschema.stream.batch import Batch
from stateschema.stream.memory import MemoryStream
from stateschema.stream.offset import Offset
from stateschema.stream.store.compaction import compact
from stateschema.stream.store.memory import MemoryStore
from stateschema.stream.store.stream import StoreStream
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.db import StreamDB
from tests.stateschema.streamdb.chat import Chat, Message, change, events


class Late(MemoryStream):
    """A stream that shows nothing to those who follow it before it is let go."""

    def __init__(self) -> None:
        super().__init__("chat")
        self.open = asyncio.Event()
        self.open.set()

    async def _late(self, offset: str) -> AsyncGenerator[Batch, None]:
        async for batch in super().follow(offset):
            await self.open.wait()
            yield batch

    @override
    def follow(self, offset: str = Offset.START) -> AsyncGenerator[Batch, None]:
        return self._late(offset)


class Lossy(MemoryStream):
    """A stream whose answers to appends are lost.

    Args:
        keeps: Whether the appends are in it all the same.
        was_sent: What is known about it.
    """

    def __init__(self, *, keeps: bool, was_sent: bool = True) -> None:
        super().__init__("chat")
        self.keeps = keeps
        self.was_sent = was_sent

    @override
    async def append(self, events: Event | Iterable[Event], /) -> Offset:
        if self.keeps:
            self.append_now(events)
        raise NetworkError("no answer", was_sent=self.was_sent)


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_a_write_is_acknowledged_then_observed_then_settled() -> None:
    async def run() -> None:
        stream = Late()
        seen: list[tuple[str, str]] = []
        async with StreamDB(Chat, stream=stream) as db:
            stream.open.clear()
            tx = db.collections.messages.insert(Message(id="1", text="a"))
            assert db.progress(tx) == "pending"
            await turns()
            assert (db.progress(tx), tx.state, stream.head_now()) == (
                "acknowledged",
                "persisting",
                Offset.mint(1),
            )
            end = db.subscribe_commits(lambda _: seen.append((db.progress(tx), tx.state)))
            stream.open.set()
            await tx
            end()
            assert (db.progress(tx), seen) == ("settled", [("observed", "persisting")])

    asyncio.run(run())


def test_a_confirmation_that_is_late_rolls_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """However late: no clock is asked once the append has been acknowledged."""

    async def run() -> None:
        stream = Late()
        async with StreamDB(Chat, stream=stream) as db:
            stream.open.clear()
            loop = asyncio.get_running_loop()
            timers: list[float] = []
            monkeypatch.setattr(loop, "call_at", lambda when, *_, **__: timers.append(when))
            tx = db.collections.messages.insert(Message(id="1", text="a"))
            await turns()
            assert (timers, tx.state, set(db.collections.messages)) == ([], "persisting", {"1"})
            monkeypatch.undo()
            stream.open.set()
            await tx

    asyncio.run(run())


def test_what_is_acknowledged_and_never_comes_back_fails_with_an_error_that_says_so() -> None:
    async def run() -> None:
        stream = Late()
        db = StreamDB(Chat, stream=stream)
        await db.preload()
        stream.open.clear()
        tx = db.collections.messages.insert(Message(id="1", text="a"))
        await turns()
        await db.close()
        with pytest.raises(TransactionError) as caught:
            await tx
        error = caught.value.__cause__
        assert isinstance(error, UnconfirmedError)
        assert "is in the stream, but did not come back" in str(error)
        assert (error.offset, db.progress(tx)) == (stream.head_now(), "failed")
        assert isinstance(error.__cause__, StreamClosedError)

    asyncio.run(run())


def test_a_lost_answer_is_no_failure_if_the_write_comes_back() -> None:
    async def run() -> None:
        async with StreamDB(Chat, stream=Lossy(keeps=True)) as db:
            tx = db.collections.messages.insert(Message(id="1", text="a"))
            await tx
            assert (db.progress(tx), set(db.collections.messages)) == ("settled", {"1"})

    asyncio.run(run())
    with BlockingStreamDB(Chat, stream=Lossy(keeps=True)) as db:
        tx = db.collections.messages.insert(Message(id="1", text="a"))
        assert (tx.error, set(db.collections.messages)) == (None, {"1"})


@pytest.mark.parametrize("was_sent", [True, False])
def test_a_lost_append_is_rolled_back(was_sent: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("db", "blocking"):
        monkeypatch.setattr(f"stateschema.streamdb.{module}.LOST_ANSWER", 0.01)

    async def run() -> None:
        async with StreamDB(Chat, stream=Lossy(keeps=False, was_sent=was_sent)) as db:
            tx = db.collections.messages.insert(Message(id="1", text="a"))
            with pytest.raises(TransactionError, match="NetworkError: no answer"):
                await tx
            assert (db.progress(tx), len(db.collections.messages)) == ("failed", 0)

    asyncio.run(run())
    with BlockingStreamDB(Chat, stream=Lossy(keeps=False, was_sent=was_sent)) as db:
        tx = db.collections.messages.insert(Message(id="1", text="a"))
        assert isinstance(tx.error, NetworkError)
        assert len(db.collections.messages) == 0


def test_a_transaction_of_somebody_else_is_pending_until_it_is_settled() -> None:
    async def run() -> None:
        async with StreamDB(Chat, stream=MemoryStream()) as db:
            tx = Transaction(mutation_fn=lambda _: None)
            with tx:
                db.collections.messages.insert(Message(id="1", text="a"))
            before = db.progress(tx)
            tx.commit()
            assert (before, db.progress(tx)) == ("pending", "settled")

    asyncio.run(run())


def test_waiting_for_txids_leaves_nothing_behind() -> None:
    async def run() -> None:
        stream = MemoryStream()
        async with StreamDB(Chat, stream=stream) as db:
            waiting = [asyncio.ensure_future(db.wait_txid(f"t{n % 10}")) for n in range(100)]
            await turns(2)
            assert len(db._waiters) == 100
            batch: list[Any] = [change("other", "1", "insert", 0, txid=f"t{n}") for n in range(5)]
            stream.append_now(events(batch))
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            await turns()
            assert len(db._waiters) == 50
            await db.close()
            done = await asyncio.gather(*waiting, return_exceptions=True)
            assert [type(each) for each in done].count(StreamClosedError) == 50
            assert len(db._waiters) == 0

    asyncio.run(run())


def test_what_a_subscriber_raises_does_not_fail_the_write(caplog: pytest.LogCaptureFixture) -> None:
    stream = MemoryStream()

    def fail(_: object) -> None:
        raise ValueError("no")

    with BlockingStreamDB(Chat, stream=stream) as db:
        db.collections.counters.subscribe(fail)
        stream.append_now(events([change("counter", "7", "insert", {"n": 1})]))
        tx = db.collections.messages.insert(Message(id="1", text="a"))
        assert (db.progress(tx), tx.error) == ("settled", None)
        assert (len(db.collections.messages), len(db.collections.counters)) == (1, 1)
    assert [record.message for record in caplog.records] == ["subscribers of a StreamDB raised"]


def test_a_blocking_write_that_never_comes_back_says_so() -> None:
    stream = MemoryStream()
    db = BlockingStreamDB(Chat, stream=stream)
    db.preload()
    stream.append_now(events([change("counter", "x", "delete")]))
    tx = db.collections.messages.insert(Message(id="1", text="a"))
    assert isinstance(tx.error, UnconfirmedError)
    assert tx.error.offset == stream.head_now()
    assert tx.error.__cause__ is db.error
    db.close()


class Behind(StoreStream):
    """A stream whose readers read on only while they are let."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store, "chat")
        self.open = asyncio.Event()
        self.open.set()

    async def _behind(self, offset: str) -> AsyncGenerator[Batch, None]:
        while True:
            await self.open.wait()
            batch = await self.read(offset)
            offset = batch.next_offset
            yield batch
            await asyncio.sleep(0)

    @override
    def follow(self, offset: str = Offset.START) -> AsyncGenerator[Batch, None]:
        return self._behind(offset)


def test_a_write_that_comes_back_in_a_snapshot_is_settled() -> None:
    """Who is behind a compaction is told the row, but not the txid."""

    async def run() -> None:
        store = MemoryStore()
        stream = Behind(store)
        await stream.create()
        async with StreamDB(Chat, stream=stream) as db:
            await db.collections.messages.insert(Message(id="1", text="a"))
            stream.open.clear()
            tx = db.collections.messages.insert(Message(id="2", text="b"))
            await turns()
            assert db.progress(tx) == "acknowledged"
            await store.drop("chat", await compact(store, "chat"))
            stream.open.set()
            async with asyncio.timeout(30):
                await tx
            assert db.progress(tx) == "settled"
            assert set(db.collections.messages) == {"1", "2"}

    asyncio.run(run())


def test_a_blocking_write_that_comes_back_in_a_snapshot_is_settled() -> None:
    """It is compacted between the append and the next poll."""

    class Compacted(StoreStream):
        @override
        async def append(self, events: Event | Iterable[Event], /) -> Offset:
            offset = await super().append(events)
            await store.drop("chat", await compact(store, "chat"))
            return offset

    store = MemoryStore()
    stream = Compacted(store, "chat")
    asyncio.run(stream.create())
    with BlockingStreamDB(Chat, stream=stream) as db:
        tx = db.collections.messages.insert(Message(id="1", text="a"))
        assert (tx.state, set(db.collections.messages)) == ("completed", {"1"})
