"""A stream in memory: the embedded default, and what tests write to.

Messages are kept as wire text, so that this stream shows what a network would: nothing written to
it can change afterwards, and what is read has been through JSON. All methods exist in a form that
needs no event loop (`append_now`, `read_now`, `head_now`, `close_now`); appending is safe from any
thread, following belongs to the thread of the follower's loop.

Cost       append: encoding; read: decoding of the messages read. Nothing is ever dropped.
"""

from collections.abc import AsyncGenerator, Iterable
from threading import Lock

from pydantic_core import from_json

from stateschema.errors import OffsetGoneError, StreamClosedError
from stateschema.events import Event
from stateschema.stream.batch import Batch
from stateschema.stream.follow import Signal, follow
from stateschema.stream.interface import check_limit, encode_batch
from stateschema.stream.offset import Offset


class MemoryStream:
    """A stream that lives as long as this object.

    >>> from stateschema.events import parse_event
    >>> stream = MemoryStream()
    >>> stream.append_now(parse_event({"headers": {"control": "reset"}}))
    '0000000000000000_0000000000000001'
    >>> stream.read_now().messages
    [{'headers': {'control': 'reset'}}]

    Args:
        name: Names the stream in errors.
    """

    def __init__(self, name: str = "memory") -> None:
        self.name = name
        self._messages: list[bytes] = []
        self._signal = Signal()
        self._is_closed = False
        self._lock = Lock()

    def append_now(self, events: Event | Iterable[Event]) -> Offset:
        """Append events as one batch, as `Stream.append` does."""
        lines = encode_batch(events)
        with self._lock:
            if self._is_closed:
                raise StreamClosedError(f"stream {self.name!r} is closed")
            self._messages.extend(lines)
            tail = len(self._messages)
            self._signal.appended(tail)
        return Offset.mint(tail)

    def read_now(self, offset: str = Offset.START, *, limit: int | None = None) -> Batch:
        """Return messages after an offset, as `Stream.read` does."""
        check_limit(limit)
        position = self._position(offset)
        tail = len(self._messages)
        return self._batch(position, tail if limit is None else min(position + limit, tail))

    def head_now(self) -> Offset:
        """Return the offset of the present end."""
        return Offset.mint(len(self._messages))

    def close_now(self) -> None:
        """Refuse further appends and end all followers; idempotent."""
        self._is_closed = True
        self._signal.wake()

    async def append(self, events: Event | Iterable[Event]) -> Offset:
        """Append events as one batch and return the offset after them."""
        return self.append_now(events)

    async def read(self, offset: str = Offset.START, *, limit: int | None = None) -> Batch:
        """Return messages after an offset, at most `limit` of them."""
        return self.read_now(offset, limit=limit)

    def follow(self, offset: str = Offset.START) -> AsyncGenerator[Batch, None]:
        """Yield batches from an offset on: what is there, then each append as it comes."""
        start = Offset.mint(self._position(offset))
        return follow(self._signal, self._read_next, start, is_closed=lambda: self._is_closed)

    async def head(self) -> Offset:
        """Return the offset of the present end."""
        return self.head_now()

    async def close(self) -> None:
        """Refuse further appends and end all followers; idempotent."""
        self.close_now()

    def _position(self, offset: str) -> int:
        position = Offset.position(offset, tail=len(self._messages))
        if position > len(self._messages):
            raise OffsetGoneError(f"stream {self.name!r} holds no offset {offset!r}")
        return position

    def _read_next(self, offset: Offset, is_live: bool) -> Batch:  # noqa: FBT001 - see follow
        position = self._position(offset)
        end = self._signal.end_of_append(position) if is_live else None
        return self._batch(position, len(self._messages) if end is None else end)

    def _batch(self, position: int, end: int) -> Batch:
        return Batch(
            messages=[from_json(line) for line in self._messages[position:end]],
            next_offset=Offset.mint(end),
            up_to_date=end == len(self._messages),
            source=self.name,
        )
