"""Closing and cancelling: whoever waits is woken, and nothing is left behind."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from stateschema.errors import StreamClosedError
from stateschema.stream.client import BlockingStreamClient, StreamClient
from stateschema.stream.client.following import Live
from stateschema.stream.server.settings import Settings
from tests.stateschema.stream.client.servers import served
from tests.stateschema.stream.client.sides import AsyncSide, BlockingSide

LIVE: list[Live] = ["sse", "long-poll"]


@pytest.fixture(scope="module")
def server() -> Any:
    """A server whose long polls outlast every test."""
    with served(Settings(long_poll_timeout=60)) as url:
        yield url


@pytest.mark.parametrize("live", LIVE)
def test_closing_ends_followers_at_once(url: str, live: Live) -> None:
    async def run() -> None:
        stream = StreamClient(url)
        await stream.create()
        is_live = asyncio.Event()

        async def follow() -> list[Any]:
            found: list[Any] = []
            async for batch in stream.follow(live=live):
                found += batch.messages
                is_live.set()
            return found

        followers = [asyncio.create_task(follow()) for _ in range(2)]
        await is_live.wait()
        await asyncio.sleep(0.05)  # let them begin to wait for news
        async with asyncio.timeout(5):
            await asyncio.gather(stream.close(), stream.close())
            assert await asyncio.gather(*followers) == [[], []]

    asyncio.run(run())


@pytest.mark.parametrize("live", LIVE)
def test_closing_from_another_thread_ends_a_follower_at_once(url: str, live: Live) -> None:
    side = BlockingSide()
    stream = side.open(url)
    stream.create()
    started = time.monotonic()

    def until(_: Any) -> bool:
        timer = threading.Timer(0.1, stream.close)
        timer.start()
        return False

    side.take(stream.follow(live=live), until)
    assert time.monotonic() - started < 5
    stream.close()
    time.sleep(0.01)  # the timer's thread ends after it has closed the stream
    side.end()


@pytest.mark.parametrize("live", LIVE)
def test_a_follower_ends_at_its_deadline(url: str, live: Live) -> None:
    with BlockingStreamClient(url) as stream:
        stream.create(messages=[1])
        started = time.monotonic()
        batches = list(stream.follow(live=live, timeout=1.0))
        assert [list(batch.messages) for batch in batches] == [[1]]
        assert 1.0 <= time.monotonic() - started < 5
        # The client is as good as before.
        assert stream.read_all() == [1]


@pytest.mark.parametrize("live", LIVE)
def test_a_cancelled_follower_leaves_nothing(url: str, live: Live) -> None:
    side = AsyncSide()

    async def run() -> None:
        stream = side.open(url)
        await stream.create()
        batches = stream.follow(live=live)
        await anext(batches)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), aclosing(batches):
                await anext(batches)
        assert await stream.append(1)

    side.call(run())
    side.end()


def test_a_cancelled_append_that_waits_is_not_sent(url: str) -> None:
    async def run() -> None:
        async with StreamClient(url) as stream:
            await stream.create()
            appends = [asyncio.create_task(stream.append(number)) for number in range(3)]
            await asyncio.sleep(0)
            appends[1].cancel()
            await asyncio.wait(appends)
            assert await stream.read_all() == [0, 2]

    asyncio.run(run())


def test_closing_wakes_those_who_wait_for_an_append(silent: str) -> None:
    async def run() -> None:
        stream = StreamClient(silent, content_type="application/json")
        appends = [asyncio.create_task(stream.append(number)) for number in range(3)]
        await asyncio.sleep(0.05)
        await stream.close()
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StreamClosedError] * 3

    asyncio.run(run())


def test_closing_a_blocking_client_wakes_those_who_wait_for_an_append(silent: str) -> None:
    side = BlockingSide()
    stream = side.open(silent, content_type="application/json")
    closer = threading.Timer(0.1, stream.close)
    closer.start()
    outcomes = side.all(*[(lambda n=n: stream.append(n)) for n in range(3)])
    assert [type(outcome) for outcome in outcomes] == [StreamClosedError] * 3
    closer.join()
    side.end()


def test_closing_ends_producers(silent: str) -> None:
    async def run() -> None:
        stream = StreamClient(silent, content_type="application/json")
        producer = stream.producer(linger=0)
        await producer.append(1)
        flush = asyncio.create_task(producer.flush())
        await asyncio.sleep(0.05)
        await stream.close()
        with pytest.raises(StreamClosedError):
            await flush
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_closing_a_blocking_client_ends_producers(silent: str) -> None:
    side = BlockingSide()
    stream = side.open(silent, content_type="application/json")
    producer = stream.producer(linger=0)
    producer.append(1)
    closer = threading.Timer(0.1, stream.close)
    closer.start()
    with pytest.raises(StreamClosedError):
        producer.flush()
    closer.join()
    side.end()


def test_closing_does_not_disturb_others_that_share_connections(url: str) -> None:
    with httpx.Client() as http:
        first, second = (BlockingStreamClient(url, http=http) for _ in range(2))
        first.create(messages=[1])
        for batch in first.follow(live="sse"):  # leaves its connection behind
            assert batch.up_to_date
            break
        first.close()
        assert second.append(2, seq="1")
        second.close()


def test_closing_ends_event_streams_on_shared_connections(url: str) -> None:
    with httpx.Client() as http, BlockingStreamClient(url, http=http) as stream:
        stream.create()
        closer = threading.Timer(0.1, stream.close)
        closer.start()
        started = time.monotonic()
        assert [list(batch.messages) for batch in stream.follow(live="sse")] == [[]]
        assert time.monotonic() - started < 5
        closer.join()


@pytest.mark.parametrize("make", [StreamClient, BlockingStreamClient])
def test_a_client_that_did_nothing_closes_too(make: Callable[[str], Any]) -> None:
    stream = make("http://127.0.0.1:9/s")
    asyncio.run(stream.close()) if make is StreamClient else stream.close()
