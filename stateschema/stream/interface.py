"""What a stream can do: the interface between a log of events and all who read or write it.

An append is atomic: followers that are live get the messages of one append as one batch, which
becomes one commit downstream. Those who read from further back get larger batches; where history
is cut never matters to what it adds up to.

Law        Reading from any offset gives the tail of reading everything (law 8).
"""

from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Protocol, cast

from stateschema.errors import LocalProtocolError
from stateschema.events import ChangeEvent, ControlEvent, Event, shorten
from stateschema.stream.batch import Batch
from stateschema.stream.offset import Offset


class Stream(Protocol):
    """An append-only log of events, read by offset."""

    async def append(self, events: Event | Iterable[Event], /) -> Offset:
        """Append events as one batch and return the offset after them.

        Raises:
            LocalProtocolError: There is no event, or one has no JSON form; nothing is appended.
            StreamClosedError: The handle is closed.
        """
        ...

    async def read(self, offset: str = Offset.START, *, limit: int | None = None) -> Batch:
        """Return messages after an offset, at most `limit` of them, without waiting.

        Raises:
            LocalProtocolError: The offset is malformed, or the limit is not positive.
            OffsetGoneError: The stream holds no such position.
        """
        ...

    def follow(self, offset: str = Offset.START) -> AsyncGenerator[Batch, None]:
        """Yield batches from an offset on: first what is there, then what comes, for ever.

        At least one batch comes at once, empty if there is nothing to read, and the first with
        `up_to_date` ends the catching up. The generator ends after `close()`, when all that was
        appended before has been read; it may be left or cancelled at any time.

        Raises:
            LocalProtocolError: The offset is malformed.
            OffsetGoneError: The stream holds no such position.
        """
        ...

    async def head(self) -> Offset:
        """Return the offset of the present end."""
        ...

    async def close(self) -> None:
        """Refuse further appends through this handle, and end its followers; idempotent."""
        ...


def encode_batch(events: Event | Iterable[Event]) -> list[bytes]:
    """Return the wire text of each event of an append.

    Raises:
        LocalProtocolError: There is no event, or one has no JSON form.
    """
    is_one = isinstance(events, ChangeEvent | ControlEvent | Mapping)
    batch = cast("Iterable[Event]", [events] if is_one else events)
    lines = [_checked(event).to_json().encode() for event in batch]
    if not lines:
        raise LocalProtocolError("append without events")
    return lines


def _checked(event: object) -> Event:
    if isinstance(event, ChangeEvent | ControlEvent):
        return event
    error = LocalProtocolError(f"append takes events, not {shorten(event)}")
    error.add_note("make one with Chat.messages.insert(...), or read one with parse_event(...)")
    raise error


def check_limit(limit: int | None) -> None:
    """Refuse a limit under which no read would ever get further."""
    if limit is not None and limit < 1:
        raise LocalProtocolError(f"limit {limit} is not positive")
