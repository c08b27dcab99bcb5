"""Content: what may be appended to which stream, and what is read from it."""

from typing import Any

import pytest

from stateschema.errors import LocalProtocolError, RemoteProtocolError
from stateschema.events import parse_event
from stateschema.stream.client.content import body_of, decode, encode, messages_of

EVENT = parse_event({"type": "m", "key": "1", "headers": {"operation": "delete"}})
WIRE = b'{"type":"m","key":"1","headers":{"operation":"delete"}}'
JSON = "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (EVENT, WIRE),
        ({"a": [1, None]}, b'{"a":[1,null]}'),
        ("text", b'"text"'),
        (b'{"dumped": 1}', b'{"dumped": 1}'),
        (None, b"null"),
        ("NaN", b'"NaN"'),
    ],
)
def test_messages_of_json_streams(message: Any, text: bytes) -> None:
    assert encode(message, JSON) == text


@pytest.mark.parametrize("message", [b"{", float("nan"), object(), {"a": {1, object()}}])
def test_what_has_no_json_form_is_refused(message: Any) -> None:
    with pytest.raises(LocalProtocolError, match="message without JSON form"):
        encode(message, JSON)


def test_messages_of_other_streams_are_bytes_and_text() -> None:
    assert encode(b"\xff", "application/octet-stream") == b"\xff"
    assert encode("ä", "text/plain") == "ä".encode()
    with pytest.raises(LocalProtocolError, match="ChangeEvent cannot be appended to a stream of"):
        encode(EVENT, "text/plain")


def test_a_body_is_one_array_or_all_bytes() -> None:
    assert body_of([b"1", b"[2]"], JSON) == b"[1,[2]]"
    assert body_of([b"a", b"b"], "text/plain") == b"ab"


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        (EVENT, [EVENT]),
        ([EVENT, EVENT], [EVENT, EVENT]),
        (iter([EVENT]), [EVENT]),
        ([1, 2], [[1, 2]]),
        ({"a": 1}, [{"a": 1}]),
        ("ab", ["ab"]),
        (b"ab", [b"ab"]),
        (7, [7]),
    ],
)
def test_an_iterable_of_events_is_many_messages_and_all_else_is_one(
    data: Any, messages: list[Any]
) -> None:
    assert messages_of(data) == messages


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "append without events"),
        ([EVENT, 1], "append of a mixture of events and other values"),
        (iter([1]), "append of a mixture of events and other values"),
    ],
)
def test_what_could_mean_two_things_is_refused(data: Any, message: str) -> None:
    with pytest.raises(LocalProtocolError, match=message):
        messages_of(data)


def test_reading_gives_values_or_one_piece_of_bytes() -> None:
    assert decode(b'[1,{"a":null}]', JSON) == [1, {"a": None}]
    assert decode(b"[]", JSON) == []
    assert decode(b"abc", "text/plain") == [b"abc"]
    assert decode(b"", "text/plain") == []


@pytest.mark.parametrize("body", [b"[1", b"\xff", b"[NaN]", b'{"a":1}'])
def test_an_answer_that_is_no_array_is_the_fault_of_the_server(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="answer is no JSON"):
        decode(body, JSON)
