"""A live query as server-sent events, in a web application: chunks come in, whole messages go out.

    python -m stateschema serve &
    python -m stateschema stream create http://127.0.0.1:4437/v1/stream/chat
    STREAM_URL=http://127.0.0.1:4437/v1/stream/chat uvicorn --factory examples.live_feed:feed_of_url
    curl -N http://127.0.0.1:8000/messages

The first item is the rows that are there, then one item per epoch. Each reader has its own `changes()`: one that
is slow gets several epochs merged into one item, and one that goes away is forgotten at once.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from dataflow import collect, live, query
from stateschema import Entity, StateSchema
from stateschema.streamdb import StreamDB, to_events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping

    from starlette.requests import Request

    from dataflow import LiveQuery, Query, Source


class Wire(BaseModel):
    """Python names in Python, camelCase on the wire."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True
    )


class Chunk(Wire):
    """A piece of a message."""

    id: str
    message_id: str
    chunk: str
    seq: int


class Message(Wire):
    """A message, as far as it has come."""

    id: str
    content: str
    chunk_count: int


class Chat(StateSchema):
    """The stream of a chat."""

    chunks = Entity(Chunk, type="chunk", key="id")


def materialized(chunks: Source[Chunk]) -> Query[Message]:
    """The messages that the chunks add up to."""
    chunk = chunks.alias("chunk")
    message = query(chunk).group_by(chunk.message_id)
    rows = message.select(id=chunk.message_id, rows=collect(chunk, order_by=chunk.seq))
    return rows.map(materialize)


def materialize(row: Mapping[str, Any]) -> Message:
    """One message of its chunks, which are in order."""
    chunks: list[Chunk] = row["rows"]
    content = "".join(chunk.chunk for chunk in chunks)
    return Message(id=row["id"], content=content, chunk_count=len(chunks))


def feed_app(open_db: Callable[[], StreamDB[Chat]]) -> Starlette:
    """An application that serves the messages of a chat at `/messages`."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        async with open_db() as db:
            app.state.messages = live(materialized(db.collections.chunks), key="id")
            yield

    return Starlette(routes=[Route("/messages", feed)], lifespan=lifespan)


async def feed(request: Request) -> StreamingResponse:
    """The messages, now and from now on."""
    return StreamingResponse(body(request.app.state.messages), media_type="text/event-stream")


async def body(messages: LiveQuery[Message]) -> AsyncIterator[str]:
    """One text per epoch, with an event per message that has changed."""
    async with messages.changes(initial=True) as epochs:
        async for changes in epochs:
            events = to_events(changes, type="message")
            yield "".join(f"data: {event.to_json()}\n\n" for event in events)


def feed_of_url() -> Starlette:
    """The application for the stream at STREAM_URL."""
    return feed_app(lambda: StreamDB(Chat, url=os.environ["STREAM_URL"]))
