"""Several streams in one database."""

import asyncio
from pathlib import Path

import pytest
from pydantic import BaseModel

from dataflow import TransactionError, live, query
from dataflow.collection.transaction import Transaction
from stateschema.errors import EventError, SchemaError
from stateschema.schema.entity import Entity, StateSchema
from stateschema.streamdb.combined import CombinedStreamDB
from stateschema.streamdb.db import StreamDB
from tests.stateschema.streamdb.chat import Chat, Message, change, message
from tests.stateschema.streamdb.recording import Recording


class Profile(BaseModel, frozen=True):
    id: str
    name: str


class Profiles(StateSchema):
    profiles = Entity(Profile, type="profile", key="id")


class App(Chat, Profiles):
    pass


def profile(key: str, name: str, **headers: str) -> dict[str, object]:
    return change("profile", key, "upsert", {"id": key, "name": name}, **headers)


def test_collections_of_two_streams_are_joined_and_each_has_its_offset() -> None:
    session, shared = Recording([message("1", "ann")]), Recording([profile("ann", "Ann")])

    async def run() -> None:
        parts = StreamDB(Chat, stream=session), StreamDB(Profiles, stream=shared)
        async with CombinedStreamDB(App, *parts) as db:
            said = db.collections.messages.alias("said")
            who = db.collections.profiles.alias("who")
            named = live(
                query(said).join(who, on=said.text == who.id).select(id=said.id, name=who.name)
            )
            assert named.rows() == [{"id": "1", "name": "Ann"}]
            shared.put([profile("ann", "Anna", txid="t")])
            await db.parts[Profiles].wait_txid("t")
            await db.collections.messages.insert(Message(id="2", text="ann"))
            assert named.rows() == [{"id": "1", "name": "Anna"}, {"id": "2", "name": "Anna"}]
            offsets = [db.parts[each].offset for each in (Chat, Profiles)]
            assert offsets == [session.head_now(), shared.head_now()]
            assert (db.status, db.error) == ("ready", None)
        assert [part.status for part in parts] == ["closed", "closed"]
        assert db.status == "closed"

    asyncio.run(run())


def test_a_part_that_fails_leaves_the_others_running() -> None:
    session, shared = Recording([message("1")]), Recording()

    async def run() -> None:
        parts = StreamDB(Chat, stream=session), StreamDB(Profiles, stream=shared)
        async with CombinedStreamDB(App, *parts) as db:
            shared.put([change("profile", "x", "insert", 5)])
            with pytest.raises(EventError):
                await db.parts[Profiles].wait_closed()
            session.put([message("2", txid="t")])
            await db.parts[Chat].wait_txid("t")
            assert set(db.collections.messages) == {"1", "2"}
            assert (db.status, db.error) == ("error", db.parts[Profiles].error)

    with pytest.raises(EventError):
        asyncio.run(run())


def test_a_part_that_cannot_be_opened_closes_all() -> None:
    bad = Recording([change("profile", "x", "insert", 5)])

    async def run() -> None:
        parts = StreamDB(Chat, stream=Recording()), StreamDB(Profiles, stream=bad)
        with pytest.raises(EventError):
            async with CombinedStreamDB(App, *parts):
                pytest.fail("entered")
        assert [part.status for part in parts] == ["closed", "error"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_each_part_resumes_from_its_own_cache(tmp_path: Path) -> None:
    session, shared = Recording([message("1")]), Recording([profile("ann", "Ann")])

    async def run() -> None:
        parts = (
            StreamDB(Chat, stream=session, cache=tmp_path / "session.db"),
            StreamDB(Profiles, stream=shared, cache=tmp_path / "profiles.db"),
        )
        async with CombinedStreamDB(App, *parts) as db:
            assert (len(db.collections.messages), len(db.collections.profiles)) == (1, 1)

    asyncio.run(run())
    session.starts, shared.starts = [], []
    asyncio.run(run())
    assert (session.starts, shared.starts) == ([session.head_now()], [shared.head_now()])


def test_a_transaction_over_two_streams_is_refused() -> None:
    async def run() -> None:
        session = Recording()
        parts = StreamDB(Chat, stream=session), StreamDB(Profiles, stream=Recording())
        async with CombinedStreamDB(App, *parts) as db:
            tx = Transaction(mutation_fn=db.parts[Chat].persist)
            with tx:
                db.collections.messages.insert(Message(id="1", text=""))
                db.collections.profiles.insert(Profile(id="a", name="A"))
            with pytest.raises(TransactionError, match="collection 'profiles' is none of Chat"):
                await tx.commit()
            assert (len(db.collections.messages), session.head_now()[-1]) == (0, "0")

    asyncio.run(run())


def test_the_schema_has_to_be_that_of_the_parts() -> None:
    chat = StreamDB(Chat, stream=Recording())
    with pytest.raises(SchemaError, match="entity 'profiles' of 'App' is in none of the parts"):
        CombinedStreamDB(App, chat)
    with pytest.raises(SchemaError, match="two parts have one schema"):
        CombinedStreamDB(Chat, chat, StreamDB(Chat, stream=Recording()))
