"""Form, absence and wire text of events."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from stateschema.errors import EventError, LocalProtocolError, ProtocolError, Where
from stateschema.events import ChangeEvent, ControlEvent, new_txid, parse_event, parse_events
from tests.stateschema.strategies import change_wires, control_wires

INSERT: dict[str, Any] = {
    "type": "message",
    "key": "1",
    "value": {"id": "1"},
    "headers": {"operation": "insert", "txid": "t", "timestamp": "2025-12-23T10:30:00Z"},
}


def test_change_event_is_read_field_by_field() -> None:
    event = parse_event(INSERT)
    assert isinstance(event, ChangeEvent)
    assert (event.type, event.key, event.value, event.old_value) == (
        "message",
        "1",
        {"id": "1"},
        None,
    )
    headers = event.headers
    assert (headers.operation, headers.txid, headers.timestamp) == (
        "insert",
        "t",
        "2025-12-23T10:30:00Z",
    )


def test_control_event_is_told_apart_by_its_header() -> None:
    event = parse_event({"headers": {"control": "snapshot-start", "offset": "12_0"}})
    assert isinstance(event, ControlEvent)
    assert (event.headers.control, event.headers.offset) == ("snapshot-start", "12_0")


@given(change_wires() | control_wires())
def test_dump_of_parsed_wire_object_is_the_object(wire: dict[str, Any]) -> None:
    assert parse_event(wire).to_wire() == wire


@given(change_wires() | control_wires())
def test_parse_of_dumped_event_is_the_event(wire: dict[str, Any]) -> None:
    event = parse_event(wire)
    text = event.to_json()
    assert parse_event(text) == event
    assert json.loads(text) == wire
    assert "\n" not in text


def test_absent_and_null_stay_what_they_are() -> None:
    absent = {"type": "m", "key": "1", "headers": {"operation": "delete"}}
    null = {**absent, "value": None, "old_value": None}
    assert parse_event(absent).to_wire() == absent
    assert parse_event(null).to_wire() == null
    assert parse_event(absent) != parse_event(null)
    assert parse_event({**null, "headers": {"operation": "insert"}}).to_wire()["value"] is None


def test_unknown_fields_and_headers_are_kept() -> None:
    wire = {**INSERT, "seq": 4, "headers": {"operation": "update", "from": "a", "offset": "1"}}
    event = parse_event(wire)
    assert event.headers.model_extra == {"from": "a", "offset": "1"}
    assert event.to_wire() == wire


def test_many_events_are_read_from_values_and_from_text() -> None:
    wires = [INSERT, {"headers": {"control": "reset"}}]
    expected = [parse_event(wire) for wire in wires]
    assert parse_events(wires) == expected
    assert parse_events(json.dumps(wires).encode()) == expected


NOT_A_STRING = "must be a non-empty string"


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"type": ""}, "type", NOT_A_STRING),
        ({"key": ""}, "key", NOT_A_STRING),
        ({"key": 5}, "key", f"{NOT_A_STRING}, not 5"),
        ({"key": None}, "key", f"{NOT_A_STRING}, not null"),
        ({"headers": None}, "headers", "must be an object, not null"),
        ({"headers": "operation"}, "headers", 'must be an object, not "operation"'),
        ({"headers": ["operation"]}, "headers", "must be an object, not an array"),
        ({"headers": {}}, "headers", "must hold an operation or a control"),
        (
            {"headers": {"operation": "insert", "control": "reset"}},
            "headers",
            "must not hold both operation and control",
        ),
        ({"headers": {"operation": "insert", "txid": ""}}, "headers.txid", NOT_A_STRING),
        ({"headers": {"operation": "insert", "txid": 7}}, "headers.txid", f"{NOT_A_STRING}, not 7"),
        (
            {"headers": {"operation": "updat"}},
            "headers.operation",
            "'updat' is not 'insert', 'update', 'upsert' or 'delete' (did you mean 'update'?)",
        ),
        (
            {"headers": {"control": "reste"}},
            "headers.control",
            "'reste' is not 'snapshot-start', 'snapshot-end' or 'reset' (did you mean 'reset'?)",
        ),
    ],
)
def test_malformed_field_is_named_with_its_place(
    change: dict[str, Any], field: str, reason: str
) -> None:
    where = Where(source="chat.jsonl", line=3)
    with pytest.raises(EventError) as caught:
        parse_event({**INSERT, **change}, where=where)
    error = caught.value
    assert (error.reason, error.field, error.where) == (reason, field, where)
    assert str(error) == f"bad event in 'chat.jsonl', line 3, field '{field}': {reason}"


@pytest.mark.parametrize("field", ["type", "key", "headers"])
def test_missing_field_is_named(field: str) -> None:
    wire = {name: value for name, value in INSERT.items() if name != field}
    with pytest.raises(EventError, match=f"^bad event in field '{field}': is missing$"):
        parse_event(wire)


@pytest.mark.parametrize("operation", ["insert", "update", "upsert"])
def test_value_must_be_present_unless_deleted(operation: str) -> None:
    wire = {"type": "m", "key": "1", "headers": {"operation": operation}}
    with pytest.raises(EventError, match="field 'value': is missing") as caught:
        parse_event(wire)
    assert caught.value.field == "value"
    with pytest.raises(ValidationError, match="is missing"):
        ChangeEvent.model_validate(wire)


@pytest.mark.parametrize("message", [None, 1, "x", [], [INSERT]])
def test_message_that_is_no_object_is_refused(message: Any) -> None:
    with pytest.raises(EventError, match="must be a JSON object"):
        parse_events([message])


@pytest.mark.parametrize("text", ["", "{", "nope", '{"a": NaN}', b"\xff"])
def test_text_that_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(EventError, match="is no JSON"):
        parse_event(text)


def test_text_of_a_batch_must_be_an_array() -> None:
    with pytest.raises(EventError, match="must be a JSON array, not an object"):
        parse_events(b"{}")


def test_bad_event_of_a_batch_is_named_by_its_index() -> None:
    with pytest.raises(
        EventError, match=re.escape("bad event in message 1 of the batch")
    ) as caught:
        parse_events([INSERT, {}, {}])
    assert caught.value.where == Where(index=1)


@pytest.mark.parametrize("value", [float("nan"), [float("-inf")], object(), "\ud800"])
def test_value_without_json_form_is_not_dumped(value: Any) -> None:
    event = ChangeEvent.model_validate({**INSERT, "value": value})
    with pytest.raises(LocalProtocolError, match="without JSON form"):
        event.to_json()


@pytest.mark.parametrize("name", ["type", "value", "headers"])
def test_events_never_change(name: str) -> None:
    event = parse_event(INSERT)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(event, name, None)


def test_transaction_ids_are_fresh_and_not_empty() -> None:
    ids = {new_txid() for _ in range(100)}
    assert len(ids) == 100
    assert all(ids)


def test_protocol_error_names_who_is_to_blame() -> None:
    with pytest.raises(TypeError, match="abstract"):
        ProtocolError("somebody")
    assert issubclass(LocalProtocolError, ProtocolError)
    assert issubclass(EventError, ProtocolError)


def nested(depth: int) -> Any:
    value: Any = None
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("value", [10**5000, nested(300)], ids=["number", "nesting"])
def test_what_no_reader_takes_is_not_dumped(value: Any) -> None:
    event = ChangeEvent.model_validate({**INSERT, "value": value})
    with pytest.raises(LocalProtocolError, match="without JSON form"):
        event.to_json()


@pytest.mark.parametrize(
    "value", [10**3000, nested(180), "[{" * 9000], ids=["number", "nesting", "text"]
)
def test_what_is_long_or_deep_is_dumped_as_far_as_it_can_be_read(value: Any) -> None:
    event = ChangeEvent.model_validate({**INSERT, "value": value})
    assert parse_event(event.to_json()) == event


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key": 10**5000}, "must be a non-empty string, not a huge number"),
        (
            {"headers": {"operation": "x" * 10**6}},
            f"'{'x' * 47}...{'x' * 48}' is not 'insert', 'update', 'upsert' or 'delete'",
        ),
    ],
    ids=["number", "text"],
)
def test_errors_stay_short_whatever_came(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(EventError) as caught:
        parse_event({**INSERT, **change})
    assert caught.value.reason == reason
