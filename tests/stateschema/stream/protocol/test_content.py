"""What streams carry: records of both modes, and the events they are sent as."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stateschema.stream.offset import Offset
from stateschema.stream.protocol.framing import (
    control_event,
    data_event,
    is_base64,
    unfinished,
)
from stateschema.stream.protocol.record import JSON, Record, cut, join, parse_body
from stateschema.stream.protocol.rejection import RejectedError
from tests.stateschema.stream.sse import read_events

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
INDENTS = st.sampled_from([None, 0, 2, "\t"])


@given(values=st.lists(VALUES, min_size=1), indent=INDENTS)
def test_an_array_is_its_elements_and_any_cut_of_them(values: list[Any], indent: Any) -> None:
    record = parse_body(JSON, json.dumps(values, indent=indent).encode())
    assert record is not None
    assert record.count == len(values)
    assert json.loads(join(JSON, [record.data])) == values
    for start in range(len(values)):
        for end in range(start, len(values) + 1):
            piece = cut(JSON, record.data, start, end)
            assert json.loads(b"[%b]" % piece) == values[start:end]


@given(value=VALUES.filter(lambda value: not isinstance(value, list)))
def test_another_value_is_one_message(value: Any) -> None:
    body = json.dumps(value, ensure_ascii=False).encode(errors="replace")
    record = parse_body(JSON, b" " + body + b"\n")
    assert record == Record(body, 1)


@pytest.mark.parametrize("body", [b"", b"[]", b" [ ] "])
def test_nothing_is_no_record(body: bytes) -> None:
    assert parse_body("application/json; charset=utf-8", body) is None


@pytest.mark.parametrize("body", [b" ", b"{", b"NaN", b"[1,]", b"1 2", b"\xff", b"[Infinity]"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(RejectedError, match="body is no JSON") as caught:
        parse_body(JSON, body)
    assert caught.value.status == 400


@pytest.mark.parametrize("text", ["1.0", "1e2", "12345678901234567890123", '"\\u0041"', "-0"])
def test_messages_keep_their_spelling(text: str) -> None:
    record = parse_body(JSON, f"[{text}, {text}]".encode())
    assert record is not None
    assert (
        join(JSON, [record.data, cut(JSON, record.data, 1, 2)])
        == f"[{text}, {text},{text}]".encode()
    )


@given(data=st.binary(min_size=1), start=st.integers(0, 20), end=st.integers(0, 20))
def test_bytes_are_positions(data: bytes, start: int, end: int) -> None:
    assert parse_body("a/b", data) == Record(data, len(data))
    assert cut("a/b", data, start, end) == data[start:end]


@given(text=st.text())
def test_text_reaches_readers_whatever_is_in_it(text: str) -> None:
    (event,) = read_events(data_event("text/plain", [text.encode(errors="replace")]))
    expected = text.encode(errors="replace").decode()
    assert event == ("data", expected.replace("\r\n", "\n").replace("\r", "\n"))


@given(pieces=st.lists(st.binary(), min_size=1))
def test_bytes_reach_readers_as_base64(pieces: list[bytes]) -> None:
    (event,) = read_events(data_event("image/png", pieces))
    assert (event[0], base64.b64decode(event[1], validate=True)) == ("data", b"".join(pieces))


@given(values=st.lists(VALUES, min_size=1))
def test_json_reaches_readers_as_an_array(values: list[Any]) -> None:
    record = parse_body(JSON, json.dumps(values, indent=1).encode())
    assert record is not None
    (event,) = read_events(data_event(JSON, [record.data]))
    assert (event[0], json.loads(event[1])) == ("data", values)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [(JSON, False), ("text/plain", False), ("TEXT/html;a=b", False), ("image/png", True)],
)
def test_all_but_text_and_json_is_base64(content_type: str, expected: bool) -> None:
    assert is_base64(content_type) is expected


@pytest.mark.parametrize(
    ("up_to_date", "closed", "expected"),
    [
        (False, False, {"streamCursor": "7"}),
        (True, False, {"streamCursor": "7", "upToDate": True}),
        (True, True, {"upToDate": True, "streamClosed": True}),
    ],
)
def test_a_control_event_says_where_its_reader_is(
    up_to_date: bool, closed: bool, expected: dict[str, Any]
) -> None:
    event = control_event(Offset.mint(3), cursor="7", up_to_date=up_to_date, closed=closed)
    ((name, data),) = read_events(event)
    assert (name, json.loads(data)) == (
        "control",
        {"streamNextOffset": "0000000000000000_0000000000000003", **expected},
    )


@given(text=st.text(min_size=1), cut_off=st.integers(0, 3))
def test_an_unfinished_character_is_what_a_decoder_would_wait_for(text: str, cut_off: int) -> None:
    whole = text.encode(errors="replace")
    data = whole[: len(whole) - cut_off]
    count = unfinished(data)
    data[: len(data) - count].decode()
    assert count == len(data) - len(data.decode(errors="ignore").encode())
