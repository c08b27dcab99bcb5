"""The small rules of the protocol, as tables: headers, cursors, tags, expiry, fork headers."""

import random

import pytest

from stateschema.stream.offset import Offset
from stateschema.stream.protocol import caching
from stateschema.stream.protocol.create import ForkPoint, parse_fork
from stateschema.stream.protocol.cursor import INTERVAL, ORIGIN, next_cursor
from stateschema.stream.protocol.expiry import NEVER, Expiry, parse_expiry
from stateschema.stream.protocol.headers import MAX_COUNT, is_true, media_type, parse_count
from stateschema.stream.protocol.rejection import RejectedError


@pytest.mark.parametrize("text", ["0", "1", "42", str(MAX_COUNT)])
def test_a_count_is_a_plain_whole_number(text: str) -> None:
    assert parse_count("Stream-TTL", text) == int(text)


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "01", "1.0", "1e3", " 1", "1a", "٣", str(MAX_COUNT + 1), "9" * 400]
)
def test_other_numbers_are_refused(text: str) -> None:
    with pytest.raises(RejectedError, match="header Stream-TTL is no whole number") as caught:
        parse_count("Stream-TTL", text)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("value", "expected"),
    [("true", True), ("TRUE", True), ("1", False), ("yes", False), ("", False), (None, False)],
)
def test_a_flag_is_the_word_true(value: str | None, expected: bool) -> None:
    assert is_true(value) is expected


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [("text/plain", "text/plain"), ("Text/Plain; charset=UTF-8", "text/plain"), (" a/b ", "a/b")],
)
def test_content_types_are_compared_without_case_and_parameters(
    content_type: str, expected: str
) -> None:
    assert media_type(content_type) == expected


NOW = ORIGIN + 1000 * INTERVAL + 1


@pytest.mark.parametrize("echoed", [None, "0", "999", "x", "-1", "1e3", "9" * 40])
def test_a_cursor_counts_intervals(echoed: str | None) -> None:
    assert next_cursor(NOW, echoed, chance=random.Random(1)) == "1000"


@pytest.mark.parametrize("echoed", [1000, 1001, 5000])
def test_a_cursor_that_is_not_in_the_past_moves_on_by_at_most_an_hour(echoed: int) -> None:
    chance = random.Random(1)
    steps = {int(next_cursor(NOW, str(echoed), chance=chance)) - echoed for _ in range(500)}
    assert min(steps) == 1
    assert max(steps) <= 3600 / INTERVAL
    assert len(steps) > 50


def test_a_tag_tells_stream_range_and_closure_apart() -> None:
    tags = {
        caching.etag(1, 0, 5, closed=False),
        caching.etag(2, 0, 5, closed=False),
        caching.etag(1, 1, 5, closed=False),
        caching.etag(1, 0, 6, closed=False),
        caching.etag(1, 0, 5, closed=True),
    }
    assert len(tags) == 5


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (None, False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ("*", True),
        ('"b"', False),
    ],
)
def test_a_tag_matches_any_of_the_sent_ones(sent: str | None, expected: bool) -> None:
    assert caching.matches(sent, '"a"') is expected


def test_a_time_to_live_begins_anew_with_each_use_and_an_instant_does_not() -> None:
    sliding = parse_expiry("10", None)
    fixed = parse_expiry(None, "2030-01-01T00:00:00Z")
    assert [sliding.deadline(now) for now in (0.0, 5.0)] == [10.0, 15.0]
    assert [fixed.deadline(now) for now in (0.0, 5.0)] == [1893456000.0] * 2
    assert NEVER.deadline(0.0) is None


@pytest.mark.parametrize(
    ("ttl", "expires_at"),
    [
        ("1", "2030-01-01T00:00:00Z"),
        ("-1", None),
        ("1.5", None),
        (None, "tomorrow"),
        (None, "2030-01-01"),
        (None, "2030-01-01T00:00:00"),
        (None, "2030-13-01T00:00:00Z"),
        (None, "2030-01-01T00:00:00Z\n"),
    ],
)
def test_malformed_expiry_is_refused(ttl: str | None, expires_at: str | None) -> None:
    with pytest.raises(RejectedError) as caught:
        parse_expiry(ttl, expires_at)
    assert caught.value.status == 400


def test_instants_are_the_same_however_they_are_written() -> None:
    written = ("2030-01-01T01:00:00+01:00", "2030-01-01t00:00:00.000z", "2030-01-01T00:00:00Z")
    assert all(Expiry(None, one).same_as(Expiry(None, written[0])) for one in written)
    assert not Expiry(1, None).same_as(Expiry(2, None))
    assert not Expiry(1, None).same_as(NEVER)


ZERO = str(Offset.mint(0))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((None, None, None), None),
        (("s", None, None), ForkPoint(source="s")),
        (("s", "now", None), ForkPoint(source="s")),
        (("s", "-1", None), ForkPoint(source="s", offset=0)),
        (("s", ZERO, "0"), ForkPoint(source="s", offset=0)),
        (("s", ZERO, "3"), ForkPoint(source="s", offset=0, sub_offset=3)),
    ],
)
def test_fork_headers_name_a_point(
    headers: tuple[str | None, str | None, str | None], expected: ForkPoint | None
) -> None:
    assert parse_fork(*headers) == expected


@pytest.mark.parametrize(
    "headers",
    [(None, ZERO, None), (None, None, "0"), ("s", None, "1"), ("s", "7", None), ("s", ZERO, "-1")],
)
def test_fork_headers_that_name_no_point_are_refused(
    headers: tuple[str | None, str | None, str | None],
) -> None:
    with pytest.raises(RejectedError) as caught:
        parse_fork(*headers)
    assert caught.value.status == 400
