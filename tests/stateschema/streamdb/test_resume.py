"""Resuming: rows and offset are kept together, and nothing before that offset is read again."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.collection.transaction import Transaction
from dataflow.errors import StorageError
from dataflow.live.live import live
from dataflow.query.aggregates import count
from dataflow.query.builder import query
from stateschema.errors import EventError, OffsetGoneError
from stateschema.schema.entity import Entity, StateSchema
from stateschema.stream.client import BlockingStreamClient, StreamClient
from stateschema.stream.offset import Offset
from stateschema.streamdb.attach import collections_of
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.db import StreamDB
from tests.stateschema.stream.client.servers import served
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
from tests.stateschema.streamdb.recording import Recording

FEWER = settings(max_examples=max(settings().max_examples // 5, 10))  # each waits for a disk


@pytest.fixture
def cache(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'chat.db'}"


def rows(db: BlockingStreamDB[Any]) -> dict[str, dict[Any, Any]]:
    return {name: dict(each) for name, each in collections_of(db.collections).items()}


def replayed(stream: Recording) -> dict[str, dict[Any, Any]]:
    """What a reader of the whole stream shows."""
    with BlockingStreamDB(Chat, stream=stream) as db:
        return rows(db)


# -- what is kept ------------------------------------------------------------------------------------------------------


def test_nothing_before_the_kept_offset_is_read_again(cache: str) -> None:
    stream = Recording([message("1"), message("2")])
    with BlockingStreamDB(Chat, stream=stream, cache=cache) as db:
        stream.put([message("3")])
        db.poll()
        end = db.offset
    stream.put([message("4")])
    stream.starts, stream.given = [], []
    with BlockingStreamDB(Chat, stream=stream, cache=cache) as db:
        assert sorted(db.collections.messages) == ["1", "2", "3", "4"]
    assert (stream.starts, stream.given) == ([end], [message("4")])


def test_under_asyncio_too(cache: str) -> None:
    stream = Recording([message("1")])

    async def run() -> None:
        for number in range(3):
            async with StreamDB(Chat, stream=stream, cache=cache) as db:
                await db.collections.messages.insert(Message(id=f"new {number}", text=""))

    asyncio.run(run())
    assert stream.starts == [Offset.START, Offset.mint(2), Offset.mint(3)]
    assert [each["key"] for each in stream.given] == ["1", "new 0", "new 1", "new 2"]


def test_a_server_is_asked_for_nothing_before_the_kept_offset(cache: str) -> None:
    asked: list[tuple[str, str | None]] = []

    async def note(request: httpx.Request) -> None:
        asked.append((request.method, request.url.params.get("offset")))

    async def run(url: str) -> str:
        async with (
            httpx.AsyncClient(event_hooks={"request": [note]}) as http,
            StreamClient(url, http=http) as stream,
            StreamDB(Chat, stream=stream, cache=cache, live=False) as db,
        ):
            assert sorted(db.collections.messages) == ["1"]
            return db.offset

    with served() as server:
        with BlockingStreamClient(f"{server}chat") as stream:
            stream.create()
            stream.append(events([message("1")]))
        end = asyncio.run(run(f"{server}chat"))
        assert asyncio.run(run(f"{server}chat")) == end
    assert asked == [("GET", "-1"), ("GET", end)]


def test_kept_rows_show_before_the_stream_has_answered(cache: str) -> None:
    stream = Recording([message("1"), change("counter", "7", "insert", {"n": 1})])
    with BlockingStreamDB(Chat, stream=stream, cache=cache):
        pass

    async def run() -> None:
        db = StreamDB(Chat, stream=Recording(*[[message(k)] for k in "abcd"], page=1), cache=cache)
        total = live(query(db.collections.messages.alias("m")).select(n=count()))
        loading = asyncio.create_task(db.preload())
        seen = []
        db.collections.messages.subscribe(lambda _: seen.append((db.status, total.rows())))
        await loading
        await db.close()
        assert seen == [("loading", [{"n": 1}]), ("loading", [{"n": 3}])]

    asyncio.run(run())


@FEWER
@given(
    histories(),
    st.lists(st.integers(0, 99), max_size=5),
    st.lists(st.integers(0, 5), max_size=3),
    st.integers(1, 4),
)
def test_resuming_anywhere_equals_a_full_replay(
    history: list[dict[str, Any]], places: list[int], stops: list[int], page: int
) -> None:
    """Also within a snapshot, and however the rest is cut: law 8."""
    batches = cut(history, places)
    with tempfile.TemporaryDirectory() as folder:
        cache = f"{folder}/chat.db"
        stream = Recording(page=page)
        done = 0
        for stop in [*sorted(stops), len(batches)]:
            with BlockingStreamDB(Chat, stream=stream, cache=cache) as db:
                for batch in batches[done:stop]:
                    stream.put(batch)
                    db.poll()
                done = max(done, min(stop, len(batches)))
                assert rows(db) == replayed(stream)
        with BlockingStreamDB(Chat, stream=stream, cache=cache) as db:
            assert rows(db) == replayed(stream)


def test_while_a_snapshot_is_under_way_the_file_stays_as_it_is(cache: str) -> None:
    stream = Recording([message("1"), message("2")])
    with BlockingStreamDB(Chat, stream=stream, cache=cache) as db:
        before = db.offset
        stream.put([control("snapshot-start"), message("3")], [message("4")])
        db.poll()
        assert sorted(db.collections.messages) == ["1", "2", "3", "4"]
    stream.put([control("snapshot-end"), message("5")])
    stream.starts = []
    with BlockingStreamDB(Chat, stream=stream, cache=cache) as db:
        assert (stream.starts, sorted(db.collections.messages)) == ([before], ["3", "4", "5"])
    stream.starts = []
    with BlockingStreamDB(Chat, stream=stream, cache=cache) as db:
        assert (stream.starts, len(db.collections.messages)) == ([stream.head_now()], 3)


def test_what_is_pending_is_not_kept(cache: str) -> None:
    stream = Recording([message("1", "a")])
    with BlockingStreamDB(Chat, stream=stream, cache=cache) as db:
        pending = Transaction(mutation_fn=lambda _: None)
        with pending:
            db.collections.messages.insert(Message(id="2", text=""))
            db.collections.messages.update("1", text="b")
        stream.put([message("3")])
        db.poll()
        assert sorted(db.collections.messages) == ["1", "2", "3"]
    with BlockingStreamDB(Chat, stream=stream, cache=cache) as db:
        assert shown(db.collections) == expected([message("1", "a"), message("3")])
    pending.rollback()


# -- full replays ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [None, 1])
def test_an_offset_that_is_gone_is_answered_by_a_full_replay_in_one_epoch(
    cache: str, page: int | None
) -> None:
    with BlockingStreamDB(Chat, stream=Recording([message(k) for k in "123"]), cache=cache):
        pass
    stream = Recording([message("3", "new"), message("4")], page=page)
    db = BlockingStreamDB(Chat, stream=stream, cache=cache)
    epochs: list[Any] = []
    db.collections.messages.subscribe(lambda c: epochs.append([(x.op, x.key) for x in c]))
    with db:
        assert stream.starts == [Offset.mint(3), Offset.START]
        assert shown(db.collections) == expected([message("3", "new"), message("4")])
        first, second = epochs
        assert first == [("insert", "1"), ("insert", "2"), ("insert", "3")]
        assert sorted(second) == sorted(
            [("delete", "1"), ("delete", "2"), ("update", "3"), ("insert", "4")]
        )
    stream.starts = []
    with BlockingStreamDB(Chat, stream=stream, cache=cache):
        assert stream.starts == [Offset.mint(2)]


def test_a_stream_on_a_server_that_was_made_anew_is_read_from_its_start(cache: str) -> None:
    with served() as server, BlockingStreamClient(f"{server}chat") as stream:
        stream.create()
        stream.append(events([message(k) for k in "123"]))
        with BlockingStreamDB(Chat, url=stream.url, cache=cache) as db:
            assert len(db.collections.messages) == 3
        stream.delete()
        stream.create()
        stream.append(events([message("9")]))
        for _ in range(2):
            with BlockingStreamDB(Chat, url=stream.url, cache=cache) as db:
                assert list(db.collections.messages) == ["9"]


def test_an_offset_that_goes_while_following_is_answered_likewise() -> None:
    class Forgetful(Recording):
        """Ends its first follower as a server does whose stream was cut off."""

        def forget(self) -> None:
            del self._messages[:]

    stream = Forgetful([message("1"), message("2")])

    async def run() -> None:
        async with StreamDB(Chat, stream=stream) as db:
            stream.forget()
            stream.put([message("3", txid="t")])
            await db.wait_txid("t")
            assert (set(db.collections.messages), db.status) == ({"3"}, "ready")
            assert db.offset == stream.head_now()
        assert stream.starts == [Offset.START, Offset.START]

    asyncio.run(run())
    with BlockingStreamDB(Chat, stream=stream) as blocking:
        assert blocking.poll() == 0
        stream.forget()
        stream.put([])
        stream._signal.wake()
        blocking.poll(timeout=1)
        assert (set(blocking.collections.messages), blocking.offset) == (set(), Offset.mint(0))


def test_a_start_that_is_gone_is_fatal() -> None:
    class Gone(Recording):
        """A stream that holds nothing any more."""

        def _position(self, offset: str) -> int:
            raise OffsetGoneError("gone")

    with pytest.raises(OffsetGoneError), BlockingStreamDB(Chat, stream=Gone()):
        pytest.fail("entered")


class Second(StateSchema, version=2):
    messages = Entity(Message, type="message", key="id")
    presence = Chat.presence
    counters = Chat.counters


class Note(Message):
    stars: int = 0


class Starred(StateSchema):
    messages = Entity(Note, type="message", key="id")


@pytest.mark.parametrize("changed", [Second, Starred])
def test_another_schema_reads_everything_anew(cache: str, changed: type[Any]) -> None:
    stream = Recording([message("1"), change("other", "x", "insert", 1)])
    with BlockingStreamDB(Chat, stream=stream, cache=cache):
        pass
    schemas: list[tuple[type[Any], str]] = [
        (changed, "-1"),
        (changed, stream.head_now()),
        (Chat, "-1"),
    ]
    for schema, begins in schemas:
        stream.starts = []
        with BlockingStreamDB(schema, stream=stream, cache=cache) as db:
            assert (stream.starts, set(db.collections.messages)) == ([begins], {"1"})


def test_another_stream_is_read_from_its_start(cache: str) -> None:
    with BlockingStreamDB(Chat, stream=Recording([message("1")]), cache=cache):
        pass
    other = Recording([message("2")])
    other.name = "other"
    with BlockingStreamDB(Chat, stream=other, cache=cache) as db:
        assert (other.starts, set(db.collections.messages)) == (["-1"], {"2"})


def test_a_cache_in_use_is_an_error(cache: str) -> None:
    with (
        BlockingStreamDB(Chat, stream=Recording(), cache=cache),
        pytest.raises(StorageError, match="in use"),
        BlockingStreamDB(Chat, stream=Recording(), cache=cache),
    ):
        pytest.fail("entered")


# -- a given start -----------------------------------------------------------------------------------------------------


@given(histories(), st.lists(st.integers(0, 99), max_size=5), st.integers(0, 30))
def test_a_given_state_and_offset_equal_a_full_replay(
    history: list[dict[str, Any]], places: list[int], at: int
) -> None:
    """Of a state that is whole: what a snapshot under way would remove is not known to rows."""
    history = [wire for wire in history if "snapshot" not in wire["headers"].get("control", "")]
    stream = Recording(*cut(history, places))
    at = min(at, len(history))
    state = [
        Chat.messages.insert(Message.model_validate(row))
        for row in expected(history[:at])["messages"].values()
    ]
    more = [
        change(kind, str(key), "insert", row)
        for kind, name in (("presence", "presence"), ("counter", "counters"))
        for key, row in expected(history[:at])[name].items()
    ]
    with BlockingStreamDB(Chat, stream=stream, offset=Offset.mint(at), state=[*state, *more]) as db:
        assert shown(db.collections) == expected(history)
    assert (stream.starts, stream.given) == ([Offset.mint(at)], history[at:])


def test_a_given_state_is_shown_at_once_and_kept(cache: str) -> None:
    stream = Recording([message("1"), message("2")])
    given_state = [message("1", "given")]
    db = BlockingStreamDB(
        Chat, stream=stream, offset=Offset.mint(1), state=given_state, cache=cache
    )
    seen: list[Any] = []
    db.collections.messages.subscribe(
        lambda _: seen.append((db.status, list(db.collections.messages)))
    )
    with db:
        both = {"1": Message(id="1", text="given"), "2": Message(id="2", text="")}
        assert dict(db.collections.messages) == both
    assert seen == [("loading", ["1"]), ("loading", ["1", "2"])]
    with BlockingStreamDB(Chat, stream=stream, state=[message("9")], cache=cache) as db:
        assert dict(db.collections.messages) == both
    assert stream.starts == [Offset.mint(1), Offset.mint(2)]


def test_a_state_that_does_not_fit_is_fatal() -> None:
    db = BlockingStreamDB(Chat, stream=Recording(), state=[change("message", "1", "insert", 5)])
    with pytest.raises(EventError, match="must be an object"):
        db.preload()
    assert (db.status, shown(db.collections)) == ("error", NOTHING)
    db.close()


def test_from_now_on_only() -> None:
    stream = Recording([message("1")])
    with BlockingStreamDB(Chat, stream=stream, offset=Offset.NOW) as db:
        stream.put([message("2")])
        db.poll()
        assert set(db.collections.messages) == {"2"}
