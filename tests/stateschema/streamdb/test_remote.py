"""StreamDB and BlockingStreamDB over streams on a server: live, resumed, failing."""

import asyncio
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stateschema.errors import EventError, StreamNotFoundError
from stateschema.stream.client import BlockingStreamClient, StreamClient
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.db import StreamDB
from tests.stateschema.stream.client.servers import faulty, served
from tests.stateschema.streamdb.chat import (
    Chat,
    Message,
    control,
    cut,
    events,
    expected,
    histories,
    message,
    shown,
)

_numbers: Iterator[int] = count()


@pytest.fixture(scope="module")
def server() -> Generator[str]:
    with served() as url:
        yield url


@pytest.fixture
def url(server: str) -> str:
    """The URL of a new stream."""
    return new_stream(server)


def new_stream(server: str) -> str:
    made = f"{server}chat-{next(_numbers)}"
    with BlockingStreamClient(made) as stream:
        stream.create()
    return made


def appended(url: str, *messages: dict[str, Any]) -> None:
    with BlockingStreamClient(url) as stream:
        stream.append(events(list(messages)))


def test_a_db_is_preloaded_and_follows(url: str) -> None:
    appended(url, message("1", "first"), message("2"))

    async def run() -> None:
        async with StreamDB(Chat, url=url) as db:
            assert sorted(db.collections.messages) == ["1", "2"]
            await db.stream.append(events([message("3", "late", txid="t")]))
            await db.wait_txid("t")
            assert db.collections.messages["3"] == Message(id="3", text="late")
            assert db.offset == await db.stream.head()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_a_blocking_db_is_preloaded_and_polled(url: str) -> None:
    appended(url, message("1", "first"))
    before = set(threading.enumerate())
    with BlockingStreamDB(Chat, url=url) as db:
        assert list(db.collections.messages) == ["1"]
        assert db.poll(timeout=0.05) == 0
        appended(url, message("2"))
        appended(url, message("3", txid="t"))
        assert db.poll(timeout=5) >= 1
        db.wait_txid("t")
        assert sorted(db.collections.messages) == ["1", "2", "3"]
    assert set(threading.enumerate()) == before


def test_both_end_with_a_closed_stream(url: str) -> None:
    appended(url, message("1"))
    with BlockingStreamClient(url) as stream:
        stream.close_stream()

    async def run() -> None:
        async with StreamDB(Chat, url=url) as db:
            await db.wait_closed()
            assert (db.status, list(db.collections.messages)) == ("closed", ["1"])

    asyncio.run(run())
    with BlockingStreamDB(Chat, url=url) as blocking:
        assert blocking.poll(timeout=5) == 0
        assert (blocking.status, list(blocking.collections.messages)) == ("closed", ["1"])


def test_a_stream_that_is_not_there_is_fatal(server: str) -> None:
    missing = f"{server}missing"

    async def run() -> None:
        with pytest.raises(StreamNotFoundError):
            async with StreamDB(Chat, url=missing):
                pytest.fail("it was entered")
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
    with pytest.raises(StreamNotFoundError), BlockingStreamDB(Chat, url=missing):
        pytest.fail("it was entered")


def test_a_bad_event_names_the_stream(url: str) -> None:
    with BlockingStreamClient(url) as stream:
        stream.append({"no": "event"})
    with (
        pytest.raises(EventError, match=f"bad event in '{url}', message 0 of the batch"),
        BlockingStreamDB(Chat, url=url),
    ):
        pytest.fail("it was entered")


def test_a_client_with_settings_is_a_stream_too(url: str) -> None:
    async def run() -> None:
        async with StreamClient(url, headers={"X": "1"}) as stream:
            async with StreamDB(Chat, stream=stream) as db:
                await stream.append(events([message("1", txid="t"), control("snapshot-end")]))
                await db.wait_txid("t")
            assert await stream.head()  # it is still open

    asyncio.run(run())


def test_there_is_one_source_of_events(url: str) -> None:
    with pytest.raises(TypeError, match="StreamDB needs either a stream or a url"):
        StreamDB(Chat)
    with pytest.raises(TypeError, match="BlockingStreamDB needs either a stream or a url"):
        BlockingStreamDB(Chat, url=url, stream=StreamClient(url))


@settings(max_examples=settings().max_examples // 10)
@given(histories(max_size=20), st.lists(st.integers(0, 100), max_size=4))
def test_collections_show_the_fold_of_the_stream(
    server: str, history: list[Any], places: list[int]
) -> None:
    url = new_stream(server)
    with closing(BlockingStreamDB(Chat, url=url)) as db:
        db.preload()
        for batch in cut(history, places):
            if batch:
                appended(url, *batch)
                db.poll(timeout=5)
        assert shown(db.collections) == expected(history)
    with BlockingStreamDB(Chat, url=url) as late:
        assert shown(late.collections) == expected(history)


def test_a_failing_network_changes_nothing(url: str) -> None:
    with (
        faulty(url, chance=0.4, seed=1) as (through, _),
        BlockingStreamDB(Chat, url=through) as db,
    ):
        for number in range(12):
            appended(url, message(str(number), txid=f"t{number}"))
            db.wait_txid(f"t{number}", timeout=30)
        assert sorted(db.collections.messages, key=int) == [str(n) for n in range(12)]
