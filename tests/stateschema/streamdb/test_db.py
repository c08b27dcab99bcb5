"""StreamDB: preload, live follow, waits, lifecycle and errors."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.collection.changes import Change
from dataflow.errors import CollectionError
from dataflow.live.live import live
from dataflow.query.aggregates import count
from dataflow.query.builder import query
from stateschema.errors import EventError, StreamClosedError, StreamNotFoundError, Where
from stateschema.schema.entity import Entity, StateSchema
from stateschema.stream.batch import Batch
from stateschema.stream.memory import MemoryStream
from stateschema.stream.offset import Offset
from stateschema.streamdb.db import StreamDB
from stateschema.streamdb.router import Committed
from tests.stateschema.streamdb.chat import (
    NOTHING,
    Chat,
    Message,
    change,
    control,
    cut,
    events,
    expected,
    histories,
    message,
    shown,
)


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario on a loop of its own, which must have no other task at its end."""

    async def checked() -> None:
        await scenario()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(checked())


def stream_of(*batches: list[dict[str, Any]]) -> MemoryStream:
    stream = MemoryStream("chat")
    for batch in batches:
        if batch:
            stream.append_now(events(batch))
    return stream


async def caught_up(db: StreamDB[Any], stream: MemoryStream) -> None:
    """Let the loop run until the db shows all of the stream."""
    while db.offset != stream.head_now():  # noqa: ASYNC110 - turns of the loop, not time
        await asyncio.sleep(0)


class Pages(MemoryStream):
    """A stream that is read in pages of one message, and does not go on before it is told to."""

    def __init__(self) -> None:
        super().__init__("pages")
        self.allowed = asyncio.Semaphore(0)

    async def _pages(self, offset: str) -> AsyncGenerator[Batch, None]:
        while True:
            await self.allowed.acquire()
            batch = self.read_now(offset, limit=1)
            offset = batch.next_offset
            yield batch

    def follow(self, offset: str = Offset.START) -> AsyncGenerator[Batch, None]:
        return self._pages(offset)


class Broken(MemoryStream):
    """A stream that fails after its first batch."""

    def __init__(self, error: Exception, *, after_first: bool = True) -> None:
        super().__init__("broken")
        self.error = error
        self.after_first = after_first

    async def _fail(self) -> AsyncGenerator[Batch, None]:
        if self.after_first:
            yield self.read_now()
            await asyncio.sleep(0)
        raise self.error

    def follow(self, offset: str = Offset.START) -> AsyncGenerator[Batch, None]:
        return self._fail()


@given(histories(), st.lists(st.integers(0, 99), max_size=5), st.integers(0, 5))
def test_live_follow_preload_and_replay_end_the_same(
    history: list[dict[str, Any]], places: list[int], preloaded: int
) -> None:
    batches = cut(history, places)

    async def scenario() -> None:
        stream = stream_of(*batches[:preloaded])
        async with StreamDB(Chat, stream=stream) as db:
            seen = [wire for batch in batches[:preloaded] for wire in batch]
            assert shown(db.collections) == expected(seen)
            for batch in filter(None, batches[preloaded:]):
                await stream.append(events(batch))
                await caught_up(db, stream)
                seen += batch
                assert shown(db.collections) == expected(seen)
        async with StreamDB(Chat, stream=stream) as replayed:
            assert shown(replayed.collections) == expected(history)

    run(scenario)


def test_nothing_shows_before_the_first_batch_that_is_up_to_date() -> None:
    async def scenario() -> None:
        stream = Pages()
        stream.append_now(events([message("1"), change("counter", "7", "insert", {"n": 1})]))
        stream.append_now(events([message("1", "b")]))
        db = StreamDB(Chat, stream=stream)
        epochs: list[tuple[Any, int]] = []
        db.collections.messages.subscribe(
            lambda c: epochs.append((c, len(db.collections.counters)))
        )
        total = live(query(db.collections.messages.alias("m")).select(n=count()))
        states = []
        async with asyncio.TaskGroup() as group:
            loading = group.create_task(db.preload())
            for _ in range(3):
                await asyncio.sleep(0)
                states.append((db.status, db.offset, shown(db.collections), total.rows()))
                stream.allowed.release()
            await loading
        assert states == [("loading", Offset.START, NOTHING, [])] * 3
        row = Message(id="1", text="b")
        assert epochs == [([Change("insert", "1", row, None)], 1)]
        assert (db.status, db.offset) == ("ready", stream.head_now())
        assert (total.rows(), db.collections.counters.status) == ([{"n": 1}], "ready")
        await db.close()

    run(scenario)


