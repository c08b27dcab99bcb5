"""One stream of a store as a `Stream`: for a StreamDB, or a publisher, in the process of the server.

Offsets    Those of the server, so that an offset got here holds there.
Following  A live follower gets each append as a batch of its own. It ends when the stream is closed,
           and when this is.
Errors     What the server would answer, as the exceptions that a client raises.
"""

from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import contextmanager
from typing import Final
from weakref import WeakSet

from pydantic_core import from_json

from stateschema.errors import (
    OffsetGoneError,
    RefusedError,
    StreamClosedError,
    StreamNotFoundError,
)
from stateschema.events import Event
from stateschema.stream.batch import Batch
from stateschema.stream.follow import Signal, follow
from stateschema.stream.interface import check_limit, encode_batch
from stateschema.stream.offset import Offset
from stateschema.stream.protocol.append import Append
from stateschema.stream.protocol.create import Creation
from stateschema.stream.protocol.record import JSON, Record, join
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.store.interface import Store

PIECE_BYTES: Final = 1 << 20
"""About how much one read gives."""


class StoreStream:
    """A stream of events in a store; belongs to the thread of the store.

    Args:
        store: Where it is kept; closing this does not close the store.
        name: The name of a stream in JSON mode.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self.name = name
        self._is_closed = False
        self._signals: WeakSet[Signal] = WeakSet()

    async def create(self) -> None:
        """Create the stream; if it exists with any expiry, that is fine too.

        Raises:
            RefusedError: There is a stream of that name with another content type.
        """
        with _told():
            try:
                if self._store.head(self.name).content_type == JSON:
                    return
            except RejectedError as error:
                if error.status != 404:
                    raise
            await self._store.create(self.name, Creation(content_type=JSON))

    async def append(self, events: Event | Iterable[Event]) -> Offset:
        """Append events as one batch and return the offset after them."""
        texts = encode_batch(events)
        if self._is_closed:
            raise StreamClosedError(f"handle of stream {self.name!r} is closed")
        record = Record(b",".join(texts), len(texts))
        with _told():
            decision = await self._store.append(self.name, Append(record=record, content_type=JSON))
        return decision.state.next_offset

    async def read(self, offset: str = Offset.START, *, limit: int | None = None) -> Batch:
        """Return messages after an offset, at most `limit` of them."""
        check_limit(limit)
        batch = self._read(offset, PIECE_BYTES)
        if limit is None or len(batch.messages) <= limit:
            return batch
        start = Offset.position(batch.next_offset, tail=0) - len(batch.messages)
        return Batch(
            messages=batch.messages[:limit],
            next_offset=Offset.mint(start + limit),
            up_to_date=False,
            source=self.name,
        )

    def follow(self, offset: str = Offset.START) -> AsyncGenerator[Batch, None]:
        """Yield batches from an offset on: what is there, then each append as it comes."""
        with _told():
            signal = self._store.signal(self._store.use(self.name).id)
        if offset == Offset.NOW:
            offset = self._head()
        self._signals.add(signal)
        return follow(
            signal,
            lambda at, is_live: self._read(at, 1 if is_live else PIECE_BYTES),
            Offset(offset),
            is_closed=self._has_ended,
        )

    async def head(self) -> Offset:
        """Return the offset of the present end."""
        return self._head()

    async def close(self) -> None:
        """Refuse further appends through this handle, and end its followers; idempotent."""
        self._is_closed = True
        for signal in tuple(self._signals):
            signal.wake()

    def _has_ended(self) -> bool:
        with _told():
            return self._is_closed or self._store.head(self.name).closed

    def _head(self) -> Offset:
        with _told():
            return self._store.head(self.name).next_offset

    def _read(self, offset: str, max_bytes: int) -> Batch:
        with _told():
            tail = self._store.head(self.name).tail
            start = None if offset == Offset.START else Offset.position(offset, tail=tail)
            piece = self._store.read(self.name, start, max_bytes=max_bytes)
        return Batch(
            messages=from_json(join(JSON, piece.data), cache_strings="all"),
            next_offset=Offset.mint(piece.end),
            up_to_date=piece.up_to_date,
            source=self.name,
        )


@contextmanager
def _told() -> Generator[None]:
    """Raise what a client would."""
    try:
        yield
    except RejectedError as error:
        match error.status, error.reason:
            case 404, _:
                raise StreamNotFoundError(str(error)) from error
            case 410, "offset-gone":
                raise OffsetGoneError(str(error)) from error
            case 409, "stream-closed":
                raise StreamClosedError(str(error)) from error
            case _:
                raise RefusedError(str(error), status=error.status) from error
