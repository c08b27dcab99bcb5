"""Following a stream: catching up, then live, for as long as it goes on.

    catching up   GET by GET, until an answer is up to date; caches on the way can help
    live          one connection of server-sent events after the other, or long polls

Law        The batches are the stream from the offset on, each message once and in order: the offset
           moves on only with what has been handed out.
Live       `auto` begins with SSE. It goes over to long polls when three connections in a row live
           less than a second (something on the way buffers or cuts), or when SSE is refused. Text is
           followed with long polls from the start: events carry lines, so a CR would come as LF.
Failures   What may pass (no answer, 429, 5xx, a broken connection) is tried again without end, with
           growing pauses; a success begins anew. What lasts is logged once, so that nobody waits for
           a server that was never started without being told. What will not pass is raised.
End        With the stream: a closed one is read to its last message. The last batch says so.
"""

import logging
import time
from collections.abc import Callable
from typing import Literal, TypeAlias

from stateschema.errors import NetworkError, RemoteProtocolError
from stateschema.stream.client.answers import header, refuse
from stateschema.stream.client.batch import ClientBatch
from stateschema.stream.client.effects import (
    Emit,
    Machine,
    Request,
    Response,
    Shut,
    Sleep,
    open_,
    receive,
    send,
)
from stateschema.stream.client.frames import FrameReader
from stateschema.stream.client.operations import Operations, checked_offset
from stateschema.stream.client.retry import Backoff, is_passing, retry_after
from stateschema.stream.protocol.headers import STREAM_SSE_DATA_ENCODING, media_type

Live: TypeAlias = Literal["auto", "sse", "long-poll"]

SHORT_CONNECTION = 1.0  # seconds; SSE connections usually live for a minute
MAX_SHORT_CONNECTIONS = 3
SHORT_POLL = 0.1  # seconds; long polls without news usually last for many
POLL_PAUSE = 1.0  # seconds between polls of a server that answers at once

TOLD_AT = 5  # failures in a row that are worth a warning; a second has passed then

_log = logging.getLogger("stateschema.client")

_FATAL = frozenset({401, 403, 404, 410})  # of SSE: long polls would be answered the same