def test_an_empty_stream_preloads_to_empty_ready_collections() -> None:
    async def scenario() -> None:
        async with StreamDB(Chat, stream=MemoryStream()) as db:
            assert (shown(db.collections), db.status) == (NOTHING, "ready")
            assert db.collections.messages.status == "ready"

    run(scenario)


def test_each_append_is_one_epoch_over_all_collections() -> None:
    async def scenario() -> None:
        stream = stream_of([message("1")])
        facts: list[Committed] = []
        async with StreamDB(Chat, stream=stream, on_commit=facts.append) as db:
            chat = db.collections
            seen: list[Any] = []
            chat.messages.subscribe(
                lambda c: seen.append(([x.key for x in c], list(chat.counters)))
            )
            counter = change("counter", "7", "insert", {"n": 1})
            await stream.append(events([message("2"), message("3", txid="t"), counter]))
            await stream.append(events([message("4"), change("counter", "7", "delete")]))
            await caught_up(db, stream)
            assert seen == [(["2", "3"], [7]), (["4"], [])]
        assert facts == [
            Committed(events=1, ignored=0, skipped=0, txids=(), offset=Offset.mint(1)),
            Committed(events=3, ignored=0, skipped=0, txids=("t",), offset=Offset.mint(4)),
            Committed(events=2, ignored=0, skipped=0, txids=(), offset=Offset.mint(6)),
        ]

    run(scenario)


def test_reset_and_snapshot_reach_a_live_consumer() -> None:
    async def scenario() -> None:
        stream = stream_of([message("1"), message("2")])
        async with StreamDB(Chat, stream=stream) as db:
            await stream.append(events([control("reset"), message("3")]))
            await caught_up(db, stream)
            assert set(db.collections.messages) == {"3"}
            await stream.append(events([message("4")]))
            await stream.append(events([control("snapshot-start"), message("5")]))
            await stream.append(events([control("snapshot-end")]))
            await caught_up(db, stream)
            assert (set(db.collections.messages), db.status) == ({"5"}, "ready")

    run(scenario)


def test_preload_is_idempotent_and_shared() -> None:
    async def scenario() -> None:
        stream = stream_of([message("1")])
        epochs: list[Any] = []
        async with StreamDB(Chat, stream=stream, preload=False) as db:
            db.collections.messages.subscribe(epochs.append)
            await asyncio.sleep(0)
            assert (db.status, shown(db.collections)) == ("loading", NOTHING)
            await asyncio.gather(db.preload(), db.preload())
            await db.preload()
        assert epochs == [[Change("insert", "1", Message(id="1", text=""), None)]]

    run(scenario)


def test_a_cancelled_preload_can_be_waited_for_again() -> None:
    async def scenario() -> None:
        stream = Pages()
        stream.append_now(events([message("1")]))
        db = StreamDB(Chat, stream=stream)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await db.preload()
        stream.allowed.release()
        await db.preload()
        assert set(db.collections.messages) == {"1"}
        await db.close()

    run(scenario)


def test_leaving_a_cancelled_entry_leaves_no_task() -> None:
    async def scenario() -> None:
        db = StreamDB(Chat, stream=Pages())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), db:
                pass
        assert db.status == "closed"

    run(scenario)


def test_wait_txid_before_and_after_it_comes() -> None:
    async def scenario() -> None:
        stream = stream_of([message("1", txid="early")])
        async with StreamDB(Chat, stream=stream) as db:
            await db.wait_txid("early")
            shown_at: list[set[Any]] = []

            async def wait() -> None:
                await db.wait_txid("late", timeout=None)
                shown_at.append(set(db.collections.messages))

            async with asyncio.TaskGroup() as group:
                group.create_task(wait())
                group.create_task(wait())
                await asyncio.sleep(0)
                await stream.append(events([message("2")]))
                await stream.append(events([change("other", "1", "insert", 0, txid="late")]))
            assert shown_at == [{"1", "2"}] * 2

    run(scenario)


