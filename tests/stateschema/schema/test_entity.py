"""Entities: events made from rows, rows read from events, keys, merging, declarations."""

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, NotRequired, cast
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from stateschema.errors import EventError, LocalProtocolError, SchemaError
from stateschema.events import ChangeEvent, parse_event
from stateschema.schema.entity import Entity, StateSchema, entities, entities_by_type


class Wire(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


class Chunk(Wire):
    id: str
    message_id: str
    seq: int = Field(ge=0)


class Presence(Wire):
    id: str
    actor_id: str
    name: str | None = None
    status: str = "online"


@dataclass(frozen=True)
class Point:
    id: int
    wide_name: Annotated[str, Field(alias="wideName")] = "w"


class Tag(TypedDict):
    id: str
    label: NotRequired[str]


class Agent(msgspec.Struct, rename="camel", frozen=True):
    agent_id: str
    port: int = 0


class Chat(StateSchema):
    chunks = Entity(Chunk, type="chunk", key="id")
    presence = Entity(Presence, type="presence", key="id", merge=True)
    points = Entity(Point, type="point", key="id")
    tags = Entity(Tag, type="tag", key="id")
    agents = Entity(Agent, type="agent", key="agent_id")
    devices = Entity(Presence, type="device", key=lambda p: f"{p.actor_id}:{p.status}")
    anything = Entity(dict[str, Any], type="any", key="id")


CHUNK = Chunk(id="m:0", messageId="m", seq=0)


def incoming(entity: Entity[Any], key: str, value: Any, operation: str = "insert") -> ChangeEvent:
    wire = {"type": entity.type, "key": key, "value": value, "headers": {"operation": operation}}
    event = parse_event(wire)
    assert isinstance(event, ChangeEvent)
    return event


@pytest.mark.parametrize(
    ("entity", "row", "wire"),
    [
        (Chat.chunks, CHUNK, {"id": "m:0", "messageId": "m", "seq": 0}),
        (Chat.points, Point(7, "x"), {"id": 7, "wideName": "x"}),
        (Chat.tags, {"id": "t", "label": "x"}, {"id": "t", "label": "x"}),
        (Chat.tags, {"id": "t"}, {"id": "t"}),
        (Chat.agents, Agent("a", 80), {"agentId": "a", "port": 80}),
        (Chat.anything, {"id": "t", "n": [1]}, {"id": "t", "n": [1]}),
    ],
)
def test_every_kind_of_row_travels_and_returns(entity: Entity[Any], row: Any, wire: Any) -> None:
    event = entity.insert(row)
    key = wire.get("id") or wire["agentId"]
    assert event.to_wire() == {
        "type": entity.type,
        "key": str(key),
        "value": wire,
        "headers": {"operation": "insert"},
    }
    assert entity.decode(event) == (key, row)
    assert entity.encode(row) == wire
    assert entity.wire_key(row) == str(key)
    without_key = {name: part for name, part in wire.items() if part != key}
    assert entity.decode(incoming(entity, str(key), without_key)) == (key, row)
    assert entity.decode_key(str(key)) == key


@given(st.builds(Chunk, id=st.text(min_size=1), messageId=st.text(), seq=st.integers(0)))
def test_decode_of_insert_is_the_row(row: Chunk) -> None:
    event = Chat.chunks.insert(row)
    try:
        text = event.to_json()
    except LocalProtocolError:
        return  # a lone surrogate has no wire text
    received = parse_event(text)
    assert isinstance(received, ChangeEvent)
    assert Chat.chunks.decode(received) == (row.id, row)


def test_constructors_write_all_parts() -> None:
    old = Chunk(id="m:0", messageId="m", seq=1)
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    event = Chat.chunks.update(
        CHUNK, old_value=old, txid="t", timestamp=moment, headers={"from": "me"}
    )
    assert event.to_wire() == {
        "type": "chunk",
        "key": "m:0",
        "value": {"id": "m:0", "messageId": "m", "seq": 0},
        "old_value": {"id": "m:0", "messageId": "m", "seq": 1},
        "headers": {
            "operation": "update",
            "txid": "t",
            "timestamp": "2026-01-02T03:04:05Z",
            "from": "me",
        },
    }
    assert Chat.chunks.upsert(CHUNK).headers.operation == "upsert"


def test_delete_takes_a_key_or_a_row() -> None:
    by_key = Chat.points.delete(7, txid="t")
    assert by_key.to_wire() == {
        "type": "point",
        "key": "7",
        "headers": {"operation": "delete", "txid": "t"},
    }
    assert Chat.points.delete(Point(7), txid="t") == by_key
    assert Chat.tags.delete({"id": "t"}).key == "t"
    with_old = Chat.chunks.delete("m:0", old_value=CHUNK)
    assert with_old.old_value == {"id": "m:0", "messageId": "m", "seq": 0}


def test_users_operation_header_never_wins() -> None:
    assert Chat.chunks.insert(CHUNK, headers={"operation": "delete"}).headers.operation == "insert"
    with pytest.raises(LocalProtocolError, match="headers must not hold both"):
        Chat.chunks.insert(CHUNK, headers={"control": "reset"})


@pytest.mark.parametrize(
    "parts",
    [
        {"txid": ""},
        {"timestamp": ""},
        {"timestamp": datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)},
    ],
)
def test_header_that_cannot_be_sent_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(LocalProtocolError, match=r"txid|timestamp"):
        Chat.chunks.delete("m:0", **parts)


