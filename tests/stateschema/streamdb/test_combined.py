"""Several streams in one database."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dataflow import TransactionError, live, query
from dataflow.collection.transaction import Transaction
from stateschema.errors import EventError, SchemaError, StreamClosedError
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.combined import CombinedStreamDB
from stateschema.streamdb.db import StreamDB
from tests.stateschema.streamdb.chat import Chat, Message, change, message
from tests.stateschema.streamdb.combined_schemas import App, Profile, Profiles, profile
from tests.stateschema.streamdb.recording import Recording


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
            await db.wait_txid("t")
            written = db.collections.messages.insert(Message(id="2", text="ann"))
            assert db.progress(written) == "pending"
            await written
            assert db.progress(written) == "settled"
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


def both(session: Recording, shared: Recording) -> CombinedStreamDB[App]:
    return CombinedStreamDB(App, StreamDB(Chat, stream=session), StreamDB(Profiles, stream=shared))


def test_a_txid_is_waited_for_in_every_part() -> None:
    session, shared = Recording(), Recording()

    async def run() -> None:
        async with both(session, shared) as db:
            waiting = [asyncio.create_task(db.wait_txid(txid)) for txid in ("a", "b")]
            shared.put([profile("ann", "Ann", txid="b")])
            await waiting[1]
            assert (waiting[0].done(), set(db.collections.profiles)) == (False, {"ann"})
            session.put([message("1", txid="a")])
            await waiting[0]
            await asyncio.gather(db.wait_txid("a", timeout=0), db.wait_txid("b"))
            with pytest.raises(TimeoutError, match=r"txid 'c' did not come within 0.01 s"):
                await db.wait_txid("c", timeout=0.01)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_a_stream_that_ends_leaves_the_others_to_be_waited_for() -> None:
    session, shared = Recording(), Recording()

    async def run() -> None:
        async with both(session, shared) as db:
            waiting = asyncio.create_task(db.wait_txid("a"))
            ending = asyncio.create_task(db.wait_closed())
            await shared.close()
            await db.parts[Profiles].wait_closed()
            session.put([message("1", txid="a")])
            await waiting
            assert not ending.done()
            waiting = asyncio.create_task(db.wait_txid("b"))
            await session.close()
            with pytest.raises(StreamClosedError, match="txid 'b' came"):
                await waiting
            await ending

    asyncio.run(run())


def test_whoever_waits_is_told_of_a_part_that_fails() -> None:
    session, shared = Recording(), Recording()

    async def run() -> None:
        async with both(session, shared) as db:
            waiting = [db.wait_txid("a"), db.wait_closed()]
            tasks = [asyncio.ensure_future(each) for each in waiting]
            shared.put([change("profile", "x", "insert", 5)])
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            assert ends == [db.parts[Profiles].error] * 2
            assert db.parts[Chat].status == "ready"

    with pytest.raises(EventError):
        asyncio.run(run())


def test_what_is_no_part_is_refused() -> None:
    blocking: Any = BlockingStreamDB(Chat, stream=Recording())
    with pytest.raises(TypeError, match="CombinedStreamDB takes each part as a StreamDB, not <Bl"):
        CombinedStreamDB(Chat, blocking)
    misspelt: Any = CombinedStreamDB
    with pytest.raises(
        TypeError, match=r"^CombinedStreamDB: got an unexpected .* 'chat'"
    ) as caught:
        misspelt(Chat, chat=blocking)
    assert caught.value.__notes__ == ["write CombinedStreamDB(Schema, part, ...)"]
    with pytest.raises(TypeError, match="CombinedStreamDB takes a subclass of StateSchema, not 5"):
        misspelt(5)
