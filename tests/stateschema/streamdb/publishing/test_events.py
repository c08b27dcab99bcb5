"""Changes as events: operations, keys, wire names, and what cannot be told."""

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

import msgspec
import pytest

from dataflow import Collection, live, query
from dataflow.collection.changes import Change
from stateschema.errors import SchemaError
from stateschema.streamdb.publishing.events import to_events, wire_key, wire_value
from tests.stateschema.streamdb.chat import Message


def wires(changes: list[Change[Any]], **more: Any) -> list[dict[str, Any]]:
    return [event.to_wire() for event in to_events(changes, type="m", **more)]


def test_each_kind_of_change_has_its_operation() -> None:
    old, new = Message(id="1", text="a"), Message(id="1", text="b", reply_to="0")
    before = {"id": "1", "text": "a", "replyTo": None}
    after = {"id": "1", "text": "b", "replyTo": "0"}
    assert wires(
        [
            Change("insert", "1", old, None),
            Change("update", "1", new, old),
            Change("delete", "1", new, new),
        ]
    ) == [
        {"type": "m", "key": "1", "value": before, "headers": {"operation": "upsert"}},
        {
            "type": "m",
            "key": "1",
            "value": after,
            "old_value": before,
            "headers": {"operation": "update"},
        },
        {"type": "m", "key": "1", "headers": {"operation": "delete"}},
    ]


def test_a_txid_is_on_every_event() -> None:
    changes = [Change("insert", key, {"id": key}, None) for key in "ab"]
    assert [wire["headers"]["txid"] for wire in wires(changes, txid="t")] == ["t", "t"]


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("a", "a"),
        ("", '""'),
        (7, "7"),
        (1.5, "1.5"),
        (True, "true"),
        (None, "null"),
        (Colour.RED, "red"),
        ((), "[]"),
        (("a", 1, None), '["a",1,null]'),
        ((0, ("a", date(2026, 1, 2))), '[0,["a","2026-01-02"]]'),
        (date(2026, 1, 2), "2026-01-02"),
    ],
)
def test_keys_of_every_kind_have_a_text(key: object, text: str) -> None:
    assert wire_key(key) == text


@dataclass
class Point:
    x: int
    at: date


class Struct(msgspec.Struct):
    x: int


def test_rows_of_every_kind_have_a_value() -> None:
    assert wire_value(Point(1, date(2026, 1, 2))) == {"x": 1, "at": "2026-01-02"}
    assert wire_value(Struct(1)) == {"x": 1}
    assert wire_value({"x": 1, "inner": [Message(id="1", text="a")]}) == {
        "x": 1,
        "inner": [{"id": "1", "text": "a", "replyTo": None}],
    }


def test_a_row_that_is_no_object_is_refused() -> None:
    with pytest.raises(SchemaError, match="row of type 'str' is no object on the wire"):
        wire_value("text")


def test_what_a_subscriber_is_told_can_be_told_on() -> None:
    notes = Collection[dict[str, Any]]("notes", key="id")
    told: list[str] = []
    with live(query(notes)).subscribe(
        lambda changes: told.extend(event.to_json() for event in to_events(changes, type="note"))
    ):
        with notes.sync() as write:
            write.insert({"id": 1})
        with notes.sync() as write:
            write.delete(1)
    assert told == [
        '{"type":"note","key":"1","value":{"id":1},"headers":{"operation":"upsert"}}',
        '{"type":"note","key":"1","headers":{"operation":"delete"}}',
    ]
