"""Publishers: txids through the derivation, beginning, ending and failing."""

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from dataflow import Collection, count, live, query
from stateschema.errors import RefusedError, SchemaError, StreamClosedError, StreamError
from stateschema.events import parse_event
from stateschema.schema.entity import Entity, StateSchema
from stateschema.stream.client import StreamClient
from stateschema.stream.interface import Stream
from stateschema.stream.logfile import LogFile
from stateschema.stream.memory import MemoryStream
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.combined import CombinedStreamDB
from stateschema.streamdb.db import StreamDB
from stateschema.streamdb.publishing import publication
from stateschema.streamdb.publishing.events import CLAIM_TYPE
from stateschema.streamdb.publishing.publication import Part
from stateschema.streamdb.publishing.publisher import BlockingPublisher, Publisher, publish
from tests.stateschema.stream.client.servers import served
from tests.stateschema.streamdb.chat import Chat, Message, change, events, message
from tests.stateschema.streamdb.combined_schemas import App, Profiles, profile

Row = dict[str, Any]


class Shown(StateSchema):
    messages = Entity(Message, type="shown", key="id")


def run(program: Coroutine[Any, Any, None]) -> None:
    asyncio.run(program)


def texts(db: StreamDB[Chat]) -> Any:
    """The messages with a text."""
    row = db.collections.messages.alias("row")
    return live(query(row).where(row.text != ""))


async def said(stream: Stream) -> list[Row]:
    return list((await stream.read()).messages)


def shown(key: str, operation: str, value: Row | None = None, **more: Any) -> Row:
    wire: Row = {"type": "shown", "key": key, "headers": {"operation": operation, **more}}
    return wire if value is None else {**wire, "value": value}


def marker(txid: str) -> Row:
    return {
        "type": "stateschema.txid",
        "key": txid,
        "headers": {"operation": "delete", "txid": txid},
    }


def value(key: str, text: str) -> Row:
    return {"id": key, "text": text, "replyTo": None}


def test_a_txid_goes_with_the_changes_it_made() -> None:
    async def program() -> None:
        base, derived = MemoryStream(), MemoryStream()
        async with (
            StreamDB(Chat, stream=base) as db,
            publish(texts(db), derived, type="shown", sources=[db]) as publisher,
        ):
            await base.append(events([message("1", "a", txid="t"), message("2", "b", txid="t")]))
            await db.wait_txid("t")
            await publisher.flush()
        assert await said(derived) == [
            shown("1", "upsert", value("1", "a"), txid="t"),
            shown("2", "upsert", value("2", "b"), txid="t"),
        ]

    run(program())


def test_an_epoch_of_several_collections_is_one_append() -> None:
    async def program() -> None:
        base, derived = MemoryStream(), MemoryStream()
        async with StreamDB(Chat, stream=base) as db:
            row = db.collections.messages.alias("row")
            totals = live(query(row).group_by(row.text).select(n=count()))
            parts = [Part(texts(db), "shown", None), Part(totals, "total", None)]
            async with (
                Publisher(parts, derived, sources=[db]) as publisher,
                aclosing(derived.follow()) as batches,
            ):
                assert (await anext(batches)).messages == []
                for key, txid in (("1", "t"), ("2", "u")):
                    await base.append(events([message(key, "a", txid=txid)]))
                    await db.wait_txid(txid)
                await publisher.flush()
                for key, txid in (("1", "t"), ("2", "u")):
                    told = (await anext(batches)).messages
                    assert [(each["type"], each["key"]) for each in told] == [
                        ("shown", key),
                        ("total", "a"),
                    ]
                    assert [each["headers"]["txid"] for each in told] == [txid, txid]

    run(program())


def test_a_txid_without_changes_is_told_all_the_same() -> None:
    async def program() -> None:
        base, derived = MemoryStream(), MemoryStream()
        async with (
            StreamDB(Chat, stream=base) as db,
            publish(texts(db), derived, type="shown", sources=[db]),
        ):
            await base.append(events([message("1", "", txid="t")]))
            await db.wait_txid("t")
            async with StreamDB(Shown, stream=derived) as reader:
                await reader.wait_txid("t")
                assert dict(reader.collections.messages) == {}
        assert await said(derived) == [marker("t")]

    run(program())