@pytest.mark.parametrize(
    "value",
    [
        {"id": "1", "seq": 0},
        {"id": "1", "messageId": 3, "seq": 0},
        5,
        None,
        Chunk.model_construct(id="1", message_id="m", seq=-1),
        Chunk(id="1", messageId="m", seq=0).model_copy(update={"message_id": object()}),
    ],
)
def test_value_that_does_not_fit_is_refused_when_made(value: Any) -> None:
    with pytest.raises(SchemaError, match=r"row of (entity type 'chunk'|type 'Chunk')"):
        Chat.chunks.insert(value)
    with pytest.raises(SchemaError, match=r"row of (entity type 'chunk'|type 'Chunk')"):
        Chat.chunks.delete("1", old_value=cast("Any", "no row" if value is None else value))


@pytest.mark.parametrize(
    ("entity", "key", "value", "field"),
    [
        (Chat.chunks, "1", {"messageId": "m", "seq": "x"}, "value.seq"),
        (Chat.chunks, "1", {"seq": 1}, "value.messageId"),
        (Chat.chunks, "1", 5, "value"),
        (Chat.chunks, "1", None, "value"),
        (Chat.agents, "1", {"port": "x"}, "value.port"),
        (Chat.points, "x", {}, "key"),
        (Chat.points, "7", {"id": 8}, "key"),
        (Chat.chunks, "1", {"id": "2", "messageId": "m", "seq": 1}, "key"),
        (Chat.devices, "a:away", {"id": "d", "actorId": "a"}, "key"),
    ],
)
def test_bad_value_is_a_bad_event_that_names_the_field(
    entity: Entity[Any], key: str, value: Any, field: str
) -> None:
    with pytest.raises(EventError) as caught:
        entity.decode(incoming(entity, key, value))
    assert caught.value.field == field
    assert f"(of {entity.type} {key!r})" in caught.value.reason


def test_python_names_are_read_too() -> None:
    value = {"message_id": "m", "seq": 0}
    assert Chat.chunks.decode(incoming(Chat.chunks, "m:0", value)) == ("m:0", CHUNK)
    assert Chat.chunks.insert(value, key="m:0").value["messageId"] == "m"  # type: ignore[arg-type] # read at run time


def test_null_key_field_is_filled_like_a_missing_one() -> None:
    value = {"id": None, "messageId": "m", "seq": 0}
    assert Chat.chunks.decode(incoming(Chat.chunks, "m:0", value)) == ("m:0", CHUNK)


def test_given_key_must_not_contradict_the_row() -> None:
    with pytest.raises(LocalProtocolError, match="contradicts"):
        Chat.chunks.insert(CHUNK, key="m:1")
    assert Chat.chunks.insert(CHUNK, key="m:0").key == "m:0"


def test_computed_key_is_text() -> None:
    row = Presence(id="d", actorId="a")
    assert Chat.devices.insert(row).key == "a:online"
    assert Chat.devices.decode(Chat.devices.insert(row)) == ("a:online", row)
    number = Entity(Point, type="n", key=lambda p: p.id)  # type: ignore[arg-type, return-value] # the mistake
    with pytest.raises(SchemaError, match="key function gave 7, which is not text"):
        number.insert(Point(7))


