"""Event streams (section 5.8): one connection that is fed until it is old enough to be ended.

Each turn reads what follows, writes one data event and its control event together, and waits at the
tail. Readers at the same place share what the first of them has read. Nothing is queued for a reader:
one that is slow reads from the store when it is ready again, and one that does not accept a chunk in
time is cut off.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from stateschema.stream.follow import Signal
from stateschema.stream.offset import Offset
from stateschema.stream.protocol import caching
from stateschema.stream.protocol.framing import (
    EVENT_STREAM,
    control_event,
    data_event,
    is_base64,
    unfinished,
)
from stateschema.stream.protocol.headers import STREAM_SSE_DATA_ENCODING
from stateschema.stream.protocol.record import is_json
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.server.answer import Headers, encode_headers, send_in_time
from stateschema.stream.server.asgi import Send
from stateschema.stream.server.reading import Reading, needed_offset, start_position
from stateschema.stream.server.request import Request
from stateschema.stream.server.turn import MAX_SHARED, Turn
from stateschema.stream.server.waiting import Departure
from stateschema.stream.store.interface import Piece


async def feed_events(
    reading: Reading,
    name: str,
    request: Request,
    send: Send,
    *,
    departure: Departure,
    common: Headers,
) -> None:
    """Answer a GET with an event stream.

    Raises:
        RejectedError: Before anything was sent, as for other reads.
        SlowReaderError: The reader does not accept what it is sent.
    """
    offset = needed_offset(request)
    state = reading.store.use(name)
    position = start_position(state, offset)
    start = reading.piece(name, state.id, position).start
    headers = {"Content-Type": EVENT_STREAM, "Cache-Control": caching.NO_CACHE}
    if is_base64(state.content_type):
        headers[STREAM_SSE_DATA_ENCODING] = "base64"
    encoded = [*common, *encode_headers(headers)]
    await send({"type": "http.response.start", "status": 200, "headers": encoded})
    cursor = reading.cursor(request)
    async for events in _turns(reading, name, state.id, start, cursor=cursor, departure=departure):
        message = {"type": "http.response.body", "body": events, "more_body": True}
        await send_in_time(message, send, reading.settings)
    await send({"type": "http.response.body", "body": b""})


async def _turns(
    reading: Reading,
    name: str,
    stream: int,
    start: int,
    *,
    cursor: str,
    departure: Departure,
) -> AsyncGenerator[bytes, None]:
    """Yield the events of each turn."""
    clock = asyncio.get_running_loop().time
    until = clock() + reading.settings.sse_duration
    signal = reading.store.signal(stream)
    departure.listen()
    is_first = True
    while True:
        with signal.listening() as woken:
            try:
                turn = _turn(reading, name, stream, signal, start, cursor)
            except RejectedError:
                return  # it was deleted; the reader learns that when it comes back
            if turn.has_news or is_first:
                yield turn.events
            is_first = False
            start = turn.end
            if turn.is_final or departure.has_come or reading.waiting.is_draining:
                return
            if not turn.up_to_date:
                if clock() >= until:
                    return
                await asyncio.sleep(0)  # others' turn; and the reader may have gone
            elif not await reading.waiting.wait(woken, until=until, departure=departure):
                return


def _turn(
    reading: Reading, name: str, stream: int, signal: Signal, start: int, cursor: str
) -> Turn:
    """Return the next turn, the one of the reader before if that stood at the same place."""
    origin = (signal.wakes, start, cursor)
    last = reading.turns.get(signal)
    if last is not None and last.origin == origin:
        return last
    found = reading.piece(name, stream, start)
    piece = _whole_characters(found)
    content_type = piece.state.content_type
    data = data_event(content_type, piece.data) if piece.data else b""
    control = control_event(
        Offset.mint(piece.end),
        cursor=cursor,
        up_to_date=found.up_to_date,
        closed=piece.is_final,
    )
    turn = Turn(
        origin=origin,
        events=data + control,
        end=piece.end,
        has_news=bool(data) or piece.is_final,
        up_to_date=found.up_to_date,
        is_final=piece.is_final,
    )
    if len(turn.events) <= MAX_SHARED:
        reading.turns[signal] = turn
    return turn


def _whole_characters(piece: Piece) -> Piece:
    """Leave the bytes of an unfinished character at the end of a text for later."""
    content_type = piece.state.content_type
    is_text = not is_json(content_type) and not is_base64(content_type)
    if not is_text or not piece.data or piece.is_final:
        return piece
    data = b"".join(piece.data)
    count = unfinished(data)
    if not count:
        return piece
    rest = data[:-count]
    if not rest and not piece.up_to_date:
        return piece  # what follows is there and does not complete it
    return replace(piece, end=piece.end - count, data=[rest] if rest else [])