def test_several_txids_of_one_epoch_are_all_told() -> None:
    async def program() -> None:
        base, derived = MemoryStream(), MemoryStream()
        async with (
            StreamDB(Chat, stream=base) as db,
            publish(texts(db), derived, type="shown", sources=[db]),
        ):
            await base.append(events([message("1", "a", txid="t"), message("2", "", txid="u")]))
            await db.wait_txid("u")
        assert await said(derived) == [
            shown("1", "upsert", value("1", "a")),
            marker("t"),
            marker("u"),
        ]

    run(program())


def test_a_txid_does_not_die_with_the_process_that_should_have_told_it() -> None:
    async def program() -> None:
        base, derived = MemoryStream(), MemoryStream()
        await base.append(events([message("1", "a", txid="first")]))
        async with (
            StreamDB(Chat, stream=base) as db,
            publish(texts(db), derived, type="shown", sources=[db]),
        ):
            pass
        await base.append(events([message("1", "b", txid="late")]))  # while nobody publishes
        async with (
            StreamDB(Chat, stream=base) as db,
            publish(texts(db), derived, type="shown", sources=[db]),
        ):
            pass
        update = {**shown("1", "update", value("1", "b")), "old_value": value("1", "a")}
        assert await said(derived) == [
            shown("1", "upsert", value("1", "a")),
            update,
            marker("first"),
            marker("late"),
        ]

    run(program())


def test_an_optimistic_write_settles_across_the_derivation() -> None:
    async def program() -> None:
        base, derived = MemoryStream(), MemoryStream()
        async with (
            StreamDB(Chat, stream=base) as db,
            publish(texts(db), derived, type="shown", sources=[db]),
            StreamDB(Shown, stream=derived) as reader,
        ):
            await db.collections.messages.insert(Message(id="1", text="a"))
            (txid,) = db.recent_txids
            await reader.wait_txid(txid)
            assert dict(reader.collections.messages) == {"1": Message(id="1", text="a")}

    run(program())


def test_nothing_is_published_before_the_first_rows_are_there() -> None:
    async def program() -> None:
        base, derived = MemoryStream(), MemoryStream()
        await derived.append(events([change("shown", "1", "insert", value("1", "a"))]))
        await base.append(events([message("1", "a")]))
        db = StreamDB(Chat, stream=base, preload=False)
        publisher = publish(texts(db), derived, type="shown", sources=[db])
        starting = asyncio.create_task(publisher.start())
        await asyncio.sleep(0)
        assert len(await said(derived)) == 1
        await db.preload()
        await starting
        assert len(await said(derived)) == 1  # the rows were told already
        await publisher.close()
        await db.close()

    run(program())


def test_rows_told_by_others_under_another_type_are_left_alone() -> None:
    async def program() -> None:
        derived = MemoryStream()
        other = change("other", "1", "insert", {"id": "1"})
        await derived.append(events([other, change("shown", "9", "insert", value("9", "old"))]))
        rows = Collection[Row]("rows", key="id")
        with rows.sync() as write:
            write.insert({"id": "1"})
        async with publish(rows, derived, type="shown"):
            pass
        assert (await said(derived))[2:] == [
            shown("9", "delete"),
            shown("1", "upsert", {"id": "1"}),
        ]

    run(program())


def test_a_row_that_cannot_be_told_ends_publishing() -> None:
    async def program() -> None:
        rows = Collection[Row]("rows", key="id")
        names = live(query(rows).map(lambda row: str(row["id"])))
        publisher = publish(names, MemoryStream(), type="shown")
        await publisher.start()
        with rows.sync() as write:
            write.insert({"id": "1"})
        for wait in (publisher.flush, publisher.wait_closed):
            with pytest.raises(SchemaError, match="'str' is no object on the wire"):
                await wait()
        await publisher.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(program())


