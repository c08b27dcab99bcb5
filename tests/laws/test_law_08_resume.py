"""Law 8: following a stream from any offset ends in the state of reading it from its start.

A reader stops after any batch, of any size, keeps its state and its offset, and goes on later while
others append. Its state then is that of a reader who was there all the time, and that of a fold
written here from the words of the protocol. In memory and in a file; and of a StreamDB that kept its
rows, stopped after any event.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stateschema.events import ControlEvent, Event, parse_event
from stateschema.state import MaterializedState
from stateschema.stream import LogFile, MemoryStream, Offset
from stateschema.streamdb.attach import collections_of
from stateschema.streamdb.blocking import BlockingStreamDB
from tests.stateschema.strategies import events
from tests.stateschema.streamdb.chat import Chat, expected, histories, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

AnyStream = MemoryStream | LogFile
State = dict[tuple[str, str], Any]
SYNCED = settings(
    max_examples=max(settings().max_examples // 5, 20)
)  # each append waits for a disk


@contextmanager
def opened(kind: str) -> Iterator[AnyStream]:
    """Open an empty stream of a kind."""
    if kind == "memory":
        yield MemoryStream()
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.jsonl"
        with LogFile(path, create=True) as log:
            yield log


def folded(history: list[Event]) -> State:
    """Return the rows that events add up to, by the words of the protocol."""
    rows: State = {}
    dumped: set[tuple[str, str]] | None = None
    for event in history:
        if isinstance(event, ControlEvent):
            if event.headers.control == "reset":
                rows, dumped = {}, None
            elif event.headers.control == "snapshot-start":
                dumped = set()
            elif dumped is not None:
                rows, dumped = {at: row for at, row in rows.items() if at in dumped}, None
            continue
        at = (event.type, event.key)
        if event.headers.operation == "delete":
            rows.pop(at, None)
            continue
        rows[at] = event.value
        if dumped is not None:
            dumped.add(at)
    return rows


def rows_of(state: MaterializedState) -> State:
    return {(kind, key): row for kind in state.types for key, row in state.get_type(kind).items()}


def read_on(stream: AnyStream, state: MaterializedState, offset: Offset, limit: int) -> Offset:
    """Read to the end in batches; return where that is."""
    while True:
        batch = stream.read_now(offset, limit=limit)
        assert len(batch.messages) <= limit
        state.apply_batch(batch.events())
        offset = batch.next_offset
        if batch.up_to_date:
            return offset


@pytest.mark.parametrize("kind", ["memory", "file"])
@SYNCED
@given(history=st.lists(st.lists(events(), min_size=1, max_size=4), max_size=6), seed=st.integers())
def test_a_reader_that_comes_and_goes_ends_in_the_state_of_all_events(
    kind: str, history: list[list[Event]], seed: int
) -> None:
    rng = random.Random(seed)
    with opened(kind) as stream:
        state, offset = MaterializedState(), Offset.START
        for appended in history:
            stream.append_now(appended)
            if rng.random() < 0.5:
                offset = read_on(stream, state, offset, rng.randint(1, 5))
        assert read_on(stream, state, offset, 3) == stream.head_now()
        whole = MaterializedState()
        read_on(stream, whole, Offset.START, 1_000)
    everything = [event for appended in history for event in appended]
    assert rows_of(state) == rows_of(whole) == folded(everything)


@pytest.mark.parametrize("kind", ["memory", "file"])
@SYNCED
@given(history=st.lists(st.lists(events(), min_size=1, max_size=4), max_size=6))
def test_reading_from_any_offset_gives_the_tail_of_everything(
    kind: str, history: list[list[Event]]
) -> None:
    with opened(kind) as stream:
        after = [Offset.START, *[stream.append_now(appended) for appended in history]]
        for n, offset in enumerate(after):
            tail = [event for appended in history[n:] for event in appended]
            batch = stream.read_now(offset)
            assert batch.events() == tail
            assert batch.up_to_date
            position = offset
            for event in tail:
                one = stream.read_now(position, limit=1)
                assert one.events() == [event]
                position = one.next_offset
            assert stream.read_now(position).events() == []


@given(
    history=st.lists(st.lists(events(), min_size=1, max_size=4), min_size=1, max_size=6),
    seed=st.integers(),
)
def test_a_follower_from_any_offset_gets_what_came_before_and_what_comes_later(
    history: list[list[Event]], seed: int
) -> None:
    rng = random.Random(seed)
    stream = MemoryStream()
    before = rng.randint(0, len(history))
    offsets = [Offset.START, *[stream.append_now(appended) for appended in history[:before]]]
    start = rng.randrange(len(offsets))

    async def follow() -> list[Event]:
        got: list[Event] = []

        async def collect() -> None:
            async for batch in stream.follow(offsets[start]):
                got.extend(batch.events())

        task = asyncio.create_task(collect())
        for appended in history[before:]:
            await asyncio.sleep(0)
            stream.append_now(appended)
        stream.close_now()
        await task
        return got

    expected = [event for appended in history[start:] for event in appended]
    assert asyncio.run(follow()) == expected


@given(history=histories(max_size=8))
@settings(max_examples=max(settings().max_examples // 20, 5))  # each stop waits for a disk
def test_a_database_that_stops_after_any_event_goes_on_as_if_it_had_not(
    history: list[dict[str, Any]],
) -> None:
    wire = [parse_event(each) for each in history]
    with tempfile.TemporaryDirectory() as folder:
        for stop in range(len(wire) + 1):
            stream = MemoryStream()
            for event in wire[:stop]:
                stream.append_now(event)
            with BlockingStreamDB(Chat, stream=stream, cache=f"{folder}/{stop}.db"):
                pass
            for event in wire[stop:]:
                stream.append_now(event)
            with (
                BlockingStreamDB(Chat, stream=stream, cache=f"{folder}/{stop}.db") as resumed,
                BlockingStreamDB(Chat, stream=stream) as whole,
            ):
                assert shown(whole.collections) == expected(history)
                assert [dict(rows) for rows in collections_of(resumed.collections).values()] == [
                    dict(rows) for rows in collections_of(whole.collections).values()
                ]
