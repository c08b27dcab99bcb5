"""The feed of messages: what is there first, then each epoch, to readers that come and go."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

pytest.importorskip("starlette")

from starlette.applications import Starlette

from examples.live_feed import Chat, Chunk, feed_app
from stateschema.stream.memory import MemoryStream
from stateschema.streamdb.db import StreamDB


class Reader:
    """A browser that reads the feed of an application."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self._gone = asyncio.Event()
        self._sent: asyncio.Queue[Any] = asyncio.Queue()
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": "/messages",
            "query_string": b"",
            "headers": [],
        }
        await self._app(scope, self._receive, self._sent.put)

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def started(self) -> dict[str, Any]:
        """What the answer begins with."""
        reply: dict[str, Any] = await asyncio.wait_for(self._sent.get(), 10)
        return reply

    async def epoch(self) -> list[Any]:
        """The events of the next epoch."""
        reply = await asyncio.wait_for(self._sent.get(), 10)
        items = reply["body"].decode().split("\n\n")[:-1]
        return [json.loads(item.removeprefix("data: ")) for item in items]

    async def leave(self) -> None:
        """Close the connection."""
        self._gone.set()
        await asyncio.wait_for(self._task, 10)


@asynccontextmanager
async def running(app: Starlette) -> AsyncGenerator[None]:
    async with app.router.lifespan_context(app):
        yield


def chunk(message: str, seq: int, text: str) -> Any:
    row = Chunk(id=f"{message}:{seq}", message_id=message, chunk=text, seq=seq)
    return Chat.chunks.insert(row)


def value(content: str, count: int) -> dict[str, Any]:
    return {"id": "m", "content": content, "chunkCount": count}


def test_readers_get_the_messages_and_then_every_epoch() -> None:
    async def program() -> None:
        stream = MemoryStream()
        await stream.append([chunk("m", 0, "Hel"), chunk("m", 1, "lo")])
        app = feed_app(lambda: StreamDB(Chat, stream=stream))
        async with running(app):
            reader = Reader(app)
            start = await reader.started()
            assert start["status"] == 200
            assert (b"content-type", b"text/event-stream; charset=utf-8") in start["headers"]
            first = {"type": "message", "key": "m", "value": value("Hello", 2)}
            assert await reader.epoch() == [{**first, "headers": {"operation": "upsert"}}]
            await stream.append(chunk("m", 2, "!"))
            update = {**first, "value": value("Hello!", 3), "old_value": value("Hello", 2)}
            assert await reader.epoch() == [{**update, "headers": {"operation": "update"}}]
            late = Reader(app)
            await late.started()
            assert [event["value"] for event in await late.epoch()] == [value("Hello!", 3)]
            await reader.leave()
            await stream.append([Chat.chunks.delete(f"m:{seq}") for seq in range(3)])
            gone = {"type": "message", "key": "m", "headers": {"operation": "delete"}}
            assert await late.epoch() == [gone]
            await late.leave()

    asyncio.run(program())