def test_a_field_in_the_place_of_the_order_key_is_an_error() -> None:
    async def program() -> None:
        rows = Collection[Row]("rows", key="id")
        with rows.sync() as write:
            write.insert({"id": "1", "orderKey": 7})
        row = rows.alias("row")
        ordered = live(query(row).order_by(row.id))
        with pytest.raises(SchemaError, match="field 'orderKey' of their own"):
            async with publish(ordered, MemoryStream(), type="shown"):
                pytest.fail("it was entered")
        stream = MemoryStream()
        async with publish(ordered, stream, type="shown", order_field=None):
            pass
        assert await said(stream) == [shown("1", "upsert", {"id": "1", "orderKey": 7})]

    run(program())


def test_whoever_waits_hears_that_it_was_closed() -> None:
    async def program() -> None:
        rows = Collection[Row]("rows", key="id")
        publisher = publish(rows, MemoryStream(), type="shown")
        with rows.sync() as write:
            write.insert({"id": "1"})
        await publisher.start()
        with rows.sync() as write:
            write.insert({"id": "2"})
        await publisher.close()
        with pytest.raises(StreamClosedError, match="before everything was appended"):
            await publisher.flush()
        await publisher.wait_closed()
        await publisher.close()

    run(program())


def test_what_waits_for_too_long_is_told_as_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication, "MAX_WAITING", 3)
    rows, stream = Collection[Row]("rows", key="id"), MemoryStream()
    with BlockingPublisher(rows, stream, type="shown") as publisher:
        for n in range(20):
            with rows.sync() as write:
                write.upsert({"id": str(n % 2), "n": n})
        publisher.flush()
        assert stream.read_now().messages == [
            shown("0", "upsert", {"id": "0", "n": 18}),
            shown("1", "upsert", {"id": "1", "n": 19}),
        ]


def test_a_blocking_publisher_tells_what_was_polled(tmp_path: Path) -> None:
    base, derived = MemoryStream(), LogFile(tmp_path / "derived.jsonl", create=True)
    with BlockingStreamDB(Chat, stream=base) as db:
        view = live(query(db.collections.messages))
        with BlockingPublisher(view, derived, type="shown", sources=[db]) as publisher:
            base.append_now(events([message("1", "a", txid="t")]))
            assert db.poll() == 1
            publisher.flush()
            assert derived.read_now().messages == [shown("1", "upsert", value("1", "a"), txid="t")]
        publisher.close()
        with pytest.raises(StreamClosedError, match="publisher is closed"):
            publisher.flush()
    derived.close_now()


def test_a_blocking_publisher_does_not_wait_for_rows() -> None:
    db = BlockingStreamDB(Chat, stream=MemoryStream(), preload=False)
    with (
        pytest.raises(StreamError, match="is loading: nothing to publish yet"),
        BlockingPublisher(db.collections.messages, MemoryStream(), type="shown"),
    ):
        pytest.fail("it was entered")
    db.close()


def test_the_next_publisher_of_a_stream_on_a_server_takes_over() -> None:
    async def program(url: str) -> None:
        rows = Collection[Row]("rows", key="id")

        def write(key: str) -> None:
            with rows.sync() as writer:
                writer.upsert({"id": key})

        async with StreamClient(url) as stream, StreamClient(url) as again:
            await stream.create()
            first, second = publish(rows, stream, type="row"), publish(rows, again, type="row")
            write("1")
            await first.start()
            write("2")
            await first.flush()
            await second.start()
            write("3")
            await second.flush()
            with pytest.raises(RefusedError):
                await first.wait_closed()
            told = [(wire["type"], wire["key"]) for wire in await stream.read_all()]
            claim = (CLAIM_TYPE, "publish:row")
            assert told == [claim, ("row", "1"), ("row", "2"), claim, ("row", "3")]
            await first.close()
            await second.close()

    with served() as url:
        run(program(f"{url}views"))


