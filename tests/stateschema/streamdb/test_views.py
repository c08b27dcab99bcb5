"""Views of a server: derived, read-only, resumed after a restart; alone and as a process."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import TypedDict

from stateschema.errors import RefusedError
from stateschema.events import parse_events
from stateschema.schema.entity import Entity, StateSchema
from stateschema.state import MaterializedState
from stateschema.stream.client import BlockingStreamClient
from stateschema.stream.server import StreamServer
from stateschema.stream.store.memory import MemoryStore
from stateschema.stream.store.sqlite import SqliteStore
from stateschema.stream.store.stream import StoreStream
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.db import StreamDB
from stateschema.streamdb.views import View, Views
from tests.conformance.server import ROOT, serving
from tests.stateschema.stream.server.asgi import Exchange, exchange
from tests.stateschema.streamdb.chat import Chat, change, events, message
from tests.stateschema.streamdb.chat_views import texts, totals


class Text(TypedDict):
    id: str
    text: str
    orderKey: str


class Total(TypedDict):
    text: str
    total: int


class Shown(StateSchema):
    texts = Entity(Text, type="text", key="id")
    totals = Entity(Total, type="total", key="text")


def chat_views() -> Views:
    return Views(
        View("views/chat", of="chat", schema=Chat, type="text", query=texts),
        View("views/chat", of="chat", schema=Chat, type="total", query=totals, key="text"),
    )


async def started(server: StreamServer) -> list[dict[str, Any]]:
    """Begin the life of a server that cannot; return what it says."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.startup"}

    async def send(reply: Any) -> None:
        sent.append(reply)

    await server({"type": "lifespan"}, receive, send)
    return sent


async def ask(server: StreamServer, method: str, target: str, **more: Any) -> Exchange:
    made = Exchange()
    await exchange(server, made, method, f"/v1/stream/{target}", **more)
    return made


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_view_follows_its_base_and_is_read_only(kind: str, tmp_path: Path) -> None:
    async def run() -> None:
        store = MemoryStore() if kind == "memory" else SqliteStore(tmp_path / "s.db")
        server = StreamServer(store, companion=chat_views())
        await server.start()
        headers = {"content-type": "application/json"}
        body = json.dumps([message("1", "b", txid="t"), message("2", "a", txid="t")]).encode()
        appended = await ask(server, "POST", "chat", headers=headers, body=body)
        assert appended.status == 204
        async with StreamDB(Shown, stream=StoreStream(store, "views/chat")) as db:
            await db.wait_txid("t")
            found = sorted(db.collections.texts.rows(), key=lambda row: row["orderKey"])
            assert [row["id"] for row in found] == ["2", "1"]
            assert {row["text"]: row["total"] for row in db.collections.totals.values()} == {
                "a": 1,
                "b": 1,
            }
        for method in ("POST", "PUT", "DELETE"):
            refused = await ask(server, method, "views/chat", headers=headers, body=body)
            assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
        assert (await ask(server, "GET", "views/chat")).status == 200
        assert (await ask(server, "HEAD", "views/chat")).status == 200
        assert (await ask(server, "PUT", "another", headers=headers)).status == 201
        await server.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_a_restart_tells_only_what_is_new(tmp_path: Path) -> None:
    async def served(*appended: dict[str, Any]) -> list[Any]:
        store = SqliteStore(tmp_path / "s.db")
        server = StreamServer(store, companion=chat_views())
        await server.start()
        for one in appended:
            await StoreStream(store, "chat").append(events([one]))
            async with StreamDB(Shown, stream=StoreStream(store, "views/chat")) as db:
                await db.wait_txid(one["headers"]["txid"])
        said = list((await StoreStream(store, "views/chat").read()).messages)
        await server.aclose()
        return said

    async def run() -> None:
        before = await served(message("1", "a", txid="t"))
        assert await served() == before
        late = await served(change("message", "1", "delete", txid="u"))
        assert late[: len(before)] == before
        told = [(one["type"], one["key"]) for one in late[len(before) :]]
        assert told == [("text", "1"), ("total", "a")]

    asyncio.run(run())