def test_wait_txid_ends_by_timeout_close_or_end_of_the_stream() -> None:
    async def scenario() -> None:
        stream = MemoryStream()
        async with StreamDB(Chat, stream=stream) as db:
            with pytest.raises(TimeoutError, match=r"^txid 't' did not come within 0.01 s$"):
                await db.wait_txid("t", timeout=0.01)
            waiting = asyncio.create_task(db.wait_txid("t"))
            await asyncio.sleep(0)
            await stream.close()
            with pytest.raises(StreamClosedError, match="closed before txid 't' came"):
                await waiting
        async with StreamDB(Chat, stream=MemoryStream()) as db:
            waiting = asyncio.create_task(db.wait_txid("t"))
            await asyncio.sleep(0)
            await db.close()
            with pytest.raises(StreamClosedError, match="closed before txid 't' came"):
                await waiting

    run(scenario)


def test_wait_closed_returns_when_the_stream_ends_and_rows_stay() -> None:
    async def scenario() -> None:
        stream = stream_of([message("1")])
        async with StreamDB(Chat, stream=stream) as db:
            waiting = asyncio.create_task(db.wait_closed())
            await stream.append(events([message("2")]))
            await asyncio.sleep(0)
            assert not waiting.done()
            await stream.close()
            await waiting
            assert (db.status, set(db.collections.messages)) == ("closed", {"1", "2"})
        await db.close()
        await db.wait_closed()
        assert set(db.collections.messages) == {"1", "2"}

    run(scenario)


def test_closing_before_the_first_snapshot_ends_preload() -> None:
    async def scenario() -> None:
        db = StreamDB(Chat, stream=Pages())
        loading = asyncio.create_task(db.preload())
        await asyncio.sleep(0)
        await db.close()
        with pytest.raises(StreamClosedError, match="before the first snapshot"):
            await loading
        with pytest.raises(StreamClosedError, match="closed, for good"):
            await db.preload()

    run(scenario)


def test_a_bad_event_while_live_is_fatal_and_told_to_all_who_wait() -> None:
    async def scenario() -> None:
        stream = stream_of([message("1")])
        db = StreamDB(Chat, stream=stream)

        async def body() -> None:
            async with db:
                waits = db.wait_txid("t"), db.wait_closed(), db.wait_closed()
                waiting = asyncio.gather(*waits, return_exceptions=True)
                await asyncio.sleep(0)
                bad = change("message", "3", "insert", {"text": 3})
                await stream.append(events([message("2"), bad]))
                assert list(await waiting) == [db.error] * 3
                with pytest.raises(EventError):
                    await db.preload()
                await stream.append(events([message("4")]))

        with pytest.raises(EventError) as left:
            await body()
        assert left.value is db.error
        assert left.value.where == Where(source="chat", index=1)
        assert (db.status, set(db.collections.messages)) == ("error", {"1"})
        assert db.offset == Offset.mint(1)

    run(scenario)


def test_changes_of_collections_and_queries_raise_a_fatal_error_and_end_with_the_db() -> None:
    async def scenario() -> None:
        stream = stream_of([message("1")])
        db = StreamDB(Chat, stream=stream)
        await db.preload()
        messages = db.collections.messages
        derived = live(query(messages))
        waiting = [asyncio.ensure_future(anext(source.changes())) for source in (messages, derived)]
        await asyncio.sleep(0)
        await stream.append(events([change("message", "1", "update", 5)]))
        done = await asyncio.gather(*waiting, return_exceptions=True)
        assert [
            (type(error), error.__cause__) for error in done if isinstance(error, Exception)
        ] == [
            (CollectionError, db.error),
            (CollectionError, db.error),
        ]
        await db.close()
        assert (messages.status, derived.status, len(messages)) == ("error", "error", 1)

        other = StreamDB(Chat, stream=stream_of([message("1")]))
        await other.preload()
        following = other.collections.messages.changes()
        await other.close()
        assert [each async for each in following] == []
        assert (other.collections.messages.status, len(other.collections.messages)) == ("closed", 1)

    run(scenario)


