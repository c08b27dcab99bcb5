"""Events of the state protocol: their form, and the way from and to the wire.

A message of a state stream is one JSON object. A *change event* carries `operation` in its
headers and says that the row `(type, key)` was inserted, updated, upserted or deleted; a
*control event* carries `control` there and speaks about the stream itself.

Law        parse(dump(event)) == event for every event that can be built (law 10)
Form       `type` and `key` are non-empty strings; `value` must be present for insert, update and
           upsert (null is a value); `txid`, `timestamp` and `offset` are non-empty strings, absent
           or null. Headers with both of `operation` and `control`, or none, are refused.
Absence    Absent is not null. An absent `value` or `old_value` reads as None in Python and stays
           absent on dump; a null stays null. `"value" in event.model_fields_set` tells them apart,
           and equality of events respects it.
Liberal    Unknown fields and unknown headers are kept and dumped again. A delete may come with
           an absent, a null or any other value. Timestamps are RFC 3339 text, kept as written.
           The operation `upsert` is read and written beside the three of the state protocol.
Cost       One validator call per message, about as much as decoding its JSON text.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from reprlib import Repr
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import (
    ErrorDetails,
    PydanticCustomError,
    PydanticSerializationError,
    from_json,
    to_json,
)

from stateschema.errors import EventError, LocalProtocolError, Where

Operation: TypeAlias = Literal["insert", "update", "upsert", "delete"]
Control: TypeAlias = Literal["snapshot-start", "snapshot-end", "reset"]
_Text: TypeAlias = Annotated[str, Field(strict=True, min_length=1)]

MAX_DIGITS = 4_000  # of a number that every JSON decoder here takes
MAX_DEPTH = 180  # of nesting, likewise

_shortened = Repr()
_shortened.maxstring = _shortened.maxother = _shortened.maxlong = 100


class _WireModel(BaseModel):
    """A JSON object that keeps what it does not know and never changes."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow", frozen=True)

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object as a dict: absent fields stay absent, values are shared."""
        present = self.model_fields_set
        wire = {name: value for name, value in self.__dict__.items() if name in present}
        return wire | (self.model_extra or {})

    def __eq__(self, other: object) -> bool:
        # Pydantic's own does not tell an absent field from a null one.
        return isinstance(other, type(self)) and self.to_wire() == other.to_wire()


class ChangeHeaders(_WireModel):
    """Headers of a change event; unknown ones are in `model_extra`."""

    operation: Operation
    txid: _Text | None = None
    timestamp: _Text | None = None


class ControlHeaders(_WireModel):
    """Headers of a control event; unknown ones are in `model_extra`."""

    control: Control
    offset: _Text | None = None


class _Message(_WireModel):
    """What both kinds of event share: headers, and a wire form."""

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object as a dict: absent fields stay absent, values are shared."""
        wire = super().to_wire()
        wire["headers"] = wire["headers"].to_wire()
        return wire

    def to_json(self) -> str:
        """Return the wire text: compact JSON on one line.

        Raises:
            LocalProtocolError: A value has no JSON form (NaN, a lone surrogate, an object), or
                none that a reader takes: an integer of more than 4,000 digits, deep nesting.
        """
        wire = self.to_wire()
        try:
            data = to_json(wire)
            if b"NaN" in data or b"Infinity" in data:  # maybe only inside of a string
                json.dumps(wire, allow_nan=False)
            if len(data) > MAX_DIGITS or data.count(b"[") + data.count(b"{") > MAX_DEPTH:
                from_json(data)  # no reader takes a number too long, or nesting too deep
        except (PydanticSerializationError, ValueError, TypeError) as error:
            raise LocalProtocolError(f"event without JSON form: {error}") from error
        return data.decode()


class ChangeEvent(_Message):
    """One change of the row `(type, key)`.

    >>> event = parse_event('{"type": "m", "key": "1", "headers": {"operation": "delete"}}')
    >>> event.key, event.headers.operation, event.headers.txid
    ('1', 'delete', None)

    Attributes:
        type: Entity type; routes the event to its collection.
        key: Key of the row within its type, always text.
        value: The row as JSON value; None when absent.
        old_value: The row before, when the producer knew it; None when absent.
        headers: The operation, the transaction id, the timestamp and whatever else came along.
    """

    type: _Text
    key: _Text
    value: Any = None
    old_value: Any = None
    headers: ChangeHeaders

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        operation = self.headers.operation
        if self.value is None and operation != "delete" and "value" not in self.model_fields_set:
            raise PydanticCustomError(
                "value", "is missing: {operation} needs one", {"operation": operation}
            )
        if "control" in (self.headers.__pydantic_extra__ or ()):
            raise PydanticCustomError("headers", "must not hold both operation and control")
        return self