def test_it_is_public() -> None:
    publisher = publish(Collection[Row]("rows", key="id"), MemoryStream(), type="row")
    assert isinstance(publisher, Publisher)
    assert parse_event(marker("t")).headers.model_extra == {}


def test_types_and_sources_are_checked_when_a_publisher_is_made() -> None:
    rows = Collection[Row]("rows", key="id")
    wrong: Any = publish
    with pytest.raises(SchemaError, match="must be a non-empty text, not ''"):
        publish(rows, MemoryStream(), type="")
    for own in ("stateschema.txid", "stateschema.publisher"):
        with pytest.raises(SchemaError, match=f"type '{own}' is that of what publishers say"):
            publish(rows, MemoryStream(), type=own)
    with pytest.raises(SchemaError, match="2 collections are published with the type 'a'"):
        Publisher([Part(rows, "a", None), Part(rows, "a", None)], MemoryStream())
    with BlockingStreamDB(Chat, stream=MemoryStream()) as db:
        with pytest.raises(
            TypeError, match=r"takes a list of StreamDBs: write \[<BlockingStreamDB"
        ):
            wrong(rows, MemoryStream(), type="a", sources=db)
        with pytest.raises(TypeError, match="sources= takes StreamDBs, not 5"):
            wrong(rows, MemoryStream(), type="a", sources=[db, 5])


def test_txids_of_all_parts_of_a_combined_db_go_through() -> None:
    session, shared, derived = MemoryStream(), MemoryStream(), MemoryStream()

    async def program() -> None:
        parts = StreamDB(Chat, stream=session), StreamDB(Profiles, stream=shared)
        async with CombinedStreamDB(App, *parts) as db:
            await session.append(events([message("1", "a", txid="before")]))
            await db.wait_txid("before")
            view = live(query(db.collections.messages))
            async with publish(view, derived, type="shown", sources=[db]):
                await session.append(events([message("2", "b", txid="s")]))
                await db.wait_txid("s")
                await shared.append(events([profile("ann", "Ann", txid="p")]))
                await db.wait_txid("p")
            await session.append(events([message("3", "c", txid="after")]))
            await db.wait_txid("after")
        assert await said(derived) == [
            shown("1", "upsert", value("1", "a")),
            shown("2", "upsert", value("2", "b"), txid="s"),
            marker("p"),
        ]

    run(program())


def test_publishing_ends_with_what_is_published() -> None:
    async def program() -> None:
        rows = Collection[Row]("rows", key="id")
        view, stream = live(query(rows)), MemoryStream()
        async with publish(view, stream, type="shown") as publisher:
            ending = asyncio.create_task(publisher.wait_closed())
            with rows.sync() as writer:
                writer.insert({"id": "1"})
            view.close()
            await ending
            assert await said(stream) == [shown("1", "upsert", {"id": "1"})]
        assert publisher.error is None

    run(program())


def test_a_view_that_fails_is_published_again_when_it_has_recovered() -> None:
    async def program() -> None:
        rows = Collection[Row]("rows", key="id")
        view = live(query(rows).map(lambda row: {"id": row["id"], "half": 6 // row["n"]}))
        stream = MemoryStream()

        def write(key: str, n: int) -> None:
            with rows.sync() as writer:
                writer.upsert({"id": key, "n": n})

        async with publish(view, stream, type="shown") as publisher:
            write("1", 1)
            write("2", 0)
            await publisher.flush()
            assert (view.status, len(await said(stream))) == ("error", 1)
            write("2", 2)
            await publisher.flush()
            assert (view.status, publisher.error) == ("ready", None)
        assert await said(stream) == [
            shown("1", "upsert", {"id": "1", "half": 6}),
            shown("2", "upsert", {"id": "2", "half": 3}),
        ]

    run(program())


def test_a_closed_publisher_is_not_started_again() -> None:
    async def program() -> None:
        publisher = publish(Collection[Row]("rows", key="id"), MemoryStream(), type="row")
        async with publisher:
            pass
        with pytest.raises(StreamClosedError, match="closed, for good"):
            await publisher.start()

    run(program())
