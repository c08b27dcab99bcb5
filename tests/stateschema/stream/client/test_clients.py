"""Both clients against a real server: every operation, and what must be left behind: nothing."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from stateschema.errors import (
    LocalProtocolError,
    NetworkError,
    OffsetGoneError,
    RefusedError,
    RemoteProtocolError,
    ServerError,
    StreamClosedError,
    StreamNotFoundError,
)
from stateschema.events import parse_event
from stateschema.stream.client import Retry
from stateschema.stream.offset import Offset
from tests.stateschema.stream.client.sides import AsyncSide

IMPATIENT = Retry(initial=0.001, max_retries=2)
EVENT = {"type": "m", "key": "1", "value": {"a": 1}, "headers": {"operation": "insert"}}

Side = Any  # either side: what a method returns depends on it
Batches = list[Any]

WRITER = httpx.Client()


def messages(batches: Batches) -> list[Any]:
    return [message for batch in batches for message in batch.messages]


def test_the_life_of_a_stream(side: Side, url: str) -> None:
    stream = side.open(url)
    created = side.call(stream.create(ttl=3600))
    assert (created.is_new, created.content_type) == (True, "application/json")
    assert not created.is_closed
    assert not side.call(stream.create(ttl=3600)).is_new
    first = side.call(stream.append({"n": 1}))
    side.call(stream.append(parse_event(EVENT)))
    end = side.call(stream.append_many([2, [3], "4", b'{"n":5}']))
    assert side.call(stream.read_all()) == [{"n": 1}, EVENT, 2, [3], "4", {"n": 5}]
    assert side.call(stream.read_all(first)) == [EVENT, 2, [3], "4", {"n": 5}]
    head = side.call(stream.head())
    assert (head, head.ttl, head.is_closed) == (end, 3600, False)
    assert side.call(stream.close_stream("last")) == side.call(stream.head())
    assert side.call(stream.head()).is_closed
    with pytest.raises(StreamClosedError):
        side.call(stream.append("more"))
    assert messages(side.take(stream.follow(end), lambda _: False)) == ["last"]
    side.call(stream.delete())
    with pytest.raises(StreamNotFoundError, match=r"stream 'http://.*' does not exist"):
        side.call(stream.read())


def test_events_of_an_append_are_one_batch(side: Side, url: str) -> None:
    stream = side.open(url)
    side.call(stream.create())
    side.call(stream.append(parse_event(EVENT) for _ in range(2)))
    batch = side.call(stream.read())
    assert [event.to_wire() for event in batch.events()] == [EVENT, EVENT]
    assert (batch.up_to_date, batch.is_closed, batch.source) == (True, False, url)


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream"])
def test_streams_of_bytes(side: Side, url: str, content_type: str) -> None:
    stream = side.open(url, content_type=content_type)
    side.call(stream.create(messages=[b"a"]))
    side.call(stream.append("ä"))
    side.call(stream.append_many([b"b", b"c"]))
    assert side.call(stream.read()).data == "aäbc".encode()
    followed = side.take(stream.follow(), lambda batch: batch.up_to_date)
    assert b"".join(batch.data for batch in followed) == "aäbc".encode()


def test_a_second_client_learns_what_kind_of_stream_it_is(side: Side, url: str) -> None:
    side.call(side.open(url).create(content_type="text/plain"))
    stream = side.open(url)
    side.call(stream.append(b"x"))
    assert stream.content_type == "text/plain"
    with pytest.raises(LocalProtocolError, match="int cannot be appended to a stream of"):
        side.call(stream.append(1))


def test_contradictions_are_refused(side: Side, url: str) -> None:
    stream = side.open(url)
    side.call(stream.create())
    with pytest.raises(RefusedError) as caught:
        side.call(stream.create(content_type="text/plain"))
    assert caught.value.status == 409
    side.call(side.open(url).append(1, seq="b"))
    with pytest.raises(RefusedError) as caught:
        side.call(side.open(url).append(2, seq="a"))
    assert caught.value.status == 409
    with pytest.raises(LocalProtocolError, match="stream with both ttl and expires_at"):
        side.call(stream.create(ttl=1, expires_at="2030-01-01T00:00:00Z"))
    with pytest.raises(LocalProtocolError, match="append without"):
        side.call(stream.append([]))


def test_a_stream_may_be_born_complete(side: Side, url: str) -> None:
    stream = side.open(url)
    expiry = datetime.now(UTC) + timedelta(hours=1)
    head = side.call(stream.create(closed=True, messages=[1, 2], expires_at=expiry))
    assert head.is_closed
    (batch,) = side.take(stream.follow(), lambda _: False)
    assert (list(batch.messages), batch.is_closed) == ([1, 2], True)


def test_operations_on_a_stream_that_is_not_there(side: Side, url: str) -> None:
    stream = side.open(url)
    for call in (stream.connect, stream.head, stream.read, stream.delete, stream.close_stream):
        with pytest.raises(StreamNotFoundError):
            side.call(call())
    with pytest.raises(StreamNotFoundError):
        side.call(stream.append(1))
    with pytest.raises(StreamNotFoundError):
        side.take(stream.follow(), lambda _: False)


def test_offsets_that_are_none(side: Side, url: str) -> None:
    stream = side.open(url)
    side.call(stream.create())
    with pytest.raises(LocalProtocolError, match="offset 'nonsense' is not accepted by stream"):
        side.call(stream.read("nonsense"))
    with pytest.raises(LocalProtocolError, match="offset 'a/b' is malformed"):
        side.call(stream.read("a/b"))


@pytest.mark.parametrize("name", ["", "-ä b", "-%C3%A4"])
def test_a_fork_shares_the_beginning(side: Side, url: str, name: str) -> None:
    stream = side.open(url + name)
    side.call(stream.create())
    place = side.call(stream.append(1))
    side.call(stream.append(2))
    fork = side.call(stream.fork(f"{url}-fork", offset=place))
    side.call(fork.append(3))
    assert side.call(fork.read_all()) == [1, 3]
    assert side.call(stream.read_all()) == [1, 2]
    side.call(fork.close())
    with pytest.raises(RefusedError):
        side.call(stream.fork(f"{url}-fork-2", sub_offset=99))


def test_text_comes_as_it_was_appended(side: Side, url: str) -> None:
    stream = side.open(url)
    side.call(stream.create(content_type="text/plain"))
    pieces = iter([b" a\rb\r\n", b"\n\xc3", b"\xa4 "])

    def until(_: Any) -> bool:
        piece = next(pieces, None)
        closing = {"Stream-Closed": "true"} if piece is None else {}
        headers = {"Content-Type": "text/plain", **closing}
        WRITER.post(url, content=piece or b"", headers=headers).raise_for_status()
        return False

    batches = side.take(stream.follow(), until)
    assert b"".join(batch.data for batch in batches) == b" a\rb\r\n\n\xc3\xa4 "


@pytest.mark.parametrize("live", ["auto", "sse", "long-poll"])
def test_followers_get_what_is_there_and_what_comes(side: Side, url: str, live: str) -> None:
    stream, other = side.open(url), side.open(url)
    side.call(stream.create(messages=[0]))
    numbers = iter(range(1, 4))

    def until(batch: Any) -> bool:
        """Append the next number when the last one has come, from elsewhere."""
        if not batch.messages:
            return False
        number = next(numbers, None)
        if number is None:
            return True
        thread = threading.Thread(target=append, args=(url, number))
        thread.start()
        thread.join()
        return False

    batches = side.take(other.follow(live=live), until)
    assert [list(batch.messages) for batch in batches if batch.messages] == [[0], [1], [2], [3]]
    assert batches[0].up_to_date


def append(url: str, message: Any) -> None:
    WRITER.post(url, json=message).raise_for_status()


@pytest.mark.parametrize("live", ["sse", "long-poll"])
def test_following_from_any_offset_gives_the_rest(side: Side, url: str, live: str) -> None:
    stream = side.open(url)
    side.call(stream.create())
    offsets = [Offset.START, *(side.call(stream.append(n)) for n in range(4))]
    side.call(stream.close_stream())
    for start, offset in enumerate(offsets):
        batches = side.take(stream.follow(offset, live=live), lambda _: False)
        assert messages(batches) == list(range(start, 4))
        assert (batches[-1].next_offset, batches[-1].is_closed) == (offsets[-1], True)


def test_now_is_the_end(side: Side, url: str) -> None:
    stream = side.open(url)
    side.call(stream.create(messages=[1]))
    batch = side.call(stream.read("now"))
    assert (list(batch.messages), batch.up_to_date) == ([], True)
    assert batch.next_offset == side.call(stream.head())


def test_appends_that_overlap_travel_together_and_keep_their_order(side: Side, url: str) -> None:
    stream = side.open(url)
    side.call(stream.create())
    offsets = side.all(*(lambda n=n: stream.append(n) for n in range(20)))
    assert sorted(side.call(stream.read_all())) == list(range(20))
    assert all(isinstance(offset, Offset) for offset in offsets)
    if isinstance(side, AsyncSide):  # the order of calls is known there only
        assert side.call(stream.read_all()) == list(range(20))
        assert len(set(offsets)) == 1


def test_all_who_wait_for_a_batch_learn_that_it_failed(side: Side) -> None:
    stream = side.faked(
        lambda _: httpx.Response(503), content_type="application/json", retry=IMPATIENT
    )
    outcomes = side.all(*(lambda n=n: stream.append(n) for n in range(8)))
    assert [type(outcome) for outcome in outcomes] == [ServerError] * 8


def test_a_producer_appends_everything_once(side: Side, url: str) -> None:
    stream = side.open(url)
    side.call(stream.create())
    producer = stream.producer(max_batch_bytes=20)
    for number in range(200):
        side.call(producer.append(number))
    assert side.call(producer.flush()) == side.call(stream.head())
    assert side.call(stream.read_all()) == list(range(200))
    side.call(producer.close())
    with pytest.raises(StreamClosedError, match=r"producer '.*' is closed"):
        side.call(producer.append(1))


def test_a_producer_may_close_the_stream(side: Side, url: str) -> None:
    stream = side.open(url)
    side.call(stream.create())
    producer = stream.producer()
    side.call(producer.append(1))
    end = side.call(producer.close_stream(2))
    assert side.call(producer.close_stream()) == end
    (batch,) = side.take(stream.follow(), lambda _: False)
    assert (list(batch.messages), batch.is_closed, batch.next_offset) == ([1, 2], True, end)
    side.call(producer.close())


def test_an_older_epoch_is_fenced_off_unless_it_claims(side: Side, url: str) -> None:
    stream = side.open(url)
    side.call(stream.create())
    newer = stream.producer("p", epoch=4)
    side.call(newer.append("newer"))
    side.call(newer.flush())
    older = stream.producer("p", linger=0)
    side.call(older.append("zombie"))
    with pytest.raises(RefusedError) as caught:
        side.call(older.flush())
    assert (caught.value.status, caught.value.epoch) == (403, 4)
    claiming = stream.producer("p", auto_claim=True)
    side.call(claiming.append("claimed"))
    side.call(claiming.flush())
    assert claiming.epoch == 5
    assert side.call(stream.read_all()) == ["newer", "claimed"]
    side.call(newer.append("fenced"))
    with pytest.raises(RefusedError):
        side.call(newer.close())


def test_a_producer_fails_as_a_whole(side: Side, url: str) -> None:
    producer = side.open(url, content_type="application/json").producer()
    side.call(producer.append(1))
    with pytest.raises(StreamNotFoundError):
        side.call(producer.flush())
    with pytest.raises(StreamNotFoundError):
        side.call(producer.append(2))
    with pytest.raises(StreamNotFoundError):
        side.call(producer.close())


def test_a_server_that_cannot_be_reached(side: Side) -> None:
    stream = side.open("http://127.0.0.1:9/s", retry=IMPATIENT)  # the port is reserved
    with pytest.raises(NetworkError) as caught:
        side.call(stream.head())
    assert not caught.value.was_sent


def test_headers_are_made_for_each_request_also_for_repetitions(side: Side) -> None:
    seen: list[tuple[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append((request.headers["authorization"], request.url.params["n"]))
        if len(seen) < 3:
            return httpx.Response(503)
        return httpx.Response(200, headers={"Stream-Next-Offset": "1"})

    stream = side.faked(
        handler,
        headers={"Authorization": lambda: f"Bearer {len(seen)}"},
        params=lambda: {"n": str(len(seen))},
        retry=IMPATIENT,
    )
    side.call(stream.head())
    assert seen == [("Bearer 0", "0"), ("Bearer 1", "1"), ("Bearer 2", "2")]


def test_an_append_is_never_redirected_into_something_else(side: Side) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "http://elsewhere/"})

    stream = side.faked(handler, content_type="application/json")
    with pytest.raises(RemoteProtocolError) as caught:
        side.call(stream.append(1))
    assert caught.value.__notes__ == ["it points to http://elsewhere/"]


def test_a_delete_that_was_not_answered_counts_when_the_stream_is_gone(side: Side) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        if not answers:
            answers.append(1)
            raise httpx.ReadError("gone")
        return httpx.Response(404)

    answers: list[int] = []
    side.call(side.faked(handler, retry=IMPATIENT).delete())
    with pytest.raises(StreamNotFoundError):
        side.call(side.faked(handler, retry=IMPATIENT).delete())


def test_offsets_that_are_gone(side: Side) -> None:
    stream = side.faked(lambda _: httpx.Response(410))
    with pytest.raises(OffsetGoneError, match="does not hold offset '5' any more"):
        side.call(stream.read("5"))


def test_a_closed_client_does_nothing_any_more(side: Side, url: str) -> None:
    stream = side.open(url)
    side.call(stream.create())
    side.call(stream.close())
    side.call(stream.close())
    with pytest.raises(StreamClosedError, match="client of stream"):
        side.call(stream.append(1))
    assert side.take(stream.follow(), lambda _: True) == []
