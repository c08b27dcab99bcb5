"""Several streams in one database, polled."""

import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow import live, query
from stateschema.errors import EventError, StreamClosedError, StreamError
from stateschema.stream.memory import MemoryStream
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.blocking_combined import BlockingCombinedStreamDB
from stateschema.streamdb.db import StreamDB
from tests.stateschema.streamdb.chat import Chat, Message, change, events, message
from tests.stateschema.streamdb.combined_schemas import App, Profiles, profile
from tests.stateschema.streamdb.recording import Recording


def combined(session: MemoryStream, shared: MemoryStream) -> BlockingCombinedStreamDB[App]:
    parts = BlockingStreamDB(Chat, stream=session), BlockingStreamDB(Profiles, stream=shared)
    return BlockingCombinedStreamDB(App, *parts)


def test_collections_of_two_streams_are_joined() -> None:
    session, shared = Recording([message("1", "ann")]), Recording([profile("ann", "Ann")])
    with combined(session, shared) as db:
        said = db.collections.messages.alias("said")
        who = db.collections.profiles.alias("who")
        named = live(query(said).join(who, on=said.text == who.id).select(name=who.name))
        assert named.rows() == [{"name": "Ann"}]
        shared.put([profile("ann", "Anna")])
        written = db.collections.messages.insert(Message(id="2", text="ann"))
        assert named.rows() == [{"name": "Ann"}] * 2  # a write polls its own part only
        assert (written.state, db.progress(written)) == ("completed", "settled")
        assert (db.poll(), named.rows()) == (1, [{"name": "Anna"}] * 2)
        offsets = [db.parts[each].offset for each in (Chat, Profiles)]
        assert offsets == [session.head_now(), shared.head_now()]
        assert (db.status, repr(db)) == ("ready", "<BlockingCombinedStreamDB App ready>")
    assert (db.status, db.poll(timeout=None)) == ("closed", 0)
    db.close()


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3), st.booleans())))
def test_polling_shows_what_both_streams_say(steps: list[tuple[int, int, bool]]) -> None:
    session, shared = Recording(), Recording()
    said: tuple[set[str], set[str]] = (set(), set())
    with combined(session, shared) as db:
        waiting = 0
        for part, number, polls in steps:
            key = str(number)
            (session, shared)[part].put([(message, profile)[part](key, "x")])
            said[part].add(key)
            waiting += 1
            if polls:
                assert (db.poll(timeout=None), waiting) == (waiting, waiting)
                assert (set(db.collections.messages), set(db.collections.profiles)) == said
                waiting = 0


@pytest.mark.parametrize("part", [0, 1])
def test_news_of_any_stream_end_the_waiting(part: int) -> None:
    streams = MemoryStream(), MemoryStream()
    news: Any = (message("1"), profile("1", "Ann"))
    with combined(*streams) as db:
        assert db.poll(timeout=0.01) == 0
        writer = threading.Timer(0.05, lambda: streams[part].append_now(events([news[part]])))
        writer.start()
        assert db.poll(timeout=None) == 1
        writer.join()
        assert (len(db.collections.messages), len(db.collections.profiles)) == (1 - part, part)


def test_the_first_poll_reads_every_stream_and_does_not_wait() -> None:
    db = combined(Recording([message("1"), message("2")]), Recording())
    assert (db.poll(timeout=None), db.status) == (1, "ready")
    db.close()
    db = combined(Recording(), Recording())
    assert (db.poll(timeout=None), db.status) == (0, "ready")
    db.close()


def test_a_txid_is_polled_for_in_every_part() -> None:
    session, shared = Recording(), Recording()
    with combined(session, shared) as db:
        shared.put([profile("ann", "Ann", txid="b")])
        db.wait_txid("b")
        session.put([message("1", txid="a")])
        db.wait_txid("a")
        db.wait_txid("b")
        with pytest.raises(TimeoutError, match=r"txid 'c' did not come within 0.01 s"):
            db.wait_txid("c", timeout=0.01)
        session.close_now()
        shared.put([profile("bob", "Bob", txid="d")])
        db.wait_txid("d")
        assert (db.parts[Chat].status, set(db.collections.profiles)) == ("closed", {"ann", "bob"})
        shared.close_now()
        with pytest.raises(StreamClosedError, match="before txid 'e' came"):
            db.wait_txid("e")


def test_a_part_that_fails_leaves_the_others_polled() -> None:
    session, shared = Recording(), Recording()
    db = combined(session, shared)
    db.preload()
    for number, stream, bad in ((1, shared, "profile"), (2, session, "message")):
        stream.put([change(bad, "x", "insert", 5)])
        other = session if stream is shared else shared
        if number == 1:
            other.put([message("1")])
        with pytest.raises(EventError):
            db.poll()
        assert (set(db.collections.messages), db.status) == ({"1"}, "error")
        with pytest.raises(EventError):
            db.wait_txid("t")
    db.close()


def test_of_several_errors_the_first_is_raised_and_the_rest_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    session, shared = Recording(), Recording()
    with combined(session, shared) as db:

        def refuse(changes: object) -> None:
            raise ValueError(f"seen {len(db.collections.messages)}")

        db.collections.messages.subscribe(refuse)
        db.collections.profiles.subscribe(refuse)
        session.put([message("1")])
        shared.put([profile("ann", "Ann")])
        with caplog.at_level(logging.ERROR), pytest.raises(ExceptionGroup):
            db.poll()
        assert [record.message for record in caplog.records] == [
            "a further part of a StreamDB raised"
        ]
        assert (len(db.collections.messages), len(db.collections.profiles)) == (1, 1)


def test_a_part_that_cannot_be_opened_closes_all() -> None:
    db = combined(Recording(), Recording([change("profile", "x", "insert", 5)]))
    with pytest.raises(EventError), db:
        pytest.fail("entered")
    assert [part.status for part in db.parts.values()] == ["closed", "error"]
    with pytest.raises(StreamClosedError, match="closed, for good"):
        db.parts[Chat].preload()


def test_a_part_may_be_closed_alone() -> None:
    session, shared = Recording(), Recording()
    with combined(session, shared) as db:
        assert db.poll(timeout=0.01) == 0  # both have been asked
        db.parts[Profiles].close()
        shared.put([profile("ann", "Ann")])
        session.put([message("1")])
        assert db.poll(timeout=None) == 1
        assert (set(db.collections.messages), len(db.collections.profiles)) == ({"1"}, 0)


def test_each_part_resumes_from_its_own_cache(tmp_path: Path) -> None:
    session, shared = Recording([message("1")]), Recording([profile("ann", "Ann")])
    for _ in range(2):
        session.starts, shared.starts = [], []
        parts = (
            BlockingStreamDB(Chat, stream=session, cache=tmp_path / "session.db"),
            BlockingStreamDB(Profiles, stream=shared, cache=tmp_path / "profiles.db"),
        )
        with BlockingCombinedStreamDB(App, *parts) as db:
            assert (len(db.collections.messages), len(db.collections.profiles)) == (1, 1)
    assert (session.starts, shared.starts) == ([session.head_now()], [shared.head_now()])


def test_what_cannot_be_a_part_is_refused() -> None:
    awaited: Any = StreamDB(Chat, stream=Recording())
    with pytest.raises(TypeError, match="takes each part as a BlockingStreamDB, not <StreamDB"):
        BlockingCombinedStreamDB(Chat, awaited)
    with (
        BlockingStreamDB(Chat, stream=Recording()) as part,
        pytest.raises(StreamError, match="has begun to read, on a loop of its own"),
    ):
        BlockingCombinedStreamDB(Chat, part)