def test_a_bad_event_in_the_history_fails_the_entry_and_shows_nothing() -> None:
    async def scenario() -> None:
        db = StreamDB(Chat, stream=stream_of([message("1")], [change("message", "1", "update", 5)]))
        with pytest.raises(EventError, match="must be an object"):
            async with db:
                pytest.fail("entered")
        assert (db.status, shown(db.collections)) == ("error", NOTHING)
        assert db.collections.messages.status == "error"

    run(scenario)


def test_an_error_of_the_body_is_not_replaced_by_that_of_the_db() -> None:
    async def scenario() -> None:
        async def body() -> None:
            async with StreamDB(Chat, stream=Broken(OSError("down"))) as db:
                with pytest.raises(OSError, match="down"):
                    await db.wait_closed()
                raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            await body()

    run(scenario)


def test_an_error_of_the_stream_is_fatal() -> None:
    async def scenario() -> None:
        gone = StreamNotFoundError("no such stream")
        with pytest.raises(StreamNotFoundError) as caught:
            async with StreamDB(Chat, stream=Broken(gone, after_first=False)):
                pytest.fail("entered")
        assert caught.value is gone

    run(scenario)


def test_a_timeout_of_the_stream_is_not_taken_for_that_of_the_wait() -> None:
    async def scenario() -> None:
        down = TimeoutError("stream timed out")
        db = StreamDB(Chat, stream=Broken(down))
        await db.preload()
        with pytest.raises(TimeoutError) as caught:
            await db.wait_txid("t", timeout=60)
        assert caught.value is down
        await db.close()

    run(scenario)


def test_skipped_events_are_reported_with_their_place() -> None:
    async def scenario() -> None:
        skipped: list[EventError] = []
        stream = stream_of([message("1")])
        async with StreamDB(Chat, stream=stream, on_error="skip", on_skip=skipped.append) as db:
            await stream.append(events([message("2"), change("message", "3", "insert", 3)]))
            await stream.append(events([message("4", txid="t")]))
            await db.wait_txid("t")
            assert set(db.collections.messages) == {"1", "2", "4"}
        assert [(error.where, error.field) for error in skipped] == [
            (Where(source="chat", index=1), "value")
        ]

    run(scenario)


def test_a_subscriber_that_raises_does_not_stop_the_following() -> None:
    async def scenario() -> None:
        reported: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: reported.append(context)
        )
        stream = stream_of([message("1")])
        db = StreamDB(Chat, stream=stream)
        problem = ValueError("no")

        def fail(_: object) -> None:
            raise problem

        db.collections.messages.subscribe(fail)
        live(query(db.collections.messages).filter(lambda m: m.id != "")).subscribe(fail)
        async with db:
            await stream.append(events([message("2", txid="t")]))
            await db.wait_txid("t")
            assert (set(db.collections.messages), db.status) == ({"1", "2"}, "ready")
        assert [context["message"] for context in reported] == [
            "subscribers of a StreamDB raised"
        ] * 2
        assert [context["exception"].exceptions for context in reported] == [(problem, problem)] * 2

    run(scenario)


def test_cancelling_the_body_leaves_no_task() -> None:
    async def scenario() -> None:
        async def body() -> None:
            async with StreamDB(Chat, stream=MemoryStream()) as db:
                await db.wait_closed()

        task = asyncio.create_task(body())
        for _ in range(9):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    run(scenario)


def test_collections_are_reached_by_name_but_never_hide_methods() -> None:
    class Odd(StateSchema):
        notes = Entity(dict[str, Any], type="note", key="id")
        close = Entity(dict[str, Any], type="close", key="id")
        offset = Entity(dict[str, Any], type="offset", key="id")

    async def scenario() -> None:
        stream = stream_of([change("close", "1", "insert", {})])
        async with StreamDB(Odd, stream=stream) as db:
            loose: Any = db
            assert loose.notes is db.collections.notes
            assert "notes" in dir(db)
            assert set(db.collections.close) == {"1"}
            assert db.offset == stream.head_now()
            with pytest.raises(AttributeError, match="StreamDB has no attribute 'note'"):
                _ = loose.note
            with pytest.raises(
                AttributeError, match=r"'collection' \(did you mean 'collections'\?\)"
            ):
                _ = loose.collection
            with pytest.raises(AttributeError, match=r"'wait_tx' \(did you mean 'wait_txid'\?\)"):
                _ = loose.wait_tx
            assert repr(db) == "<StreamDB Odd ready>"
        assert repr(db) == "<StreamDB Odd closed>"

    run(scenario)


