"""GET and HEAD: catching up, long-polls, metadata.

Every answer with data says where to go on, whether that is the end for now, and whether for good. A
long-poll that finds nothing waits; it ends with 204 when its time is up, when the stream is closed at
its tail, or when the server shuts down, and with 404 when the stream goes away meanwhile.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from stateschema.stream.follow import Signal
from stateschema.stream.offset import Offset
from stateschema.stream.protocol import caching
from stateschema.stream.protocol.cursor import next_cursor
from stateschema.stream.protocol.headers import (
    STREAM_CLOSED,
    STREAM_CURSOR,
    STREAM_EXPIRES_AT,
    STREAM_NEXT_OFFSET,
    STREAM_TTL,
    STREAM_UP_TO_DATE,
)
from stateschema.stream.protocol.record import join
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.protocol.state import StreamState
from stateschema.stream.server.answer import Answer
from stateschema.stream.server.request import Request
from stateschema.stream.server.settings import Settings
from stateschema.stream.server.turn import Turn
from stateschema.stream.server.waiting import Departure, Waiting
from stateschema.stream.store.interface import Piece, Store


@dataclass(frozen=True, slots=True)
class Reading:
    """What reads of all kinds need.

    Attributes:
        store: Where streams are kept.
        settings: Limits and times.
        waiting: Who waits.
        is_private: Whether answers differ by reader, so that shared caches must not keep them.
        now: Seconds since 1970.
        chance: Randomness of cursors.
        turns: What the last reader of each stream got, for the next one at the same place.
    """

    store: Store
    settings: Settings
    waiting: Waiting
    is_private: bool
    now: Callable[[], float]
    chance: random.Random
    turns: WeakKeyDictionary[Signal, Turn] = field(default_factory=WeakKeyDictionary[Signal, Turn])

    def cursor(self, request: Request) -> str:
        """Return the cursor of a live answer."""
        return next_cursor(self.now(), request.parameter("cursor"), chance=self.chance)

    def piece(self, name: str, stream: int, start: int | None) -> Piece:
        """Read on in a stream, and notice if another one has taken its name.

        Raises:
            RejectedError: The stream is gone, 404 or 410, or the position is, 410.
        """
        piece = self.store.read(name, start, max_bytes=self.settings.chunk_bytes)
        if piece.state.id != stream:
            raise RejectedError(404, "not-found", f"there is no stream {name!r} any more")
        return piece


def metadata(reading: Reading, name: str) -> Answer:
    """Return the answer to HEAD."""
    state = reading.store.head(name)
    headers = {
        "Content-Type": state.content_type,
        "Cache-Control": caching.NO_STORE,
        **state.tail_headers(),
    }
    if state.expiry.ttl is not None:
        headers[STREAM_TTL] = str(state.expiry.ttl)
    if state.expiry.expires_at is not None:
        headers[STREAM_EXPIRES_AT] = state.expiry.expires_at
    return Answer(200, headers)


def start_position(state: StreamState, offset: str | None) -> int | None:
    """Return where a read begins; None is the first position that is held."""
    if offset is None or offset == Offset.START:
        return None
    return Offset.position(offset, tail=state.tail)


def catch_up(reading: Reading, name: str, request: Request) -> Answer:
    """Return the answer to a GET that does not wait."""
    offset = request.offset()
    state = reading.store.use(name)
    piece = reading.piece(name, state.id, start_position(state, offset))
    headers = _headers(piece)
    if offset == Offset.NOW:
        headers["Cache-Control"] = caching.NO_STORE
        return Answer(200, headers, join(state.content_type, piece.data))
    tag = caching.etag(piece.state.id, piece.start, piece.end, closed=piece.is_final)
    headers["ETag"] = tag
    headers["Cache-Control"] = caching.catch_up(private=reading.is_private)
    if caching.matches(request.headers.get("if-none-match"), tag):
        return Answer(304, headers)
    return Answer(200, headers, join(state.content_type, piece.data))


async def long_poll(reading: Reading, name: str, request: Request, departure: Departure) -> Answer:
    """Return the answer to a GET that waits for data."""
    offset = needed_offset(request)
    state = reading.store.use(name)
    start = start_position(state, offset)
    until = asyncio.get_running_loop().time() + reading.settings.long_poll_timeout
    signal = reading.store.signal(state.id)
    while True:
        with signal.listening() as woken:
            piece = reading.piece(name, state.id, start)
            if piece.data or piece.is_final:
                break
            start = piece.start
            if not await reading.waiting.wait(woken, until=until, departure=departure):
                break
    headers = _headers(piece)
    headers[STREAM_CURSOR] = reading.cursor(request)
    if not piece.data:
        headers["Cache-Control"] = caching.NO_STORE
        return Answer(204, headers)
    headers["Cache-Control"] = caching.catch_up(private=reading.is_private)
    return Answer(200, headers, join(state.content_type, piece.data))


def needed_offset(request: Request) -> str:
    """Return the offset of a live read, which must have one.

    Raises:
        RejectedError: It is missing or malformed; status 400.
    """
    offset = request.offset()
    if offset is None:
        raise RejectedError(400, "bad-offset", "a live read needs an offset")
    return offset


def _headers(piece: Piece) -> dict[str, str]:
    headers = {
        "Content-Type": piece.state.content_type,
        STREAM_NEXT_OFFSET: str(Offset.mint(piece.end)),
    }
    if piece.up_to_date:
        headers[STREAM_UP_TO_DATE] = "true"
    if piece.is_final:
        headers[STREAM_CLOSED] = "true"
    return headers
