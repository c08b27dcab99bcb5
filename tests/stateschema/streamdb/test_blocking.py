"""BlockingStreamDB: epochs when asked for, in the thread that asks."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.collection.changes import Change
from stateschema.errors import EventError, StreamClosedError, StreamError, Where
from stateschema.stream.logfile import LogFile
from stateschema.stream.memory import MemoryStream
from stateschema.stream.offset import Offset
from stateschema.streamdb.blocking import BlockingStreamDB
from tests.stateschema.streamdb.chat import (
    NOTHING,
    Chat,
    Message,
    change,
    cut,
    events,
    expected,
    histories,
    message,
    shown,
)


def in_thread(work: Callable[[], None]) -> None:
    """Run work in a plain thread, and raise here what it raised there."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


@given(histories(), st.lists(st.integers(0, 99), max_size=5), st.integers(0, 5))
def test_polling_follows_the_fold_of_the_stream(
    history: list[dict[str, Any]], places: list[int], preloaded: int
) -> None:
    batches = [batch for batch in cut(history, places) if batch]

    def work() -> None:
        stream = MemoryStream()
        for batch in batches[:preloaded]:
            stream.append_now(events(batch))
        with BlockingStreamDB(Chat, stream=stream) as db:
            seen = [wire for batch in batches[:preloaded] for wire in batch]
            assert shown(db.collections) == expected(seen)
            for batch in batches[preloaded:]:
                stream.append_now(events(batch))
                assert shown(db.collections) == expected(seen)
                assert db.poll() == 1
                seen += batch
                assert shown(db.collections) == expected(seen)

    in_thread(work)


def test_each_append_since_the_last_poll_is_one_epoch() -> None:
    stream = MemoryStream()
    with BlockingStreamDB(Chat, stream=stream) as db:
        epochs: list[Any] = []
        db.collections.messages.subscribe(epochs.append)
        assert db.poll() == 0
        stream.append_now(events([message("1"), message("2")]))
        stream.append_now(events([message("3")]))
        assert (db.poll(), db.poll(), db.poll(timeout=0.01)) == (2, 0, 0)
    rows = {key: Message(id=key, text="") for key in "123"}
    assert epochs == [
        [Change("insert", "1", rows["1"], None), Change("insert", "2", rows["2"], None)],
        [Change("insert", "3", rows["3"], None)],
    ]


def test_a_log_file_is_followed(tmp_path: Path) -> None:
    with LogFile(tmp_path / "log.jsonl", create=True) as log:
        log.append_now(events([message("1")]))
        with BlockingStreamDB(Chat, stream=LogFile(tmp_path / "log.jsonl")) as db:
            log.append_now(events([message("2", txid="t")]))
            db.wait_txid("t")
            assert (set(db.collections.messages), db.offset) == ({"1", "2"}, log.head_now())


def test_an_append_by_another_thread_ends_the_waiting() -> None:
    stream = MemoryStream()

    def work() -> None:
        with BlockingStreamDB(Chat, stream=stream) as db:
            ready.set()
            db.wait_txid("t", timeout=60)
            assert set(db.collections.messages) == {"1", "2"}

    ready = threading.Event()

    def feed() -> None:
        ready.wait()
        stream.append_now(events([message("1")]))
        stream.append_now(events([message("2", txid="t")]))

    feeder = threading.Thread(target=feed)
    feeder.start()
    in_thread(work)
    feeder.join()


def test_no_thread_is_started() -> None:
    before = threading.active_count()
    stream = MemoryStream()
    with BlockingStreamDB(Chat, stream=stream) as db:
        stream.append_now(events([message("1")]))
        db.poll(timeout=0.01)
        assert threading.active_count() == before


def test_the_first_poll_preloads() -> None:
    stream = MemoryStream()
    stream.append_now(events([message("1")]))
    with BlockingStreamDB(Chat, stream=stream, preload=False) as db:
        assert (db.status, shown(db.collections)) == ("loading", NOTHING)
        assert (db.poll(timeout=60), db.status, set(db.collections.messages)) == (1, "ready", {"1"})
        db.preload()
    with BlockingStreamDB(Chat, stream=MemoryStream(), preload=False) as db:
        assert (db.poll(), db.status) == (0, "ready")


def test_the_end_of_the_stream_closes() -> None:
    stream = MemoryStream()
    with BlockingStreamDB(Chat, stream=stream) as db:
        stream.append_now(events([message("1")]))
        stream.close_now()
        assert (db.poll(), db.poll(timeout=None), db.poll(timeout=None)) == (1, 0, 0)
        assert (db.status, set(db.collections.messages)) == ("closed", {"1"})
        with pytest.raises(StreamClosedError, match="closed before txid 't' came"):
            db.wait_txid("t")


