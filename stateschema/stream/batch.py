"""Batches: what one read of a stream gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stateschema.errors import Where
from stateschema.events import Event, parse_events
from stateschema.stream.offset import Offset
from stateschema.stream.text import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Consecutive messages of a stream.

    Attributes:
        messages: Decoded JSON values, in order; empty at the end of the stream.
        next_offset: Where the next read continues.
        up_to_date: Whether this batch reached the end of the stream, as it was then.
        source: Name of the stream or file, for errors.
        lines: Line of each message, from 1, when it came from a file of lines.
    """

    messages: Sequence[Any]
    next_offset: Offset
    up_to_date: bool
    source: str | None = None
    lines: Sequence[int] | None = None

    def events(self) -> list[Event]:
        """Return the messages as events.

        Raises:
            EventError: A message is no legal event; names the source and the line.
        """
        return parse_events(self.messages, where=self.where)

    def where(self, index: int) -> Where:
        """Return the place of a message, to name in errors: `raise error.at(batch.where(i))`."""
        line = None if self.lines is None else self.lines[index]
        return Where(source=self.source, line=line, index=index)


def array_batch(array: Array, start: int, limit: int | None, *, source: str) -> Batch:
    """Return messages of a JSON array from a position on, at most `limit` of them."""
    end = len(array.messages) if limit is None else min(start + limit, len(array.messages))
    return Batch(
        messages=array.messages[start:end],
        next_offset=Offset.mint(end),
        up_to_date=end == len(array.messages),
        source=source,
        lines=array.lines[start:end],
    )