class Follower:
    """One run through a stream.

    Args:
        operations: The stream.
        offset: Where to begin.
        live: How to wait for news; None ends with the first batch that is up to date.
        backoff: The pauses between attempts.
        clock: Tells seconds, from any beginning.
    """

    def __init__(
        self,
        operations: Operations,
        offset: str,
        *,
        live: Live | None,
        backoff: Backoff,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._operations = operations
        self._offset: str = checked_offset(offset)
        self._live = live
        self._backoff = backoff
        self._clock = clock
        self._cursor: str | None = None
        self._is_up_to_date = False
        self._is_closed = False
        self._uses_sse = live in {"auto", "sse"}
        self._short_connections = 0

    def run(self) -> Machine[None]:
        """Emit batches."""
        while not self._is_up_to_date and not self._is_closed:
            yield from self._read_on()
        if self._live is None:
            return
        kind = media_type(self._operations.content_type or "")
        if self._live == "auto" and kind.startswith("text/"):
            self._uses_sse = False
        while not self._is_closed:
            if self._uses_sse:
                yield from self._connect()
            else:
                yield from self._poll()

    # -- catching up and long polls

    def _read_on(self) -> Machine[None]:
        batch = yield from self._get({})
        is_news = self._take(batch)
        yield Emit(batch)
        if is_news:
            self._backoff.reset()
        else:
            yield from self._pause(RemoteProtocolError("server answers without getting on"))

    def _poll(self) -> Machine[None]:
        started = self._clock()
        batch = yield from self._get(self._live_params("long-poll"))
        is_news = self._take(batch)
        if is_news:
            yield Emit(batch)
        self._backoff.reset()
        if not is_news and self._clock() - started < SHORT_POLL:  # it does not wait for news
            yield Sleep(POLL_PAUSE)

    def _get(self, params: dict[str, str]) -> Machine[ClientBatch]:
        while True:
            params["offset"] = self._offset
            request = Request(method="GET", params=params, is_live="live" in params)
            try:
                response = yield from send(request)
            except NetworkError as error:
                yield from self._pause(error)
                continue
            if response.status == 200 or (request.is_live and response.status == 204):
                return self._operations.batch(response)
            yield from self._pause_or_refuse(response)

    # -- server-sent events

    def _connect(self) -> Machine[None]:
        params = self._live_params("sse") | {"offset": self._offset}
        try:
            response = yield from open_(Request(method="GET", params=params, is_live=True))
        except NetworkError as error:
            yield from self._pause(error)
            return
        if not self._is_event_stream(response):
            yield from self._without_event_stream(response)
            return
        started = self._clock()
        yield from self._read_frames(response)
        yield Shut()
        if self._is_closed:
            return
        if self._clock() - started >= SHORT_CONNECTION:
            self._short_connections = 0
            self._backoff.reset()
            return
        self._short_connections += 1
        if self._short_connections >= MAX_SHORT_CONNECTIONS and self._live == "auto":
            self._uses_sse = False
            self._backoff.reset()
            return
        yield from self._pause(RemoteProtocolError("server-sent events end at once"))

    def _read_frames(self, response: Response) -> Machine[None]:
        encoding = header(response, STREAM_SSE_DATA_ENCODING) or ""
        reader = FrameReader(
            source=self._operations.name,
            content_type=self._operations.content_type or "",
            is_base64=encoding.strip().lower() == "base64",
        )
        while True:
            try:
                piece = yield from receive()
            except NetworkError:
                return
            if not piece:
                return
            for batch in reader.feed(piece):
                self._backoff.reset()
                if self._take(batch):
                    yield Emit(batch)
                if batch.is_closed:
                    return

    def _without_event_stream(self, response: Response) -> Machine[None]:
        yield Shut()
        passes = is_passing(response.status)
        if self._live == "auto" and not passes and response.status not in _FATAL:
            self._uses_sse = False
        elif response.status == 200:
            kind = header(response, "content-type")
            raise RemoteProtocolError(f"answer to live=sse is {kind!r}, not 'text/event-stream'")
        else:
            yield from self._pause_or_refuse(response)

    @staticmethod
    def _is_event_stream(response: Response) -> bool:
        kind = media_type(header(response, "content-type") or "")
        return response.status == 200 and kind == "text/event-stream"

    # -- what both share

    def _live_params(self, mode: str) -> dict[str, str]:
        return {"live": mode} | ({} if self._cursor is None else {"cursor": self._cursor})

    def _take(self, batch: ClientBatch) -> bool:
        """Go on to the end of a batch; tell whether it says anything new."""
        is_news = bool(
            batch.messages
            or batch.next_offset != self._offset
            or batch.is_closed
            or (batch.up_to_date and not self._is_up_to_date)
        )
        self._offset = batch.next_offset
        self._cursor = batch.cursor or self._cursor
        self._is_up_to_date = batch.up_to_date
        self._is_closed = batch.is_closed
        return is_news

    def _pause_or_refuse(self, response: Response) -> Machine[None]:
        pause = None
        if is_passing(response.status):
            pause = self._backoff.pause(retry_after(response.headers))
        if pause is None:
            refuse(response, self._operations.name, offset=self._offset)
        self._tell(f"{self._operations.name!r} answers {response.status}")
        yield Sleep(pause)

    def _pause(self, error: Exception) -> Machine[None]:
        pause = self._backoff.pause()
        if pause is None:
            raise error
        self._tell(str(error))
        yield Sleep(pause)

    def _tell(self, failure: str) -> None:
        if self._backoff.attempts == TOLD_AT:
            _log.warning("still following, and trying again until it works: %s", failure)
