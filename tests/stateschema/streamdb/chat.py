"""A schema with every kind of entity, histories of its events, and a model of what they add up to."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from stateschema.events import Event, parse_event
from stateschema.schema.entity import Entity, StateSchema, entities
from stateschema.streamdb.attach import collections_of


class Message(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True
    )
    id: str
    text: str
    reply_to: str | None = None


class Presence(BaseModel):
    model_config = ConfigDict(frozen=True)
    actor: str
    device: str
    name: str | None = None
    status: str = "online"


class Counter(TypedDict):
    id: int
    n: int


class Chat(StateSchema):
    messages = Entity(Message, type="message", key="id")
    presence = Entity(Presence, type="presence", key=lambda p: f"{p.actor}:{p.device}", merge=True)
    counters = Entity(Counter, type="counter", key="id")


def message(key: str, text: str = "", **more: Any) -> dict[str, Any]:
    """The wire form of an insert of a message."""
    return change("message", key, "insert", {"id": key, "text": text}, **more)


def change(
    row_type: str, key: str, operation: str, value: Any = None, **headers: Any
) -> dict[str, Any]:
    wire = {"type": row_type, "key": key, "headers": {"operation": operation, **headers}}
    return wire if operation == "delete" else {**wire, "value": value}


def control(word: str) -> dict[str, Any]:
    return {"headers": {"control": word}}


def events(messages: Sequence[Any]) -> list[Event]:
    return [parse_event(wire) for wire in messages]


def shown(collections: StateSchema) -> dict[str, dict[Any, Any]]:
    """All rows of all collections, in wire form, by name and key."""
    found = entities(type(collections))
    return {
        name: {key: found[name].encode(row) for key, row in collection.items()}
        for name, collection in collections_of(collections).items()
    }


NOTHING: dict[str, dict[Any, Any]] = {"messages": {}, "presence": {}, "counters": {}}


def expected(history: Sequence[dict[str, Any]]) -> dict[str, dict[Any, Any]]:
    """What a history adds up to, told in the words of the protocol with plain dicts."""
    names = {"message": "messages", "presence": "presence", "counter": "counters"}
    rows: dict[tuple[str, str], Any] = {}
    dumped: set[tuple[str, str]] | None = None
    for wire in history:
        match wire["headers"]:
            case {"control": "reset"}:
                rows, dumped = {}, None
            case {"control": "snapshot-start"}:
                dumped = set()
            case {"control": "snapshot-end"}:
                if dumped is not None:
                    rows = {at: row for at, row in rows.items() if at in dumped}
                dumped = None
            case {"operation": operation} if wire["type"] in names:
                at = (wire["type"], wire["key"])
                if operation == "delete":
                    rows.pop(at, None)
                    continue
                merges = wire["type"] == "presence" and operation != "insert"
                rows[at] = {**(rows.get(at, {}) if merges else {}), **wire["value"]}
                if dumped is not None:
                    dumped.add(at)
    result: dict[str, dict[Any, Any]] = {name: {} for name in names.values()}
    for (row_type, key), row in rows.items():
        wire_row = {"replyTo": None, **row} if row_type == "message" else row
        result[names[row_type]][int(key) if row_type == "counter" else key] = wire_row
    return result


def histories(*, max_size: int = 30) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Histories of legal events in wire form, of all entities, unknown types and control events."""
    keys, texts = st.sampled_from(["1", "2", "3"]), st.sampled_from(["a", "b"])
    stores = st.sampled_from(["insert", "update", "upsert"])
    values: dict[str, Callable[[str, str], Any]] = {
        "message": lambda key, text: {"id": key, "text": text},
        "counter": lambda key, text: {"id": int(key), "n": len(text)},
        "unknown": lambda key, text: [key, text],
    }
    changes = st.sampled_from(sorted(values)).flatmap(
        lambda kind: st.builds(
            lambda key, text, operation: change(kind, key, operation, values[kind](key, text)),
            keys,
            texts,
            stores | st.just("delete"),
        )
    )
    own = st.fixed_dictionaries({}, optional={"name": texts, "status": texts})
    devices = st.builds(
        lambda device, parts, operation: change(
            "presence", f"ada:{device}", operation, {"actor": "ada", "device": device, **parts}
        ),
        keys,
        own,
        stores | st.just("delete"),
    )
    controls = st.sampled_from(["reset", "snapshot-start", "snapshot-end"]).map(control)
    # Control events are rare, else nothing lives long enough to be removed.
    usual = changes | devices
    return st.lists(usual | usual | usual | controls, max_size=max_size)


def cut(history: list[Any], places: list[int]) -> list[list[Any]]:
    """A history in batches; the places are counted modulo its length."""
    ends = sorted({place % (len(history) + 1) for place in places} | {len(history)})
    return [history[start:end] for start, end in zip([0, *ends], ends, strict=False)]