async def _close_and_cancel(db: StreamDB[Chat]) -> None:
    closing = asyncio.create_task(db.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait([closing])


async def _cancel_the_follower(db: StreamDB[Chat]) -> None:
    (task,) = (task for task in asyncio.all_tasks() if task.get_name() == "streamdb-follow")
    task.cancel()
    await asyncio.wait([task])


async def _cancel_from_a_subscriber(db: StreamDB[Chat]) -> None:
    def cancel(_: object) -> None:
        raise asyncio.CancelledError

    db.collections.messages.subscribe(cancel)
    await db.stream.append(events([message("1")]))


@pytest.mark.parametrize(
    "end", [_close_and_cancel, _cancel_the_follower, _cancel_from_a_subscriber]
)
def test_nobody_waits_for_a_follower_that_was_cancelled(
    end: Callable[[StreamDB[Chat]], Coroutine[Any, Any, None]],
) -> None:
    async def scenario() -> None:
        db = StreamDB(Chat, stream=MemoryStream())
        await db.preload()
        waiting = asyncio.create_task(db.wait_txid("t", timeout=None))
        await asyncio.sleep(0)
        await end(db)
        with pytest.raises(StreamClosedError):
            await waiting
        assert db.status == "closed"

    run(scenario)


def test_an_on_skip_that_raises_a_group_is_fatal() -> None:
    async def scenario() -> None:
        problem = ExceptionGroup("no", [ValueError("no")])

        def fail(_: object) -> None:
            raise problem

        stream = stream_of([message("1"), change("message", "2", "insert", 5)])
        db = StreamDB(Chat, stream=stream, on_error="skip", on_skip=fail)
        with pytest.raises(ExceptionGroup) as caught:
            await db.preload()
        assert (caught.value, db.status, shown(db.collections)) == (problem, "error", NOTHING)
        await db.close()

    run(scenario)


def test_urls_and_row_types_in_the_wrong_place_are_refused_with_advice() -> None:
    wrong: Any = StreamDB
    with pytest.raises(TypeError, match="takes a stream, not 'http://host/s'") as caught:
        wrong(Chat, stream="http://host/s")
    assert caught.value.__notes__ == [
        "of a URL make a StreamClient(url), of a file a LogFile(path)"
    ]
    for schema in (Message, Chat(), "chat"):
        with pytest.raises(TypeError, match="StreamDB takes a subclass of StateSchema"):
            wrong(schema, stream=MemoryStream())


@pytest.mark.parametrize("preload", [True, False])
def test_a_closed_db_is_not_opened_again(preload: bool) -> None:
    async def scenario() -> None:
        db = StreamDB(Chat, stream=stream_of([message("1")]), preload=preload)
        async with db:
            await db.preload()
        with pytest.raises(StreamClosedError, match="StreamDB is closed, for good"):
            await db.preload()
        with pytest.raises(StreamClosedError, match="StreamDB is closed, for good"):
            async with db:
                pytest.fail("entered")
        assert (db.status, set(db.collections.messages)) == ("closed", {"1"})

    run(scenario)


def test_what_subscribers_of_commits_raise_stops_nothing_and_nobody() -> None:
    raised: list[Any] = []
    stream = MemoryStream()

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: raised.append(context["exception"])
        )
        seen: list[tuple[str, ...]] = []

        def refuse(_: object) -> None:
            raise ValueError("commit")

        async with StreamDB(Chat, stream=stream, on_commit=refuse) as db:
            db.subscribe_commits(lambda committed: seen.append(committed.txids))
            db.collections.messages.subscribe(refuse)
            raised.clear()
            stream.append_now(events([message("1", txid="t")]))
            await db.wait_txid("t")
            assert (db.status, seen, db.recent_txids) == ("ready", [("t",)], ("t",))
            with pytest.raises(TypeError, match="fn= takes a function"):
                db.subscribe_commits(5)  # type: ignore[arg-type] # wrong on purpose

    run(scenario)
    (group,) = raised
    assert [repr(error) for error in group.exceptions] == ["ValueError('commit')"] * 2
