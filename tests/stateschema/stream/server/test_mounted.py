"""A server within a web application: below a path, behind a proxy, with a life that the application rules."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from stateschema.stream.client.client import StreamClient
from stateschema.stream.server import StreamServer
from stateschema.stream.store import MemoryStore
from stateschema.streamdb.db import StreamDB
from tests.stateschema.streamdb.chat import Chat, Message


async def other(_: Request) -> PlainTextResponse:
    return PlainTextResponse("other")


@asynccontextmanager
async def application(place: str, root: str = "") -> AsyncGenerator[httpx.AsyncClient]:
    """A client of an application with a server mounted at a place."""
    server = StreamServer(MemoryStore())
    app = Starlette(routes=[Route("/other", other), Mount(place, server)])
    transport = httpx.ASGITransport(app, root_path=root)
    async with httpx.AsyncClient(transport=transport, base_url="http://there") as client:
        yield client
    await server.aclose()


@pytest.mark.parametrize(
    ("place", "root", "asked"),
    [
        ("/", "", ""),
        ("/streams", "", "/streams"),
        ("/a/b", "", "/a/b"),
        ("/v1", "", "/v1"),
        ("/ströme", "", "/str%C3%B6me"),
        ("/streams", "/api", "/api/streams"),
        ("/", "/api", "/api"),
    ],
)
def test_streams_are_found_below_the_place_of_the_mount(place: str, root: str, asked: str) -> None:
    async def run() -> None:
        async with application(place, root) as client:
            url = f"{asked}/v1/stream/a%2Fb"
            made = await client.put(url, headers={"Content-Type": "text/plain"}, content="hi")
            location = f"http://there{asked}/v1/stream/a/b"
            assert (made.status_code, made.headers["Location"]) == (201, location)
            fork = {"Stream-Forked-From": url}
            assert (await client.put(f"{asked}/v1/stream/fork", headers=fork)).status_code == 201
            for found in (url, location, f"{asked}/v1/stream/fork"):
                assert (await client.get(found)).text == "hi"
            assert (await client.get(f"{asked}/health")).json() == {"status": "ok"}
            assert (await client.get(f"{root}/other")).text == "other"
            elsewhere = await client.get(f"{asked}/v2/stream/a")
            assert elsewhere.json()["error"]["code"] == "not-found"

    asyncio.run(run())


def test_a_proxy_may_take_off_the_part_of_the_path_that_is_its_own() -> None:
    """As for FastAPI(root_path="/api"), whose own routes are found with that part and without it."""

    async def run() -> None:
        async with application("/streams", root="/api") as client:
            made = await client.put("/streams/v1/stream/a", content="hi")
            location = "http://there/api/streams/v1/stream/a"
            assert (made.status_code, made.headers["Location"]) == (201, location)
            fork = {"Stream-Forked-From": "/api/streams/v1/stream/a"}
            assert (await client.put("/streams/v1/stream/f", headers=fork)).status_code == 201
            assert (await client.get("/streams/v1/stream/f")).text == "hi"
            assert (await client.get("/other")).text == "other"

    asyncio.run(run())


def test_a_name_that_begins_as_the_place_does_is_not_taken_for_it() -> None:
    async def run() -> None:
        async with application("/", root="/v1/str") as client:
            assert (await client.put("/v1/stream/a", content="hi")).status_code == 201
            assert (await client.get("/v1/str/v1/stream/a")).text == "hi"

    asyncio.run(run())


def test_a_stream_db_follows_a_stream_of_the_application_it_is_part_of() -> None:
    async def run() -> None:
        server = StreamServer(MemoryStore())
        told: list[str] = []

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncGenerator[None]:
            await server.start()
            yield
            await server.aclose()
            told.append("closed")

        app = Starlette(routes=[Mount("/streams", server)], lifespan=lifespan)
        transport = httpx.ASGITransport(app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport) as http:
            url = "http://there/streams/v1/stream/chat"
            client = StreamClient(url, http=http)
            await client.create()
            await client.append([Chat.messages.insert(Message(id="1", text="hi"))])
            async with StreamDB(Chat, stream=client, live=False) as db:
                assert dict(db.collections.messages) == {"1": Message(id="1", text="hi")}
        assert told == ["closed"]

    asyncio.run(run())
