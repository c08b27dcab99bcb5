"""The schema of a session: keys filled in, camelCase on the wire, merged presence."""

import json
from pathlib import Path
from typing import Any

import pytest

from stateschema.errors import EventError
from stateschema.events import ChangeEvent, parse_event
from stateschema.schema.entity import entities_by_type
from stateschema.session.schema import Agent, Chunk, Presence, Session, chunk_id, presence_id
from stateschema.session.session_views import SessionViews, session_collections
from tests.stateschema.session.boards import Json

CASES = Path(__file__).parent / "cases"
TRACES = sorted(CASES.glob("session-*.json"))
AT = "2026-01-15T10:00:00.000Z"


def test_the_entities_have_the_types_and_keys_of_the_wire() -> None:
    types = {kind: entity.name for kind, entity in entities_by_type(Session).items()}
    assert types == {"chunk": "chunks", "presence": "presence", "agent": "agents"}
    merged = {entity.name: entity.merge for entity in entities_by_type(Session).values()}
    assert merged == {"chunks": False, "presence": True, "agents": True}


def test_a_chunk_is_camel_case_on_the_wire_and_gets_its_id_from_the_key() -> None:
    row = Chunk(
        id=chunk_id("m:1", 3), message_id="m:1", actor_id="ada", role="user", chunk="{}", seq=3,
        created_at=AT,
    )  # fmt: skip
    event = Session.chunks.insert(row)
    wire = {
        "id": "m:1:3", "messageId": "m:1", "actorId": "ada", "role": "user", "chunk": "{}",
        "seq": 3, "createdAt": AT,
    }  # fmt: skip
    assert (event.type, event.key, event.value, row.to_json()) == ("chunk", "m:1:3", wire, wire)
    bare = {name: value for name, value in wire.items() if name != "id"}
    assert Session.chunks.decode(event.model_copy(update={"value": bare})) == ("m:1:3", row)


def test_going_offline_keeps_what_the_event_does_not_say() -> None:
    key = presence_id("ada", "phone")
    online = Presence(
        id=key, actor_id="ada", device_id="phone", actor_type="user", name="Ada", status="online",
        last_seen_at=AT,
    )  # fmt: skip
    event = change({"status": "offline", "lastSeenAt": "later"}, "presence", key)
    gone = online.model_copy(update={"status": "offline", "last_seen_at": "later"})
    assert Session.presence.merge_row(online, event) == (key, gone)


def test_an_agent_is_known_by_its_id() -> None:
    agent = Agent(agent_id="kermit", endpoint="https://example.com/kermit")
    event = change({"endpoint": "https://example.com/kermit"}, "agent", "kermit")
    assert Session.agents.decode(event) == ("kermit", agent)
    assert agent.to_json() == {"agentId": "kermit", "endpoint": "https://example.com/kermit"}


def test_a_value_of_another_form_is_refused() -> None:
    value = {"actorId": "ada", "deviceId": "phone", "actorType": "user", "lastSeenAt": AT}
    event = change({**value, "status": "asleep"}, "presence", "ada:phone")
    with pytest.raises(EventError, match=r"value\.status.*'asleep'"):
        Session.presence.decode(event)


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_a_recorded_session_shows_the_expected_rows(path: Path) -> None:
    trace = json.loads(path.read_text(encoding="utf-8"))
    collections = session_collections()
    views = SessionViews(collections)
    for wire in trace["events"]:
        event = parse_event(wire)
        assert isinstance(event, ChangeEvent)
        apply(collections, event)
    wanted = trace["expected"]
    for name, rows in wanted["collections"].items():
        held = getattr(collections, name)
        assert [held[key].to_json() for key in sorted(held)] == rows
    online = [actor.to_json() for actor in views.presence.rows()]
    assert sorted(online, key=order) == sorted(wanted["onlineActors"], key=order)
    assert [message.to_json() for message in views.messages.rows()] == wanted["messages"]


def order(actor: Json) -> tuple[str, str]:
    return actor["actorId"], actor["actorType"]


def change(value: Json, kind: str, key: str) -> ChangeEvent:
    headers = {"operation": "upsert"}
    event = parse_event({"type": kind, "key": key, "value": value, "headers": headers})
    assert isinstance(event, ChangeEvent)
    return event


def apply(collections: Any, event: ChangeEvent) -> None:
    entity = entities_by_type(Session).get(event.type)
    if entity is None:
        return
    collection = getattr(collections, entity.name)
    key = entity.decode_key(event.key)
    with collection.sync() as write:
        if event.headers.operation == "delete":
            write.delete(key)
        elif entity.merge and key in collection and event.headers.operation != "insert":
            write.upsert(entity.merge_row(collection[key], event)[1])
        else:
            write.upsert(entity.decode(event)[1])
