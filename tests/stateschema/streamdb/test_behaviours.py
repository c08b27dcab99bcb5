"""What other implementations of a database over a state stream promise, held by this one.

`docs/streamdb.md` numbers the behaviours and names the test of each; `test_behaviour_table` compares.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine, Generator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, Field

from dataflow import Transaction, TransactionError, action
from dataflow.collection.changes import Change
from stateschema.errors import EventError, LocalProtocolError, SchemaError
from stateschema.events import new_txid
from stateschema.schema.entity import Entity, StateSchema
from stateschema.schema.typescript import typescript
from stateschema.stream.client import BlockingStreamClient
from stateschema.stream.memory import MemoryStream
from stateschema.stream.offset import Offset
from stateschema.streamdb.db import StreamDB
from tests.stateschema.stream.client.servers import served
from tests.stateschema.streamdb.chat import events

DOCUMENT = Path(__file__).parents[3] / "docs" / "streamdb.md"
ROW = re.compile(r"^\| *(\d+) *\|[^|]*\| `(test_\w+)` \|$", re.MULTILINE)


class User(BaseModel, frozen=True):
    id: str
    name: str = Field(min_length=1)


class Note(BaseModel, frozen=True):
    id: str
    text: str


class Team(StateSchema):
    users = Entity(User, type="user", key="id")
    notes = Entity(Note, type="note", key="id")


ANN, BOB = User(id="1", name="Ann"), User(id="2", name="Bob")


def user(key: str, name: str, operation: str = "insert", **headers: Any) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "type": "user",
        "key": key,
        "headers": {"operation": operation, **headers},
    }
    return wire if operation == "delete" else {**wire, "value": {"name": name}}


def opened(
    scenario: Callable[[StreamDB[Team], MemoryStream], Coroutine[Any, Any, None]],
    *history: dict[str, Any],
) -> None:
    """Run a scenario with a database that has read a history."""

    async def run() -> None:
        stream = MemoryStream("team")
        for wire in history:
            stream.append_now(events([wire]))
        async with StreamDB(Team, stream=stream) as db:
            await scenario(db, stream)

    asyncio.run(run())


def names_after(*history: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}

    async def read(db: StreamDB[Team], _: MemoryStream) -> None:
        found.update({key: row.name for key, row in db.collections.users.items()})

    opened(read, *history)
    return found


# -- following ---------------------------------------------------------------------------------------------------------

_numbers: Iterator[int] = count()


@pytest.fixture(scope="module")
def server() -> Generator[str]:
    with served() as url:
        yield url


def asked_for(server: str, monkeypatch: pytest.MonkeyPatch, live: Any) -> list[str | None]:
    """The `live` parameters of what is read until one write has come back."""
    asked: list[str | None] = []
    send = httpx.AsyncClient.send

    async def noted(self: httpx.AsyncClient, request: httpx.Request, **more: Any) -> httpx.Response:
        if request.method == "GET":
            asked.append(request.url.params.get("live"))
        return await send(self, request, **more)

    monkeypatch.setattr(httpx.AsyncClient, "send", noted)
    url = f"{server}behaviour-{next(_numbers)}"
    with BlockingStreamClient(url) as stream:
        stream.create()

    async def run() -> None:
        async with StreamDB(Team, url=url, live=live) as db:
            if live:
                await db.collections.users.insert(ANN)

    asyncio.run(run())
    return asked


def test_long_polls_begin_after_a_plain_read(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asked_for(server, monkeypatch, "long-poll")
    assert (asked[0], set(asked[1:])) == (None, {"long-poll"})


def test_without_live_nothing_is_waited_for(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked_for(server, monkeypatch, live=False) == [None]


def test_preload_fills_all_collections_and_rows_have_their_key() -> None:
    async def scenario(db: StreamDB[Team], _: MemoryStream) -> None:
        assert dict(db.collections.users) == {"1": ANN}
        assert dict(db.collections.notes) == {"n": Note(id="n", text="x")}

    opened(scenario, user("1", "Ann"), Team.notes.insert(Note(id="n", text="x")).to_wire())


def test_the_offset_moves_with_preload() -> None:
    async def scenario(db: StreamDB[Team], stream: MemoryStream) -> None:
        assert StreamDB(Team, stream=stream).offset == Offset.START
        assert db.offset == stream.head_now() != Offset.START

    opened(scenario, user("1", "Ann"))


def test_an_update_after_an_insert_is_the_new_value() -> None:
    assert names_after(user("1", "Ann"), user("1", "Anna", "update")) == {"1": "Anna"}


def test_a_delete_after_an_insert_leaves_nothing() -> None:
    assert names_after(user("1", "Ann"), user("1", "", "delete")) == {}


def test_an_empty_stream_is_ready_at_once() -> None:
    async def scenario(db: StreamDB[Team], _: MemoryStream) -> None:
        assert (len(db.collections.users), len(db.collections.notes), db.status) == (0, 0, "ready")

    opened(scenario)


def test_types_the_schema_does_not_name_are_ignored() -> None:
    assert names_after({**user("9", "x"), "type": "other"}, user("1", "Ann")) == {"1": "Ann"}


def test_what_is_appended_after_preload_shows_up() -> None:
    async def scenario(db: StreamDB[Team], stream: MemoryStream) -> None:
        await stream.append(Team.users.insert(BOB, txid="t"))
        await db.wait_txid("t")
        assert dict(db.collections.users) == {"1": ANN, "2": BOB}

    opened(scenario, user("1", "Ann"))


def test_events_go_to_the_collection_of_their_type() -> None:
    async def scenario(db: StreamDB[Team], stream: MemoryStream) -> None:
        note = Note(id="1", text="x")
        await stream.append([Team.users.insert(ANN), Team.notes.insert(note, txid="t")])
        await db.wait_txid("t")
        assert (dict(db.collections.users), dict(db.collections.notes)) == ({"1": ANN}, {"1": note})

    opened(scenario)


def test_the_last_insert_of_a_long_life_counts() -> None:
    operations = ["insert", "update", "update", "delete", "insert"]
    history = [user("1", f"v{n}", operation) for n, operation in enumerate(operations)]
    assert names_after(*history) == {"1": "v4"}


def test_interleaved_operations_on_three_keys_end_right() -> None:
    assert names_after(
        user("1", "a"),
        user("2", "b"),
        user("1", "c", "update"),
        user("3", "d"),
        user("2", "", "delete"),
        user("3", "e", "update"),
        user("2", "f"),
    ) == {"1": "c", "2": "f", "3": "e"}


def test_preload_is_one_epoch() -> None:
    async def run() -> None:
        stream = MemoryStream()
        for number in range(10):
            stream.append_now(events([user(str(number), "x")]))
        db = StreamDB(Team, stream=stream)
        epochs: list[int] = []
        db.collections.users.subscribe(lambda changes: epochs.append(len(changes)))
        async with db:
            assert epochs == [10]

    asyncio.run(run())


def test_subscribers_get_inserts_then_old_and_new_rows_then_the_deleted_row() -> None:
    async def run() -> None:
        stream = MemoryStream()
        stream.append_now([Team.users.insert(ANN), Team.users.insert(BOB)])
        db = StreamDB(Team, stream=stream)
        seen: list[Any] = []
        db.collections.users.subscribe(seen.extend)
        anna = User(id="1", name="Anna")
        async with db:
            await stream.append(Team.users.update(anna))
            await stream.append(Team.users.delete("2", txid="t"))
            await db.wait_txid("t")
        assert seen == [
            Change("insert", "1", ANN, None),
            Change("insert", "2", BOB, None),
            Change("update", "1", anna, ANN),
            Change("delete", "2", BOB, BOB),
        ]

    asyncio.run(run())


def test_two_later_appends_are_both_shown() -> None:
    async def scenario(db: StreamDB[Team], stream: MemoryStream) -> None:
        await stream.append(Team.users.insert(ANN))
        await stream.append(Team.users.insert(BOB, txid="t"))
        await db.wait_txid("t")
        assert len(db.collections.users) == 2

    opened(scenario)


def test_a_primitive_value_fails_preload() -> None:
    with pytest.raises(EventError, match="field 'value': must be an object"):
        names_after({**user("1", "x"), "value": 5})


def test_two_entities_of_one_type_are_refused() -> None:
    with pytest.raises(SchemaError, match="entities 'users' and 'people' share the type 'user'"):

        class Twice(StateSchema):
            users = Entity(User, type="user", key="id")
            people = Entity(User, type="user", key="id")


def test_reserved_names_are_refused() -> None:
    with pytest.raises(SchemaError, match="entity name '_users' must not start with an underscore"):
        type("Hidden", (StateSchema,), {"_users": Entity(User, type="user", key="id")})
    schema = type("Other", (StateSchema,), {"preload": Entity(User, type="user", key="id")})
    assert callable(
        StreamDB(schema, stream=MemoryStream()).preload
    )  # a name that cannot clash here
    with pytest.raises(SchemaError, match="'preload' is reserved by TypeScript clients"):
        typescript(schema)


# -- making events -----------------------------------------------------------------------------------------------------


def test_the_form_of_an_insert() -> None:
    assert Team.users.insert(ANN).to_wire() == {
        "type": "user",
        "key": "1",
        "value": {"id": "1", "name": "Ann"},
        "headers": {"operation": "insert"},
    }


def test_the_form_of_an_update_with_its_old_value() -> None:
    wire = Team.users.update(User(id="1", name="Anna"), old_value=ANN).to_wire()
    assert (wire["value"]["name"], wire["old_value"]) == ("Anna", {"id": "1", "name": "Ann"})
    assert wire["headers"] == {"operation": "update"}


def test_an_update_without_an_old_value_has_none() -> None:
    assert "old_value" not in Team.users.update(ANN).to_wire()


def test_the_form_of_a_delete() -> None:
    wire = {"type": "user", "key": "1", "headers": {"operation": "delete"}}
    old = {"old_value": {"id": "1", "name": "Ann"}}
    assert Team.users.delete("1", old_value=ANN).to_wire() == {**wire, **old}


def test_a_delete_without_an_old_value_has_none() -> None:
    assert "old_value" not in Team.users.delete("1").to_wire()


def test_the_type_is_that_of_the_entity_not_its_name() -> None:
    assert [Team.users.insert(ANN).type, Team.notes.delete("1").type] == ["user", "note"]


def test_headers_are_kept() -> None:
    event = Team.users.insert(
        ANN, txid="t", timestamp="2026-01-01T00:00:00Z", headers={"from": "ann"}
    )
    assert event.to_wire()["headers"] == {
        "operation": "insert",
        "txid": "t",
        "timestamp": "2026-01-01T00:00:00Z",
        "from": "ann",
    }


# -- validation of events ----------------------------------------------------------------------------------------------

BAD: Any = {"id": "1", "name": ""}


def test_a_bad_value_of_an_insert_is_refused() -> None:
    with pytest.raises(SchemaError):
        Team.users.insert(BAD)


def test_a_bad_value_of_an_update_is_refused() -> None:
    with pytest.raises(SchemaError):
        Team.users.update(BAD)


def test_a_bad_old_value_of_an_update_is_refused() -> None:
    with pytest.raises(SchemaError):
        Team.users.update(ANN, old_value=BAD)


def test_a_bad_old_value_of_a_delete_is_refused() -> None:
    with pytest.raises(SchemaError):
        Team.users.delete("1", old_value=BAD)


def test_a_delete_by_key_validates_nothing() -> None:
    assert Team.users.delete("whatever").key == "whatever"


def test_the_error_tells_what_the_schema_says() -> None:
    with pytest.raises(SchemaError, match=r"'user': value.name string should have at least 1"):
        Team.users.insert(BAD)


def test_a_delete_of_nothing_is_refused() -> None:
    for nothing in (None, ""):
        with pytest.raises(LocalProtocolError, match="is empty"):
            Team.users.delete(nothing)


def test_a_delete_by_key_alone() -> None:
    assert Team.users.delete("1").key == "1"


def test_a_delete_by_row_alone() -> None:
    assert Team.users.delete(ANN).key == "1"


def test_a_header_never_replaces_the_operation() -> None:
    event = Team.users.insert(ANN, headers={"operation": "delete"})
    assert event.headers.operation == "insert"


# -- upsert ------------------------------------------------------------------------------------------------------------


def test_the_form_of_an_upsert() -> None:
    assert Team.users.upsert(ANN).to_wire()["headers"] == {"operation": "upsert"}


def test_an_upsert_of_a_new_key_inserts() -> None:
    assert names_after(user("1", "Ann", "upsert")) == {"1": "Ann"}


def test_an_upsert_of_a_known_key_updates() -> None:
    assert names_after(user("1", "Ann"), user("1", "Anna", "upsert")) == {"1": "Anna"}


def test_of_many_upserts_the_last_wins() -> None:
    assert names_after(*[user("1", f"v{n}", "upsert") for n in range(5)]) == {"1": "v4"}


def test_of_many_inserts_the_last_wins() -> None:
    assert names_after(*[user("1", f"v{n}") for n in range(5)]) == {"1": "v4"}


def test_upserts_and_inserts_mix() -> None:
    history = [user("1", "a", "upsert"), user("2", "b"), user("2", "c", "upsert"), user("3", "d")]
    assert names_after(*history) == {"1": "a", "2": "c", "3": "d"}


# -- actions -----------------------------------------------------------------------------------------------------------


def rename_in(db: StreamDB[Team], seen: list[str]) -> Callable[[str, str], Transaction]:
    def show(key: str, name: str) -> None:
        if name == "nobody":
            raise ValueError("no such name")
        db.collections.users.update(key, name=name)

    @action(on_mutate=show)
    async def rename(key: str, name: str) -> None:
        seen.append(name)
        if name == "refused":
            raise PermissionError("not this one")
        txid = new_txid()
        await db.stream.append(Team.users.update(User(id=key, name=name), txid=txid))
        await db.wait_txid(txid)

    return rename


def show_removal(db: StreamDB[Team], key: str) -> None:
    db.collections.users.delete(key)


def test_an_action_shows_at_once_and_calls_its_function() -> None:
    async def scenario(db: StreamDB[Team], _: MemoryStream) -> None:
        seen: list[str] = []
        tx = rename_in(db, seen)("1", "Anna")
        assert db.collections.users["1"].name == "Anna"
        await tx
        assert (seen, tx.state) == (["Anna"], "completed")

    opened(scenario, user("1", "Ann"))


def test_several_actions_on_one_database() -> None:
    async def scenario(db: StreamDB[Team], _: MemoryStream) -> None:
        rename = rename_in(db, [])

        @action(on_mutate=lambda key: show_removal(db, key))
        async def remove(key: str) -> None:
            await db.stream.append(Team.users.delete(key, txid="gone"))
            await db.wait_txid("gone")

        await rename("1", "Anna")
        assert "1" in db.collections.users
        await remove("1")
        assert dict(db.collections.users) == {}

    opened(scenario, user("1", "Ann"))


def test_an_action_reaches_database_and_stream() -> None:
    async def scenario(db: StreamDB[Team], stream: MemoryStream) -> None:
        assert db.stream is stream
        await rename_in(db, [])("1", "Anna")
        assert stream.head_now() == db.offset == Offset.mint(2)

    opened(scenario, user("1", "Ann"))


def test_what_showing_raises_is_raised_by_the_call() -> None:
    async def scenario(db: StreamDB[Team], _: MemoryStream) -> None:
        seen: list[str] = []
        with pytest.raises(ValueError, match="no such name"):
            rename_in(db, seen)("1", "nobody")
        assert (seen, db.collections.users["1"]) == ([], ANN)

    opened(scenario, user("1", "Ann"))


def test_a_failing_action_is_rolled_back() -> None:
    async def scenario(db: StreamDB[Team], _: MemoryStream) -> None:
        tx = rename_in(db, [])("1", "refused")
        assert db.collections.users["1"].name == "refused"
        with pytest.raises(TransactionError, match="not this one"):
            await tx
        assert db.collections.users["1"] == ANN

    opened(scenario, user("1", "Ann"))


# -- txids -------------------------------------------------------------------------------------------------------------


def test_a_txid_is_waited_for_until_its_row_is_there() -> None:
    async def scenario(db: StreamDB[Team], stream: MemoryStream) -> None:
        waiting = asyncio.create_task(db.wait_txid("t"))
        await asyncio.sleep(0)
        assert not waiting.done()
        await stream.append(Team.users.insert(ANN, txid="t"))
        await waiting
        assert "1" in db.collections.users

    opened(scenario)


def test_a_txid_that_was_seen_is_not_waited_for() -> None:
    async def scenario(db: StreamDB[Team], _: MemoryStream) -> None:
        await db.wait_txid("t", timeout=0)

    opened(scenario, user("1", "Ann", txid="t"))


def test_waiting_for_a_txid_times_out() -> None:
    async def scenario(db: StreamDB[Team], _: MemoryStream) -> None:
        with pytest.raises(TimeoutError, match="txid 't' did not come within"):
            await db.wait_txid("t", timeout=0.01)

    opened(scenario)


def test_a_txid_is_waited_for_within_an_action() -> None:
    async def scenario(db: StreamDB[Team], _: MemoryStream) -> None:
        names: list[str] = []
        db.collections.users.subscribe(lambda c: names.extend(each.value.name for each in c))
        await rename_in(db, [])("1", "Anna")
        assert names == ["Anna"]  # it never flickers back

    opened(scenario, user("1", "Ann"))


def test_many_wait_for_one_txid() -> None:
    async def scenario(db: StreamDB[Team], stream: MemoryStream) -> None:
        waiting = [asyncio.create_task(db.wait_txid("t")) for _ in range(5)]
        await asyncio.sleep(0)
        await stream.append(Team.users.insert(ANN, txid="t"))
        assert await asyncio.gather(*waiting) == [None] * 5

    opened(scenario)


# -- the table ---------------------------------------------------------------------------------------------------------


def test_behaviour_table() -> None:
    rows = ROW.findall(DOCUMENT.read_text("utf-8"))
    written = [
        name
        for name, value in globals().items()
        if name.startswith("test_") and callable(value) and name != "test_behaviour_table"
    ]
    assert [int(number) for number, _ in rows] == list(range(1, 52))
    assert [name for _, name in rows] == written
