"""The queue of plain appends: who travels with whom, and who learns what."""

from concurrent.futures import Future

import pytest

from stateschema.errors import ServerError
from stateschema.stream.client.appending import AppendQueue, Entry
from stateschema.stream.offset import Offset


def entry(*texts: bytes, seq: str | None = None) -> Entry:
    return Entry(texts, seq, Future())


def taken(queue: AppendQueue) -> list[tuple[list[bytes], str | None]]:
    found = []
    while (batch := queue.take()) is not None:
        found.append((batch.texts, batch.seq))
    return found


def queue_of(*entries: Entry, max_bytes: int = 100) -> AppendQueue:
    queue = AppendQueue(max_bytes=max_bytes)
    for each in entries:
        queue.add(each)
    return queue


def test_those_that_wait_travel_together_up_to_a_size() -> None:
    queue = queue_of(entry(b"aaa"), entry(b"bb", b"b"), entry(b"cc"), entry(b"d" * 20), max_bytes=6)
    assert taken(queue) == [
        ([b"aaa", b"bb", b"b"], None),
        ([b"cc"], None),
        ([b"d" * 20], None),
    ]


def test_a_sequence_number_travels_alone() -> None:
    queue = queue_of(entry(b"a"), entry(b"b", seq="1"), entry(b"c", seq="2"), entry(b"d"))
    assert taken(queue) == [([b"a"], None), ([b"b"], "1"), ([b"c"], "2"), ([b"d"], None)]


def test_what_nobody_waits_for_any_more_is_not_sent() -> None:
    gone, last = entry(b"a"), entry(b"b")
    queue = queue_of(gone, last)
    gone.outcome.cancel()  # type: ignore[attr-defined] # a Future
    assert taken(queue) == [([b"b"], None)]


def test_everybody_learns_the_outcome() -> None:
    entries = [entry(b"a"), entry(b"b"), entry(b"c")]
    batch = queue_of(*entries).take()
    assert batch is not None
    batch.settle(Offset("3"))
    assert [each.outcome.result() for each in entries] == ["3", "3", "3"]  # type: ignore[attr-defined] # a Future


def test_everybody_learns_of_the_failure() -> None:
    entries = [entry(b"a"), entry(b"b")]
    batch = queue_of(*entries).take()
    assert batch is not None
    batch.fail(ServerError("down", status=503))
    for each in entries:
        with pytest.raises(ServerError, match="down"):
            each.outcome.result()  # type: ignore[attr-defined] # a Future