class Color(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("kind", "key", "text"),
    [
        (int, -3, "-3"),
        (bool, True, "True"),
        (float, 1.5, "1.5"),
        (UUID, UUID(int=1), str(UUID(int=1))),
        (datetime, datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01 00:00:00+00:00"),
        (Color, Color.RED, "red"),
    ],
)
def test_key_keeps_its_python_type(kind: Any, key: Any, text: str) -> None:
    model = create_model("model", id=(kind, ...))
    entity = Entity(model, type="x", key="id")
    event = entity.insert(model(id=key))
    assert event.key == text
    assert entity.decode(event) == (key, model(id=key))
    assert type(entity.decode_key(text)) is kind


@pytest.mark.parametrize("key", ["", None, 5])
def test_key_without_text_of_its_own_is_refused(key: Any) -> None:
    with pytest.raises(LocalProtocolError, match="key"):
        Chat.anything.insert({"id": key})


def test_merge_keeps_what_the_event_does_not_name() -> None:
    entity = Chat.presence
    old = Presence(id="a:1", actorId="a", name="Ann")
    event = entity.upsert(Presence(id="a:1", actorId="a", status="offline"))
    assert event.value == {"id": "a:1", "actorId": "a", "status": "offline"}
    merged = Presence(id="a:1", actorId="a", name="Ann", status="offline")
    assert entity.merge_row(old, event) == ("a:1", merged)
    by_name = incoming(entity, "a:1", {"actor_id": "b"}, "update")
    assert entity.merge_row(old, by_name)[1].actor_id == "b"
    for bad in ({"status": 5}, {"id": "b:1"}, [1]):
        with pytest.raises(EventError):
            entity.merge_row(old, incoming(entity, "a:1", bad, "update"))


def test_introspection_lists_entities_by_name_and_by_type() -> None:
    class More(Chat):
        extra = Entity(Tag, type="extra", key="id")
        points = Entity(Point, type="spot", key="id")
        agents = None  # type: ignore[assignment] # takes the inherited entity away

    assert list(entities(More)) == [
        "chunks",
        "presence",
        "points",
        "tags",
        "devices",
        "anything",
        "extra",
    ]
    assert entities(More)["points"] is More.points
    assert entities_by_type(More)["spot"].name == "points"
    assert "point" not in entities_by_type(More)


def test_any_public_name_is_free_for_an_entity() -> None:
    class Graph(StateSchema):
        entities = Entity(Tag, type="entity", key="id")
        close = Entity(Tag, type="close", key="id")

    assert entities(Graph) == {"entities": Graph.entities, "close": Graph.close}


def test_bad_schemas_are_refused_when_defined() -> None:
    with pytest.raises(SchemaError, match="entities 'a' and 'b' share the type 'x'"):
        type("S", (StateSchema,), {n: Entity(Tag, type="x", key="id") for n in "ab"})
    with pytest.raises(SchemaError, match="entity name '_a' must not start with an underscore"):
        type("S", (StateSchema,), {"_a": Entity(Tag, type="x", key="id")})


def test_bad_entities_are_refused_when_defined() -> None:
    with pytest.raises(SchemaError, match=r"'Chunk' has no key field 'messageid' \(did you mean"):
        Entity(Chunk, type="x", key="messageid")
    with pytest.raises(SchemaError, match="row type 'int' is no kind of row"):
        Entity(int, type="x", key="id")
    with pytest.raises(SchemaError, match="entity type must not be empty"):
        Entity(Tag, type="", key="id")


def test_collection_is_found_before_the_entity_once_attached() -> None:
    collections = Chat()
    with pytest.raises(AttributeError, match="no collection is attached for entity 'chunks'"):
        _ = collections.chunks
    vars(collections)["chunks"] = CHUNK
    assert collections.chunks is CHUNK  # type: ignore[comparison-overlap] # a stand-in


def test_protocol_loads_neither_engine_nor_msgspec() -> None:
    script = (
        "import stateschema, stateschema.stream, sys;"
        "print(sorted({n.partition('.')[0] for n in sys.modules} & {'dataflow', 'msgspec'}))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_name_is_declared_once() -> None:
    with pytest.raises(SchemaError, match="schema declares the entity 'tags' twice"):

        class Twice(StateSchema):
            tags = Entity(Tag, type="tag", key="id")
            tags = Entity(Tag, type="label", key="id")  # noqa: PIE794 - the point of the test


def test_one_entity_under_two_names_is_refused() -> None:
    with pytest.raises(SchemaError, match="entities 'tags' and 'labels' share the type 'tag'"):

        class Both(StateSchema):
            tags = Entity(Tag, type="tag", key="id")
            labels = tags


def test_a_subclass_may_replace_an_entity() -> None:
    class Other(Chat):
        tags = Entity(Tag, type="label", key="id")

    assert list(entities_by_type(Other)) == [
        "chunk",
        "presence",
        "point",
        "label",
        "agent",
        "device",
        "any",
    ]


@pytest.mark.parametrize("owner", [Chat, Chat()])
def test_an_unknown_name_is_answered_with_the_nearest(owner: Any) -> None:
    expected = "schema 'Chat' has no entity 'chunk' (did you mean 'chunks'?)"
    with pytest.raises(AttributeError) as caught:
        owner.chunk  # noqa: B018 - reading it is the point
    assert str(caught.value) == expected
    with pytest.raises(AttributeError, match=r"has no entity 'zzz'$"):
        owner.zzz  # noqa: B018 - reading it is the point


@pytest.mark.parametrize(
    ("timestamp", "reason"),
    [
        ("yesterday", "timestamp 'yesterday' is no RFC 3339 text"),
        ("", "timestamp '' is no RFC 3339 text"),
        ("2026-01-02T03:04:05", "timestamp '2026-01-02T03:04:05' has no time zone"),
        (datetime(2026, 1, 2, 3, 4, 5), "timestamp '2026-01-02 03:04:05' has no time zone"),  # noqa: DTZ001 - wrong on purpose
    ],
)
def test_a_timestamp_is_an_instant(timestamp: datetime | str, reason: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        Chat.chunks.insert(CHUNK, timestamp=timestamp)
    assert str(caught.value) == reason
    for fine in ("2026-01-02T03:04:05Z", "2026-01-02t03:04:05.123+01:00"):
        assert Chat.chunks.insert(CHUNK, timestamp=fine).headers.timestamp == fine
