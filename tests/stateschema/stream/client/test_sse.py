"""The parser of server-sent events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stateschema.errors import RemoteProtocolError
from stateschema.stream.client.sse import ServerSentEvent, SseParser

# Lines of data hold no ends of lines; how a line ends is drawn beside it.
lines = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
ends = st.sampled_from([("\n", "\r\n"), ("\r", "\r\n")])  # not both: CR, LF would be one end
names = st.sampled_from(["data", "control", "other"])


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[ServerSentEvent], bytes]:
    """Events, and one of the ways to write them."""
    events: list[ServerSentEvent] = []
    text = draw(st.sampled_from(["", "\ufeff"]))
    end = st.sampled_from(draw(ends))
    for _ in range(draw(st.integers(0, 4))):
        name, data = draw(names), draw(st.lists(lines, min_size=1, max_size=3))
        events.append(ServerSentEvent(name, "\n".join(data)))
        fields = [f"event: {name}", *(f"data: {line}" for line in data)]
        fields.insert(draw(st.integers(0, len(fields))), draw(st.sampled_from([":x", "id: 7"])))
        text += "".join(line + draw(end) for line in [*fields, ""])
    return events, text.encode()


@given(streams(), st.lists(st.integers(0, 300), max_size=8))
def test_events_do_not_depend_on_how_the_stream_is_cut(
    written: tuple[list[ServerSentEvent], bytes], places: list[int]
) -> None:
    events, data = written
    cuts = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    parser = SseParser()
    found = [
        event
        for start, end in zip(cuts, [*cuts[1:], len(data)], strict=True)
        for event in parser.feed(data[start:end])
    ]
    assert found == events


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("data: a\n\n", [("message", "a")]),
        ("data:a\ndata\ndata:  b\n\n", [("message", "a\n\n b")]),
        ("event: x\n\ndata: 1\n\n", [("message", "1")]),
        ("event: control\ndata:\n\n", [("control", "")]),
        ("data: never ended", []),
        ("data: never ended\n", []),
        (": comment\n\n", []),
    ],
)
def test_forms_of_the_standard(text: str, events: list[tuple[str, str]]) -> None:
    assert [tuple(event) for event in SseParser().feed(text.encode())] == events


def test_an_endless_line_is_refused() -> None:
    parser = SseParser(max_bytes=100)
    parser.feed(b"data: " + b"x" * 90)
    with pytest.raises(RemoteProtocolError, match="event larger than 100 bytes"):
        parser.feed(b"x" * 10)


def test_an_endless_event_is_refused_but_not_an_endless_stream() -> None:
    parser = SseParser(max_bytes=100)
    for _ in range(10):
        assert len(parser.feed(b"data: " + b"x" * 50 + b"\n\n")) == 1
    parser.feed(b"data: " + b"x" * 50 + b"\n")
    with pytest.raises(RemoteProtocolError, match="event larger than 100 bytes"):
        parser.feed(b"data: " + b"x" * 50 + b"\n")


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="server-sent event is no UTF-8"):
        SseParser().feed(b"data: \xff\n\n")
