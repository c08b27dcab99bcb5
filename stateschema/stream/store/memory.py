"""A store in memory: for tests, for development, and for streams that may go with the process.

`MemoryStream` is the other stream in memory: one log of events for one process, without names,
content types, producers or HTTP; a store of it would cost its users an event loop.

State      Per stream two lists, of record starts and of records; nothing is copied on reading.
Expiry     A heap of deadlines. One that has moved is put back when it comes up.
"""

import heapq
import secrets
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from time import time

from stateschema.stream.follow import Signal
from stateschema.stream.protocol.append import Append, Decision
from stateschema.stream.protocol.create import Creation
from stateschema.stream.protocol.producer import ProducerState
from stateschema.stream.protocol.record import Record
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.protocol.state import StreamState
from stateschema.stream.store.interface import Created, Piece
from stateschema.stream.store.operations import Operations, Retention
from stateschema.stream.store.signals import Signals
from stateschema.stream.store.tables import Stored


@dataclass(slots=True)
class _Stream:
    state: StreamState
    starts: list[int] = field(default_factory=list[int])
    records: list[tuple[Record, float]] = field(default_factory=list[tuple[Record, float]])
    producers: dict[str, ProducerState] = field(default_factory=dict[str, ProducerState])
    forks: set[int] = field(default_factory=set[int])


class MemoryTables:
    """Tables in dictionaries. Numbers of streams begin at random: a restart must not repeat them."""

    def __init__(self) -> None:
        self._streams: dict[int, _Stream] = {}
        self._names: dict[str, int] = {}
        self._deadlines: list[tuple[float, int]] = []
        self._last_id = secrets.randbits(48)

    def find(self, name: str) -> StreamState | None:
        """Return the stream of a name."""
        stream = self._names.get(name)
        return None if stream is None else self._streams[stream].state

    def get(self, stream: int) -> StreamState:
        """Return a stream that is known to exist."""
        return self._streams[stream].state

    def forks(self, stream: int) -> list[StreamState]:
        """Return the forks of a stream, hidden ones too."""
        return [self._streams[fork].state for fork in self._streams[stream].forks]

    def new_id(self) -> int:
        """Return a number that no stream has had."""
        self._last_id += 1
        return self._last_id

    def put(self, state: StreamState) -> None:
        """Store a stream, new or changed."""
        known = self._streams.get(state.id)
        if known is None:
            self._streams[state.id] = _Stream(state)
            self._names[state.name] = state.id
            if state.parent is not None:
                self._streams[state.parent].forks.add(state.id)
            if state.deadline is not None:
                heapq.heappush(self._deadlines, (state.deadline, state.id))
        else:
            known.state = state

    def renew(self, stream: int, deadline: float) -> None:
        """Move the deadline of a stream."""
        known = self._streams[stream]
        known.state = replace(known.state, deadline=deadline)

    def remove(self, stream: int) -> None:
        """Remove a stream, its records and its producers."""
        state = self._streams.pop(stream).state
        del self._names[state.name]
        if state.parent is not None:
            self._streams[state.parent].forks.discard(stream)

    def producer(self, stream: int, producer: str) -> ProducerState | None:
        """Return what is remembered of a producer."""
        return self._streams[stream].producers.get(producer)

    def put_producer(self, stream: int, producer: str, state: ProducerState) -> None:
        """Remember a producer."""
        self._streams[stream].producers[producer] = state

    def add(self, stream: int, start: int, record: Record, now: float) -> None:
        """Store a record at the tail."""
        known = self._streams[stream]
        known.starts.append(start)
        known.records.append((record, now))

    def records(self, stream: int, start: int, end: int) -> Iterator[tuple[int, Record]]:
        """Iterate over the own records that overlap a range."""
        known = self._streams[stream]
        place = max(0, bisect_right(known.starts, start) - 1)
        while place < len(known.starts) and known.starts[place] < end:
            yield known.starts[place], known.records[place][0]
            place += 1

    def drop(self, stream: int, end: int) -> None:
        """Drop the own records before a position."""
        known = self._streams[stream]
        count = bisect_left(known.starts, end)
        del known.starts[:count], known.records[:count]

    def oldest(self, stream: int) -> Iterator[Stored]:
        """Iterate over a stream's own records, from the oldest on."""
        known = self._streams[stream]
        for start, (record, at) in zip(known.starts, known.records, strict=True):
            yield Stored(at, start + record.count, len(record.data))

    def overdue(self, *, before: float | None, max_bytes: int | None) -> list[StreamState]:
        """Return the streams that retention may have to cut."""
        return [
            one.state
            for one in self._streams.values()
            if (max_bytes is not None and one.state.size > max_bytes)
            or (before is not None and one.records and one.records[0][1] < before)
        ]

    def expired(self, now: float) -> list[StreamState]:
        """Return the streams whose deadline has passed."""
        found: list[StreamState] = []
        while self._deadlines and self._deadlines[0][0] <= now:
            _, stream = heapq.heappop(self._deadlines)
            known = self._streams.get(stream)
            if known is None or known.state.deleted or known.state.deadline is None:
                continue
            if known.state.is_expired(now):
                found.append(known.state)
            else:
                heapq.heappush(self._deadlines, (known.state.deadline, stream))
        return found


class MemoryStore:
    """Streams that live as long as this object; belongs to the thread of one event loop.

    Args:
        clock: Seconds since 1970.
        retention: How much of each stream is kept.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time, retention: Retention | None = None
    ) -> None:
        self._signals = Signals()
        self._is_closed = False
        self._operations = Operations(
            MemoryTables(),
            clock=clock,
            retention=retention or Retention(),
            changed=self._signals.wake,
        )

    async def create(self, name: str, wish: Creation) -> Created:
        """Create a stream, or accept the one that is there if it is the same."""
        self._check_open()
        return self._operations.create(name, wish)

    async def append(self, name: str, wish: Append) -> Decision:
        """Append to a stream, close it, or both."""
        self._check_open()
        return self._operations.append(name, wish)

    async def append_made(
        self, name: str, start: int, make: Callable[[Sequence[bytes]], Sequence[Record]]
    ) -> StreamState:
        """Append what is made of everything from a position on."""
        self._check_open()
        return self._operations.append_made(name, start, make)

    async def drop(self, name: str, end: int) -> None:
        """Drop what is before a position."""
        self._check_open()
        self._operations.drop(name, end)

    def larger_than(self, size: int) -> Sequence[StreamState]:
        """Return the streams whose own records take more bytes."""
        return self._operations.larger_than(size)

    async def delete(self, name: str) -> None:
        """Delete a stream."""
        self._check_open()
        self._operations.delete(name)

    def head(self, name: str) -> StreamState:
        """Return what is known about a stream, without counting as use of it."""
        return self._operations.head(name)

    def use(self, name: str) -> StreamState:
        """Return what is known about a stream, and begin its time to live anew."""
        return self._operations.use(name)

    def read(self, name: str, start: int | None, *, max_bytes: int) -> Piece:
        """Return what follows a position."""
        return self._operations.read(name, start, max_bytes=max_bytes)

    def signal(self, stream: int) -> Signal:
        """Return what the next change of a stream wakes."""
        return self._signals.of(stream)

    async def sweep(self) -> None:
        """Delete what has expired and drop what is retained no longer."""
        self._operations.sweep()

    async def close(self) -> None:
        """Refuse further writes; idempotent."""
        self._is_closed = True

    def _check_open(self) -> None:
        if self._is_closed:
            raise RejectedError(503, "shutting-down", "the store is closed")