class ControlEvent(_Message):
    """One statement about the stream: a snapshot boundary or a reset.

    Attributes:
        headers: The control word and, as far as given, the offset it speaks of.
    """

    headers: ControlHeaders


Event: TypeAlias = ChangeEvent | ControlEvent


def new_txid() -> str:
    """Return a fresh transaction id."""
    return uuid4().hex


def parse_event(message: Mapping[str, Any] | str | bytes, *, where: Where | None = None) -> Event:
    """Read one event from its JSON object, or from the text of it.

    Args:
        message: The decoded JSON object, or JSON text.
        where: The place to name in errors.

    Raises:
        EventError: The message is no legal event; names the place and the field.
    """
    place = where or Where()
    if isinstance(message, str | bytes):
        message = decode_json(message, place)
    return _read([message], lambda _: place)[0]


def parse_events(
    messages: Sequence[Any] | bytes, *, where: Callable[[int], Where] | None = None
) -> list[Event]:
    """Read many events at once.

    Args:
        messages: Decoded JSON values, or the text of one JSON array.
        where: Maps the index of a message to the place to name in errors.

    Raises:
        EventError: A message is no legal event; the first such one is named.

    Complexity: O(total size), one validator call per message.
    """
    if isinstance(messages, bytes):
        messages = decode_json(messages, Where())
        if not isinstance(messages, list):
            raise EventError(f"must be a JSON array, not {_kind(messages)}")
    return _read(messages, where or (lambda index: Where(index=index)))


def decode_json(text: str | bytes, where: Where) -> Any:
    """Decode JSON text by the letter: NaN and infinities are no JSON.

    Raises:
        EventError: The text is no JSON.
    """
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise EventError(f"is no JSON: {error}", where=where) from error


_read_change = ChangeEvent.__pydantic_validator__.validate_python
_read_control = ControlEvent.__pydantic_validator__.validate_python


def _read(messages: Sequence[Any], where: Callable[[int], Where]) -> list[Event]:
    events: list[Event] = []
    for message in messages:
        try:
            headers = message["headers"]
            is_change = "operation" in headers
            events.append(_read_change(message) if is_change else _read_control(message))
        except (ValidationError, LookupError, TypeError) as error:
            raise _explain(message, error).at(where(len(events))) from error
    return events


def _explain(message: object, error: Exception) -> EventError:
    if isinstance(error, ValidationError):
        return _explain_form(error)
    if not isinstance(message, dict):
        return EventError(f"must be a JSON object, not {_kind(message)}")
    if "headers" not in message:
        return EventError("is missing", field="headers")
    return EventError(f"must be an object, not {_kind(message['headers'])}", field="headers")


def _explain_form(error: ValidationError) -> EventError:
    field, reason = describe(error)
    detail = error.errors(include_url=False)[0]
    if field is None:  # a check of the whole event: its type names the field
        return EventError(reason, field=detail["type"])
    if field == "headers.control" and detail["type"] == "missing":
        return EventError("must hold an operation or a control", field="headers")
    if detail["type"].startswith("string_"):  # all strings of an event have one form
        given = detail["input"]
        reason = "must be a non-empty string" + ("" if given == "" else f", not {_kind(given)}")
    return EventError(reason, field=field)


def describe(error: ValidationError) -> tuple[str | None, str]:
    """Return the wire path of the first offending field, None for the whole, and the reason."""
    detail = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in detail["loc"]) or None
    return field, _reason(detail)


def _reason(detail: ErrorDetails) -> str:
    match detail["type"]:
        case "missing":
            return "is missing"
        case "literal_error":
            return _not_one_of(detail["input"], detail["ctx"]["expected"])
        case "model_type" | "dict_type" | "dataclass_type":
            return f"must be an object, not {_kind(detail['input'])}"
        case "value" | "headers" | "value_error":
            return detail["msg"].removeprefix("Value error, ")
        case _:
            message = detail["msg"]
            return f"{message[:1].lower()}{message[1:]}, not {_kind(detail['input'])}"


def _not_one_of(given: object, expected: str) -> str:
    shown = shorten(given)
    near = get_close_matches(shown.strip("'"), expected.replace("'", " ").split(), n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"{shown} is not {expected}{hint}"


def shorten(value: object) -> str:
    """Return the `repr` of a value for an error, its middle left out where it gets long."""
    return _shortened.repr(value)


def _kind(value: object) -> str:
    """Name a value in the words of JSON; long ones are not shown."""
    match value:
        case None:
            return "null"
        case dict():
            return "an object"
        case list():
            return "an array"
        case int() if value.bit_length() > 128:
            return "a huge number"
        case str() | bool() | int() | float():
            text = json.dumps(value)
            return text if len(text) <= 40 else f"{text[:36]}..."
        case _:
            return f"a {type(value).__name__}"
