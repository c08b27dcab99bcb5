"""Content: values into what is appended, and what is read into values, by content type.

JSON       (`application/json`) A message is one JSON value: an event, or what JSON knows; a str is a
           JSON string. Bytes are JSON text that somebody has dumped already. What is sent is always
           one array of the messages, so a message that is an array stays one message. A read gives
           decoded values.
Others     The stream is bytes: messages run together and a read gives one piece of bytes. A str is
           sent as UTF-8.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, cast

from pydantic_core import PydanticSerializationError, from_json, to_json

from stateschema.errors import LocalProtocolError, RemoteProtocolError
from stateschema.events import ChangeEvent, ControlEvent, Event
from stateschema.stream.protocol.record import is_json

# An event, a JSON value, or bytes. JSON is where the type system ends.
Message: TypeAlias = Event | bytes | Any


def messages_of(data: Message | Iterable[Event]) -> list[Message]:
    """Return the messages of one append: several for an iterable of events, else one.

    Raises:
        LocalProtocolError: There is nothing to append, or an iterable that is no JSON value holds
            something else than events.
    """
    if isinstance(
        data, ChangeEvent | ControlEvent | str | bytes | bytearray | dict
    ) or not isinstance(data, Iterable):
        return [data]
    messages: list[Message] = list(cast("Iterable[Message]", data))
    if not messages:
        raise LocalProtocolError("append without events")
    if all(map(_is_event, messages)):
        return messages
    if isinstance(data, list | tuple) and not any(map(_is_event, messages)):
        return [data]
    error = LocalProtocolError("append of a mixture of events and other values")
    error.add_note("append_many takes any messages")
    raise error


def _is_event(value: object) -> bool:
    return isinstance(value, ChangeEvent | ControlEvent)


def encode(message: Message, content_type: str) -> bytes:
    """Return one message in the form that streams of this content type carry.

    Raises:
        LocalProtocolError: The message does not fit the content type, or has no JSON form.
    """
    if is_json(content_type):
        return _json_text(message)
    if isinstance(message, bytes | bytearray):
        return bytes(message)
    if isinstance(message, str):
        return message.encode()
    kind = type(message).__name__
    raise LocalProtocolError(f"{kind} cannot be appended to a stream of {content_type!r}")


def body_of(texts: Sequence[bytes], content_type: str) -> bytes:
    """Return the body that carries encoded messages."""
    return b"[%b]" % b",".join(texts) if is_json(content_type) else b"".join(texts)


def decode(body: bytes, content_type: str) -> list[Any]:
    """Return the messages of what was read.

    Raises:
        RemoteProtocolError: The content type promises a JSON array, and this is none.
    """
    if not is_json(content_type):
        return [body] if body else []
    if not body:
        return []
    try:
        messages: Any = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise RemoteProtocolError(f"answer is no JSON: {error}") from error
    if not isinstance(messages, list):
        raise RemoteProtocolError(f"answer is no JSON array but a {type(messages).__name__}")
    return messages  # pyright: ignore[reportUnknownVariableType] - of decoded JSON


def _json_text(message: Message) -> bytes:
    if isinstance(message, ChangeEvent | ControlEvent):
        return message.to_json().encode()
    try:
        if isinstance(message, bytes | bytearray):
            text = bytes(message)
            from_json(text, allow_inf_nan=False)
            return text
        text = to_json(message)
        if b"NaN" in text or b"Infinity" in text:  # maybe only inside of a string
            json.dumps(message, allow_nan=False)
    except (PydanticSerializationError, ValueError, TypeError) as error:
        raise LocalProtocolError(f"message without JSON form: {error}") from error
    return text