def test_a_bad_event_does_not_end_a_view(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        store = MemoryStore()
        server = StreamServer(store, companion=chat_views())
        await server.start()
        stream = StoreStream(store, "chat")
        await stream.append(
            events([change("message", "1", "insert", {"id": 7}), message("2", "a", txid="t")])
        )
        async with StreamDB(Shown, stream=StoreStream(store, "views/chat")) as db:
            await db.wait_txid("t")
            assert list(db.collections.texts) == ["2"]
        await server.aclose()

    asyncio.run(run())
    assert "bad event in 'chat'" in caplog.text


def test_a_view_that_becomes_impossible_ends_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        store = MemoryStore()
        views = Views(
            View("bad", of="chat", schema=Chat, type="text", query=texts, order_field="text"),
            View("good", of="chat", schema=Chat, type="text", query=texts),
        )
        server = StreamServer(store, companion=views)
        await server.start()
        await StoreStream(store, "chat").append(events([message("1", "a", txid="t")]))
        async with StreamDB(Shown, stream=StoreStream(store, "good")) as db:
            await db.wait_txid("t")
            assert list(db.collections.texts) == ["1"]
        await server.aclose()

    asyncio.run(run())
    assert "view 'bad' is not written any more" in caplog.text


def test_a_server_whose_views_cannot_begin_does_not_start(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        store = MemoryStore()
        await StoreStream(store, "chat").create()
        await StoreStream(store, "chat").append(events([message("1", "a")]))
        views = Views(
            View("v", of="chat", schema=Chat, type="text", query=texts, order_field="text")
        )
        sent = await started(StreamServer(store, companion=views))
        assert [reply["type"] for reply in sent] == ["lifespan.startup.failed"]
        assert "field 'text' of their own" in sent[0]["message"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
    assert "the server could not start" in caplog.text


def test_views_of_views_and_views_in_one_place_are_refused() -> None:
    view = View("v", of="chat", schema=Chat, type="text", query=texts)
    with pytest.raises(ValueError, match="view 'w' is derived from the view 'v'"):
        Views(view, View("w", of="v", schema=Chat, type="text", query=texts))
    with pytest.raises(ValueError, match="same stream and type"):
        Views(view, view)


def test_a_process_serves_streams_and_their_views(tmp_path: Path) -> None:
    arguments = ("--views", "tests.stateschema.streamdb.chat_views:VIEWS")
    with serving(f"sqlite:///{tmp_path}/s.db", *arguments) as server:
        with BlockingStreamClient(server.stream("chat")) as chat:
            chat.append(events([message("1", "a", txid="t")]))
        with BlockingStreamDB(Shown, url=server.stream("views/chat")) as db:
            db.wait_txid("t", timeout=20)
            assert [row["text"] for row in db.collections.texts.values()] == ["a"]
        with (
            BlockingStreamClient(server.stream("views/chat")) as view,
            pytest.raises(RefusedError) as refused,
        ):
            view.append(events([message("2", "b")]))
        url = server.stream("views/chat")
        assert str(refused.value) == f"stream {url!r} is read-only, as views are"
        assert refused.value.status == 405
        assert refused.value.__notes__[0] == "a view follows from other streams: append to those"


def test_a_view_is_right_after_its_server_was_killed(tmp_path: Path) -> None:
    arguments = ("--views", "tests.stateschema.streamdb.chat_views:VIEWS")
    store = f"sqlite:///{tmp_path}/s.db"
    with serving(store, *arguments) as server:
        with BlockingStreamClient(server.stream("chat")) as chat:
            for n in range(60):
                chat.append(events([message(str(n % 7), f"text {n}")]))
        server.process.kill()  # while the view is being written
    with serving(store, *arguments) as server:
        with BlockingStreamClient(server.stream("chat")) as chat:
            chat.append(events([change("message", "0", "delete", txid="last")]))
            state = MaterializedState()
            state.apply_batch(parse_events(chat.read_all()))
        with BlockingStreamDB(Shown, url=server.stream("views/chat")) as db:
            db.wait_txid("last", timeout=20)
            found = {row["id"]: row["text"] for row in db.collections.texts.values()}
            by_order = sorted(db.collections.texts.values(), key=lambda row: row["orderKey"])
            totals = {row["text"] for row in db.collections.totals.values()}
    assert found == {key: row["text"] for key, row in state.get_type("message").items()}
    assert [row["text"] for row in by_order] == sorted(found.values())
    assert totals == set(found.values())


@pytest.mark.parametrize(
    ("views", "message"),
    [
        ("nowhere", "write MODULE:NAME"),
        ("nowhere_at_all:VIEWS", "No module named 'nowhere_at_all'"),
        ("json:VIEWS", "module 'json' has no attribute 'VIEWS'"),
        ("json:dums", "module 'json' has no attribute 'dums' (did you mean 'dumps'?)"),
        ("json:dumps", "views 'json:dumps' cannot be loaded: it is <function dumps"),
    ],
)
def test_views_that_cannot_be_loaded_are_an_error(views: str, message: str) -> None:
    command = [sys.executable, "-m", "stateschema", "serve", "--port", "0", "--views", views]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert message in done.stderr
