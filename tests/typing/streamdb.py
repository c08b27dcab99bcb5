"""What type checkers infer about the collections of a StreamDB. Checked, never run."""

from typing import assert_type

from dataflow.collection.collection import Collection
from dataflow.live.live import LiveQuery, live
from dataflow.query.builder import query
from stateschema.schema.entity import Entity
from stateschema.stream.client.client import StreamClient
from stateschema.stream.memory import MemoryStream
from stateschema.stream.offset import Offset
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.blocking_combined import BlockingCombinedStreamDB
from stateschema.streamdb.combined import CombinedStreamDB
from stateschema.streamdb.db import StreamDB
from tests.stateschema.streamdb.chat import Chat, Message
from tests.stateschema.streamdb.combined_schemas import App, Profile, Profiles


async def collections_have_the_rows_of_their_entities() -> None:
    async with StreamDB(Chat, stream=MemoryStream()) as db:
        assert_type(db, StreamDB[Chat])
        assert_type(db.collections.messages, Collection[Message])
        message = db.collections.messages.alias("message")
        newest = live(query(message).where(message.text != "").limit(3))
        assert_type(newest, LiveQuery[Message])
        _ = db.collections.mesages  # type: ignore[attr-defined]  # no such entity
        _ = db.messages  # type: ignore[attr-defined]  # at run time only
    assert_type(Chat.messages, Entity[Message])


def the_blocking_form_is_typed_alike() -> None:
    with BlockingStreamDB(Chat, stream=MemoryStream()) as db:
        assert_type(db.collections.messages, Collection[Message])
        assert_type(db.poll(timeout=1), int)


async def a_client_is_a_stream() -> None:
    client = StreamClient("http://host/s")
    assert_type(await client.append({"any": "value"}), Offset)
    async with StreamDB(Chat, stream=client), StreamDB(Chat, url="http://host/s") as db:
        assert_type(db, StreamDB[Chat])


async def several_streams_have_the_rows_of_all() -> None:
    parts = StreamDB(Chat, stream=MemoryStream()), StreamDB(Profiles, stream=MemoryStream())
    async with CombinedStreamDB(App, *parts) as db:
        assert_type(db, CombinedStreamDB[App])
        assert_type(db.collections.messages, Collection[Message])
        assert_type(db.collections.profiles, Collection[Profile])
    blocking = BlockingStreamDB(Chat, stream=MemoryStream())
    _ = CombinedStreamDB(Chat, blocking)  # type: ignore[arg-type]  # of the other kind
    with BlockingCombinedStreamDB(Chat, blocking) as polled:
        assert_type(polled, BlockingCombinedStreamDB[Chat])
        assert_type(polled.collections.messages, Collection[Message])
        assert_type(polled.poll(), int)


def arguments_are_checked() -> None:
    _ = StreamDB(Chat, strem=MemoryStream())  # type: ignore[call-arg]  # misspelt
    _ = StreamDB(Chat, stream=MemoryStream(), conflicts="refus")  # type: ignore[arg-type]  # no policy
    with StreamDB(Chat, stream=MemoryStream()):  # type: ignore[attr-defined]  # entered with `async with`
        pass
