"""The programs of `tests.usage.editing`, used."""

import asyncio

from stateschema.stream import MemoryStream
from stateschema.streamdb import StreamDB
from tests.usage.chat import Chat
from tests.usage.editing import quickstart, rename


def test_what_is_written_is_seen_at_once_and_stays() -> None:
    async def scenario() -> None:
        stream = MemoryStream()
        async with StreamDB(Chat, stream=stream) as db:
            assert await quickstart(db) == ["persisting: Hello", "completed: Hello"]
        async with StreamDB(Chat, stream=stream) as later:
            assert [message.content for message in later.collections.messages.rows()] == ["Hello"]

    asyncio.run(scenario())


def test_an_edit_is_seen_at_once_and_taken_back_when_it_is_refused() -> None:
    async def scenario() -> None:
        async with StreamDB(Chat, stream=MemoryStream()) as db:
            await quickstart(db)
            assert await rename(db, "Hi") == ["Hi", "completed", "Hi"]
            assert await rename(db, "") == [
                "",
                "rolled back: a message cannot be empty",
                "failed",
                "Hi",
            ]

    asyncio.run(scenario())
