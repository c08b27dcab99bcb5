"""A message that its writer sees at once, in every view, while a backend elsewhere writes it to the stream."""

import asyncio
import json
from typing import Any, Literal

import pytest

from dataflow import TransactionError, action
from stateschema.events import new_txid
from stateschema.session import Chunk, Session, SessionViews, chunk_id
from stateschema.stream.memory import MemoryStream
from stateschema.streamdb.db import StreamDB

Order = Literal["answer first", "event first", "refused"]


def said(message_id: str, text: str, created_at: str = "2026-03-04T09:00:00Z") -> Chunk:
    message = {"role": "user", "parts": [{"type": "text", "content": text}]}
    return Chunk(
        id=chunk_id(message_id, 0),
        message_id=message_id,
        actor_id="ada",
        role="user",
        chunk=json.dumps({"type": "whole-message", "message": message}),
        seq=0,
        created_at=created_at,
    )


class Backend:
    """Another process that writes to the stream, and answers before or after that has come back."""

    def __init__(self, stream: MemoryStream, order: Order) -> None:
        self.stream = stream
        self.order = order
        self.may_write = asyncio.Event()
        self.writing: asyncio.Task[None] | None = None

    async def post(self, db: StreamDB[Session], text: str, txid: str) -> None:
        if self.order == "refused":
            await self.may_write.wait()
            raise ConnectionError("no")
        self.writing = asyncio.create_task(self.write(text, txid))
        if self.order == "event first":
            await self.writing
            await db.wait_txid(txid)

    async def write(self, text: str, txid: str) -> None:
        await self.may_write.wait()
        await self.stream.append([Session.chunks.insert(said("m2", text), txid=txid)])


def in_views(views: SessionViews) -> dict[str, Any]:
    """What the views that read messages say of them."""
    (stats,) = views.session_stats.rows()
    return {
        "messages": [message.text for message in views.messages.rows()],
        "model": [message.content for message in views.model_messages.rows()],
        "counted": stats.message_count,
    }


BEFORE = {"messages": ["Hi"], "model": ["Hi"], "counted": 1}
AFTER = {"messages": ["Hi", "Deploy it"], "model": ["Hi", "Deploy it"], "counted": 2}


@pytest.mark.parametrize("order", ["answer first", "event first", "refused"])
def test_it_is_in_every_view_at_once_and_stays_until_it_is_settled(order: Order) -> None:
    async def run() -> None:
        stream = MemoryStream()
        await stream.append([Session.chunks.insert(said("m1", "Hi", "2026-03-04T08:00:00Z"))])
        backend = Backend(stream, order)
        async with StreamDB(Session, stream=stream) as db:
            views = SessionViews(db.collections)
            told: list[Any] = []
            views.messages.subscribe(lambda epoch: told.extend((c.op, c.key) for c in epoch))

            def show(text: str, txid: str) -> None:
                db.collections.chunks.insert(said("m2", text))

            @action(on_mutate=show)
            async def send(text: str, txid: str) -> None:
                await backend.post(db, text, txid)
                await db.wait_txid(txid)

            assert in_views(views) == BEFORE
            sending = send("Deploy it", new_txid())
            assert (in_views(views), sending.state) == (AFTER, "persisting")
            backend.may_write.set()
            if order == "refused":
                with pytest.raises(TransactionError):
                    await sending
                assert (in_views(views), told) == (BEFORE, [("insert", "m2"), ("delete", "m2")])
            else:
                await sending
                assert (in_views(views), told) == (AFTER, [("insert", "m2")])  # and no flicker
                async with StreamDB(Session, stream=stream) as other:
                    assert in_views(SessionViews(other.collections)) == AFTER

    asyncio.run(run())
