"""A StreamDB by its URL: created, asked with headers, followed in any mode, forked."""

import asyncio
from collections.abc import Generator, Iterator
from itertools import count
from typing import Any

import httpx
import pytest

from stateschema.errors import NetworkError, RefusedError, StreamError, StreamNotFoundError
from stateschema.stream.client import BlockingStreamClient, Retry, Timeouts
from stateschema.stream.memory import MemoryStream
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.db import StreamDB
from tests.stateschema.stream.client.servers import served
from tests.stateschema.streamdb.chat import Chat, Message, events, message

_numbers: Iterator[int] = count()


@pytest.fixture(scope="module")
def server() -> Generator[str]:
    with served() as url:
        yield url


@pytest.fixture
def missing(server: str) -> str:
    """The URL of a stream that is not there."""
    return f"{server}settings-{next(_numbers)}"


@pytest.fixture
def url(missing: str) -> str:
    with BlockingStreamClient(missing) as stream:
        stream.create()
    return missing


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """All requests that are sent under asyncio."""
    found: list[httpx.Request] = []
    send = httpx.AsyncClient.send

    async def noted(self: httpx.AsyncClient, request: httpx.Request, **more: Any) -> httpx.Response:
        found.append(request)
        return await send(self, request, **more)

    monkeypatch.setattr(httpx.AsyncClient, "send", noted)
    return found


def test_create_makes_a_missing_stream_and_leaves_one_that_is_there(missing: str) -> None:
    async def run() -> None:
        with pytest.raises(StreamNotFoundError):
            async with StreamDB(Chat, url=missing):
                pytest.fail("entered")
        async with StreamDB(Chat, url=missing, create=True) as db:
            await db.collections.messages.insert(Message(id="1", text="a"))
        async with StreamDB(Chat, url=missing, create=True) as db:
            assert set(db.collections.messages) == {"1"}

    asyncio.run(run())
    with BlockingStreamDB(Chat, url=missing, create=True) as db:
        assert set(db.collections.messages) == {"1"}


def test_a_blocking_one_creates_too(missing: str) -> None:
    with BlockingStreamDB(Chat, url=missing, create=True) as db:
        assert (db.status, len(db.collections.messages)) == ("ready", 0)


def test_create_leaves_a_stream_of_another_form_alone(missing: str) -> None:
    with BlockingStreamClient(missing) as stream:
        stream.create(ttl=3600)
        stream.append(events([message("1")]))
    with BlockingStreamDB(Chat, url=missing, create=True) as db:
        assert set(db.collections.messages) == {"1"}


def test_headers_and_params_go_with_every_request(url: str, asked: list[httpx.Request]) -> None:
    async def run() -> None:
        headers = {"Authorization": lambda: "Bearer x"}
        params = {"tenant": "t1"}
        async with StreamDB(Chat, url=url, headers=headers, params=params) as db:
            await db.collections.messages.insert(Message(id="1", text="a"))

    asyncio.run(run())
    assert {request.method for request in asked} >= {"GET", "POST"}
    for request in asked:
        assert request.headers["authorization"] == "Bearer x"
        assert request.url.params["tenant"] == "t1"


def test_timeouts_and_retries_pass_through(url: str, asked: list[httpx.Request]) -> None:
    timeouts = Timeouts(connect=1.5, request=2.5, live=3.5)

    async def run() -> None:
        async with StreamDB(Chat, url=url, timeouts=timeouts):
            await asyncio.sleep(0)

    asyncio.run(run())
    assert asked[0].extensions["timeout"]["connect"] == 1.5
    assert asked[0].extensions["timeout"]["read"] == 2.5

    async def fail() -> None:
        never = Retry(max_retries=0)
        db = StreamDB(Chat, url="http://127.0.0.1:1/s", create=True, retry=never)
        with pytest.raises(NetworkError):
            await db.preload()
        await db.close()

    asyncio.run(fail())


@pytest.mark.parametrize(
    ("live", "modes"), [("long-poll", {"long-poll"}), ("sse", {"sse"}), ("auto", {"sse"})]
)
def test_each_live_mode_asks_for_itself_after_catching_up(
    url: str, asked: list[httpx.Request], live: Any, modes: set[str]
) -> None:
    async def run() -> None:
        async with StreamDB(Chat, url=url, live=live) as db:
            await db.collections.messages.insert(Message(id="1", text="a"))

    asyncio.run(run())
    reads = [request for request in asked if request.method == "GET"]
    assert "live" not in reads[0].url.params
    assert {request.url.params["live"] for request in reads[1:]} == modes


def test_without_live_the_present_end_is_the_end(url: str, asked: list[httpx.Request]) -> None:
    async def run() -> None:
        async with StreamDB(Chat, url=url, live=False) as db:
            await db.wait_closed()
            assert (db.status, db.collections.messages.status) == ("closed", "closed")

    asyncio.run(run())
    assert [dict(request.url.params) for request in asked] == [{"offset": "-1"}]
    stream = MemoryStream()
    stream.append_now(events([message("1")]))
    with BlockingStreamDB(Chat, stream=stream, live=False) as db:
        assert (db.status, db.poll(timeout=None), set(db.collections.messages)) == (
            "closed",
            0,
            {"1"},
        )


@pytest.mark.parametrize(
    "setting", [{"create": True}, {"headers": {}}, {"live": "sse"}, {"timeouts": Timeouts()}]
)
def test_settings_of_a_url_are_refused_for_a_stream(setting: dict[str, Any]) -> None:
    name = next(iter(setting))
    with pytest.raises(TypeError, match=f"{name}= of StreamDB is a setting of a url"):
        StreamDB(Chat, stream=MemoryStream(), **setting)


def test_a_fork_begins_with_what_is_shown_and_goes_its_own_way(url: str) -> None:
    async def run() -> None:
        async with StreamDB(Chat, url=url, headers={"X-A": "1"}) as db:
            await db.collections.messages.insert(Message(id="1", text="a"))
            async with await db.fork(f"{url}-fork") as fork:
                await fork.collections.messages.insert(Message(id="2", text="b"))
                assert set(fork.collections.messages) == {"1", "2"}
            await db.collections.messages.insert(Message(id="3", text="c"))
            assert set(db.collections.messages) == {"1", "3"}

    asyncio.run(run())
    with (
        BlockingStreamDB(Chat, url=url) as db,
        db.fork(f"{url}-second", offset="-1") as empty,
        db.fork(f"{url}-third") as whole,
    ):
        assert (len(empty.collections.messages), len(whole.collections.messages)) == (0, 2)
        with pytest.raises(RefusedError):
            db.fork(url)


def test_only_streams_on_a_server_can_be_forked() -> None:
    async def run() -> None:
        async with StreamDB(Chat, stream=MemoryStream("chat")) as db:
            with pytest.raises(StreamError, match="'chat' cannot be forked: it is not on a server"):
                await db.fork("other")

    asyncio.run(run())
