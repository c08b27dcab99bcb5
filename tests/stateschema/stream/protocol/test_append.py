"""Appending: the table of producers, the order of refusals, and what a repeat is."""

from dataclasses import replace

import pytest

from stateschema.stream.protocol.append import Accepted, Append, Repeated, decide
from stateschema.stream.protocol.expiry import NEVER
from stateschema.stream.protocol.producer import (
    Claim,
    ProducerState,
    is_duplicate,
    parse_claim,
)
from stateschema.stream.protocol.record import Record
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.protocol.state import StreamState

OPEN = StreamState(id=1, name="s", content_type="text/plain", expiry=NEVER, tail=3, size=3)
CLOSER = Claim("p", 1, 4)
CLOSED = replace(OPEN, closed=True, closer=CLOSER)
HELLO = Record(b"hello", 5)
BAD_BODY = RejectedError(400, "bad-json", "body is no JSON")


@pytest.mark.parametrize(
    ("state", "claim", "expected"),
    [
        (None, Claim("p", 0, 0), False),
        (None, Claim("p", 9, 0), False),
        (
            None,
            Claim("p", 0, 1),
            (409, {"Producer-Expected-Seq": "0", "Producer-Received-Seq": "1"}),
        ),
        (ProducerState(2, 5), Claim("p", 1, 6), (403, {"Producer-Epoch": "2"})),
        (ProducerState(2, 5), Claim("p", 3, 0), False),
        (ProducerState(2, 5), Claim("p", 3, 1), (400, {})),
        (ProducerState(2, 5), Claim("p", 2, 0), True),
        (ProducerState(2, 5), Claim("p", 2, 5), True),
        (ProducerState(2, 5), Claim("p", 2, 6), False),
        (
            ProducerState(2, 5),
            Claim("p", 2, 7),
            (409, {"Producer-Expected-Seq": "6", "Producer-Received-Seq": "7"}),
        ),
    ],
)
def test_the_table_of_producers(
    state: ProducerState | None, claim: Claim, expected: bool | tuple[int, dict[str, str]]
) -> None:
    found: bool | tuple[int, dict[str, str]]
    try:
        found = is_duplicate(state, claim)
    except RejectedError as error:
        found = (error.status, error.headers)
    assert found == expected


@pytest.mark.parametrize(
    "headers",
    [
        {"producer-id": "p"},
        {"producer-epoch": "0", "producer-seq": "0"},
        {"producer-id": "p", "producer-epoch": "0"},
        {"producer-id": " ", "producer-epoch": "0", "producer-seq": "0"},
        {"producer-id": "p", "producer-epoch": "-1", "producer-seq": "0"},
        {"producer-id": "p", "producer-epoch": "0", "producer-seq": "1a"},
    ],
)
def test_producer_headers_come_together_and_well_formed(headers: dict[str, str]) -> None:
    with pytest.raises(RejectedError) as caught:
        parse_claim(headers)
    assert caught.value.status == 400


WRONG = Append(record=BAD_BODY, content_type="text/html", seq="a", claim=Claim("p", 0, 9))
"""Breaks every rule; taking the broken rules away one by one shows their order."""


@pytest.mark.parametrize(
    ("stream", "wish", "status", "reason"),
    [
        (CLOSED, WRONG, 403, "stale-epoch"),
        (CLOSED, replace(WRONG, claim=None), 409, "stream-closed"),
        (CLOSED, replace(WRONG, claim=Claim("p", 1, 5)), 409, "stream-closed"),
        (CLOSED, Append(), 409, "stream-closed"),
        (OPEN, Append(claim=Claim("p", 0, 9)), 400, "empty-body"),
        (OPEN, replace(WRONG, content_type=None), 400, "no-content-type"),
        (OPEN, WRONG, 409, "content-type-conflict"),
        (OPEN, replace(WRONG, content_type="TEXT/plain; a=b"), 400, "bad-json"),
        (OPEN, replace(WRONG, content_type="text/plain", record=HELLO), 403, "stale-epoch"),
        (
            OPEN,
            replace(WRONG, content_type="text/plain", record=HELLO, claim=None),
            409,
            "sequence-conflict",
        ),
    ],
)
def test_the_first_broken_rule_decides(
    stream: StreamState, wish: Append, status: int, reason: str
) -> None:
    with pytest.raises(RejectedError) as caught:
        decide(replace(stream, seq="b"), wish, ProducerState(1, 4))
    assert (caught.value.status, caught.value.reason) == (status, reason)


def test_a_closed_stream_says_where_it_ends() -> None:
    with pytest.raises(RejectedError) as caught:
        decide(CLOSED, Append(record=HELLO, content_type="text/plain"), None)
    assert caught.value.headers == {
        "Stream-Next-Offset": "0000000000000000_0000000000000003",
        "Stream-Closed": "true",
    }


def test_what_is_accepted_moves_the_tail_and_is_remembered() -> None:
    wish = Append(
        record=HELLO, content_type="text/plain", close=True, seq="b", claim=Claim("q", 0, 0)
    )
    after = replace(OPEN, tail=8, size=8, closed=True, closer=Claim("q", 0, 0), seq="b")
    assert decide(replace(OPEN, seq="a"), wish, None) == Accepted(after, HELLO, ProducerState(0, 0))


@pytest.mark.parametrize(
    ("stream", "wish"),
    [
        (OPEN, Append(record=HELLO, content_type="text/plain", claim=Claim("p", 1, 4), seq="a")),
        (CLOSED, Append(record=HELLO, content_type="text/html", close=True, claim=CLOSER)),
        (CLOSED, Append(close=True, claim=CLOSER)),
    ],
)
def test_a_repeat_changes_nothing_whatever_else_it_says(stream: StreamState, wish: Append) -> None:
    stream = replace(stream, seq="b")
    assert decide(stream, wish, ProducerState(1, 4)) == Repeated(stream, ProducerState(1, 4))


def test_closing_again_without_a_body_is_a_repeat() -> None:
    assert decide(CLOSED, Append(close=True), None) == Repeated(CLOSED, None)


@pytest.mark.parametrize(
    ("last", "seq", "grows"),
    [("2", "10", False), ("09", "10", True), ("a", "B", False), ("a", "a", False), ("", "a", True)],
)
def test_seq_grows_byte_by_byte(last: str, seq: str, grows: bool) -> None:
    wish = Append(record=HELLO, content_type="text/plain", seq=seq)
    stream = replace(OPEN, seq=last)
    if grows:
        assert isinstance(decide(stream, wish, None), Accepted)
    else:
        with pytest.raises(RejectedError, match="does not come after"):
            decide(stream, wish, None)
