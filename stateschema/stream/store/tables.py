"""Tables: the few things a store must be able to keep, so that the rules are written once.

`Operations` decides what is kept; a kind of store only says how. Calls between two commits belong
together: all of them hold, or none.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from stateschema.stream.protocol.producer import ProducerState
from stateschema.stream.protocol.record import Record
from stateschema.stream.protocol.state import StreamState


class Stored(NamedTuple):
    """What retention asks about a record: when it was stored, where it ends, its size in bytes."""

    at: float
    end: int
    size: int


class Tables(Protocol):
    """Streams, what is remembered of their producers, and their records."""

    def find(self, name: str) -> StreamState | None:
        """Return the stream of a name; deleted ones that forks share have their name still."""
        ...

    def get(self, stream: int) -> StreamState:
        """Return a stream that is known to exist."""
        ...

    def forks(self, stream: int) -> list[StreamState]:
        """Return the forks of a stream, hidden ones too."""
        ...

    def new_id(self) -> int:
        """Return a number that no stream has had."""
        ...

    def put(self, state: StreamState) -> None:
        """Store a stream, new or changed."""
        ...

    def renew(self, stream: int, deadline: float) -> None:
        """Move the deadline of a stream; unlike the rest, this may be lost in a crash."""
        ...

    def remove(self, stream: int) -> None:
        """Remove a stream, its records and its producers."""
        ...

    def producer(self, stream: int, producer: str) -> ProducerState | None:
        """Return what is remembered of a producer."""
        ...

    def put_producer(self, stream: int, producer: str, state: ProducerState) -> None:
        """Remember a producer."""
        ...

    def add(self, stream: int, start: int, record: Record, now: float) -> None:
        """Store a record at the tail of a stream's own records."""
        ...

    def records(self, stream: int, start: int, end: int) -> Iterable[tuple[int, Record]]:
        """Iterate over the own records that overlap a range, with their starts, in order."""
        ...

    def drop(self, stream: int, end: int) -> None:
        """Drop the own records before a position that begins a record."""
        ...

    def oldest(self, stream: int) -> Iterable[Stored]:
        """Iterate over a stream's own records, from the oldest on, without their data."""
        ...

    def overdue(self, *, before: float | None, max_bytes: int | None) -> list[StreamState]:
        """Return the streams that retention may have to cut; too many do no harm.

        Args:
            before: Streams with a record stored earlier than this, in seconds since 1970.
            max_bytes: Streams with own records of more than this.
        """
        ...

    def expired(self, now: float) -> list[StreamState]:
        """Return the streams whose deadline has passed and that are not deleted."""
        ...
