"""What a store can do: many named streams, created, appended to, read, forked and deleted.

Writes are awaited: when they return, the change is as durable as the store makes it, and all who
wait for the stream have been woken. Reads see every write that has returned. An append is atomic:
record, producer state and closure are there together or not at all.

One process owns a store: those who wait for appends wait in it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from stateschema.stream.follow import Signal
from stateschema.stream.protocol.append import Append, Decision
from stateschema.stream.protocol.create import Creation
from stateschema.stream.protocol.record import Record
from stateschema.stream.protocol.state import StreamState


@dataclass(frozen=True, slots=True)
class Created:
    """A stream that exists now, and whether it is new."""

    state: StreamState
    is_new: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """What one read gives.

    Attributes:
        state: The stream at the time of the read.
        start: The position of the first byte or message.
        end: The position after the last one.
        data: The content, record by record; to be joined as the content type wants it.
    """

    state: StreamState
    start: int
    end: int
    data: Sequence[bytes]

    @property
    def up_to_date(self) -> bool:
        """Whether the read reached the end of the stream, as it was then."""
        return self.end == self.state.tail

    @property
    def is_final(self) -> bool:
        """Whether nothing can ever follow."""
        return self.up_to_date and self.state.closed


class Store(Protocol):
    """Streams by name. Every operation on a missing stream is refused with 404, 410 or 409."""

    async def create(self, name: str, wish: Creation) -> Created:
        """Create a stream, or accept the one that is there if it is the same.

        Raises:
            RejectedError: It exists with another configuration, or cannot be forked like this.
        """
        ...

    async def append(self, name: str, wish: Append) -> Decision:
        """Append to a stream, close it, or both.

        Raises:
            RejectedError: A rule of the protocol is broken; nothing has changed.
        """
        ...

    async def append_made(
        self, name: str, start: int, make: Callable[[Sequence[bytes]], Sequence[Record]]
    ) -> StreamState:
        """Append what is made of everything from a position on, with nothing else in between.

        Args:
            name: The stream.
            start: Where what `make` gets begins.
            make: Gets the content record by record and returns new records; called once, maybe in
                another thread. What it raises is raised, and nothing is appended.

        Raises:
            RejectedError: The stream is closed, or does not hold the position.
        """
        ...

    async def drop(self, name: str, end: int) -> None:
        """Drop what is before a position that begins a record; not while forks share it."""
        ...

    def larger_than(self, size: int) -> Sequence[StreamState]:
        """Return the streams whose own records take more bytes."""
        ...

    async def delete(self, name: str) -> None:
        """Delete a stream; one that forks share is only hidden until the last of them is gone."""
        ...

    def head(self, name: str) -> StreamState:
        """Return what is known about a stream, without counting as use of it."""
        ...

    def use(self, name: str) -> StreamState:
        """Return what is known about a stream, and begin its time to live anew."""
        ...

    def read(self, name: str, start: int | None, *, max_bytes: int) -> Piece:
        """Return what follows a position: whole records, about `max_bytes`, at least one.

        No position means the first one that is still held.

        Raises:
            RejectedError: The stream holds no such position, 410.
        """
        ...

    def signal(self, stream: int) -> Signal:
        """Return what the next change of a stream wakes: append, closure, deletion."""
        ...

    async def sweep(self) -> None:
        """Delete what has expired and drop what is retained no longer; to be called every second."""
        ...

    async def close(self) -> None:
        """Finish what has been begun and refuse everything else; idempotent."""
        ...