def test_a_closed_db_keeps_its_rows_and_takes_in_nothing() -> None:
    stream = MemoryStream()
    db = BlockingStreamDB(Chat, stream=stream)
    db.preload()
    stream.append_now(events([message("1")]))
    assert db.poll() == 1
    db.close()
    db.close()
    stream.append_now(events([message("2")]))
    assert (db.poll(timeout=None), set(db.collections.messages)) == (0, {"1"})
    unread = BlockingStreamDB(Chat, stream=stream)
    unread.close()
    with pytest.raises(StreamClosedError, match="closed, for good"):
        unread.preload()


def test_wait_txid_times_out() -> None:
    with (
        BlockingStreamDB(Chat, stream=MemoryStream()) as db,
        pytest.raises(TimeoutError, match=r"^txid 't' did not come within 0.01 s$"),
    ):
        db.wait_txid("t", timeout=0.01)


def test_a_bad_event_is_fatal() -> None:
    stream = MemoryStream("chat")
    stream.append_now(events([message("1")]))
    db = BlockingStreamDB(Chat, stream=stream)

    def attempts() -> list[BaseException | None]:
        raised = []
        with db:
            stream.append_now(events([message("2"), change("message", "3", "insert", 3)]))
            for attempt in (db.poll, db.poll, db.preload, lambda: db.wait_txid("t")):
                with pytest.raises(EventError) as caught:
                    attempt()
                raised.append(caught.value)
        pytest.fail(f"left without an error, after {raised}")

    with pytest.raises(EventError) as left:
        attempts()
    assert left.value is db.error
    assert left.value.where == Where(source="chat", index=1)
    assert (db.status, set(db.collections.messages), db.offset) == ("error", {"1"}, Offset.mint(1))


def test_what_a_subscriber_raises_comes_out_of_the_poll() -> None:
    stream = MemoryStream()
    problem = ValueError("no")

    def fail(_: object) -> None:
        raise problem

    with BlockingStreamDB(Chat, stream=stream) as db:
        db.collections.messages.subscribe(fail)
        stream.append_now(events([message("1")]))
        with pytest.raises(ExceptionGroup) as caught:
            db.poll()
        assert caught.value.exceptions == (problem,)
        assert (db.status, set(db.collections.messages), db.poll()) == ("ready", {"1"}, 0)


def test_a_callback_may_close() -> None:
    stream = MemoryStream()
    stream.append_now(events([message("1")]))
    db = BlockingStreamDB(Chat, stream=stream)
    db.collections.messages.subscribe(lambda _: db.close())
    db.preload()
    assert (db.status, db.poll(), set(db.collections.messages)) == ("closed", 0, {"1"})


def test_a_callback_must_not_poll() -> None:
    stream = MemoryStream()
    with BlockingStreamDB(Chat, stream=stream) as db:
        db.collections.messages.subscribe(lambda _: db.poll())
        for key in "123":
            stream.append_now(events([message(key)]))
        for seen in (1, 2, 3):
            with pytest.raises(ExceptionGroup) as caught:
                db.poll()
            assert [type(error) for error in caught.value.exceptions] == [StreamError]
            assert (db.offset, db.status) == (Offset.mint(seen), "ready")
        assert (db.poll(), set(db.collections.messages)) == (0, {"1", "2", "3"})


def test_an_on_skip_that_raises_is_fatal_whatever_it_raises() -> None:
    stream = MemoryStream()
    stream.append_now(events([message("1"), change("message", "2", "insert", 5)]))
    problem = ExceptionGroup("no", [ValueError("no")])

    def fail(_: object) -> None:
        raise problem

    db = BlockingStreamDB(Chat, stream=stream, on_error="skip", on_skip=fail)
    for _ in range(2):
        with pytest.raises(ExceptionGroup) as caught:
            db.preload()
        assert caught.value is problem
    assert (db.status, db.error, shown(db.collections)) == ("error", problem, NOTHING)
    db.close()


def test_where_an_event_loop_is_running_the_other_kind_is_named() -> None:
    with BlockingStreamDB(Chat, stream=MemoryStream()) as db:

        async def work() -> None:
            for attempt in (db.poll, db.preload):
                with pytest.raises(StreamError, match="event loop is running") as caught:
                    attempt()
                assert caught.value.__notes__ == ["use StreamDB, or another thread"]

        asyncio.run(work())
        assert (db.status, db.poll()) == ("ready", 0)
