"""The server: a plain ASGI 3 application over a store.

It can be run by any ASGI server, or mounted in Starlette or FastAPI with `app.mount("/", server)`;
`python -m stateschema serve` runs it on uvicorn. Streams live under `settings.prefix`; `/health` and
`/metrics` stand beside them. One process owns its store: readers wait in the process that is written
to, so several workers would not see each other's appends in time.

Shutdown   `drain()` sends waiting readers away with what they have, so that a graceful shutdown need
           not wait for them; `aclose()` then finishes writes that have begun and closes the store. Both
           are called by the lifespan protocol where the surrounding server speaks it.
State      One task that sweeps the store; one task per live read that learns when its reader leaves.
"""

import asyncio
import json
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter, time

from stateschema.stream.protocol.caching import NO_STORE
from stateschema.stream.protocol.headers import STREAM_FORKED_FROM
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.server.answer import (
    METHODS,
    SECURITY,
    Answer,
    SlowReaderError,
    closing,
    cors_headers,
    preflight,
    rejection,
    send_answer,
)
from stateschema.stream.server.asgi import Message, Receive, Scope, Send
from stateschema.stream.server.authorize import Authorize, denial
from stateschema.stream.server.body import DisconnectedError, read_body
from stateschema.stream.server.companion import Companion
from stateschema.stream.server.events import feed_events
from stateschema.stream.server.metrics import Metrics
from stateschema.stream.server.reading import Reading, catch_up, long_poll, metadata
from stateschema.stream.server.request import (
    Action,
    Request,
    parse_request,
    source_name,
    stream_name,
)
from stateschema.stream.server.settings import Settings
from stateschema.stream.server.waiting import Departure, Waiting
from stateschema.stream.server.writing import (
    append,
    created,
    delete,
    parse_append,
    parse_creation,
)
from stateschema.stream.store.compaction import Compactor
from stateschema.stream.store.interface import Store

WRITES = frozenset[Action]({"create", "append", "delete"})
"""What only a companion may do with its streams."""

_log = logging.getLogger("stateschema.server")
_access = logging.getLogger("stateschema.server.access")


class StreamServer:
    """An ASGI application that serves the streams of a store.

    Args:
        store: Where streams are kept; closed by `aclose`.
        settings: Limits and times.
        authorize: Tells who may do what; without it everybody may do everything.
        companion: Writes streams of its own, which are read-only for everybody else (405).
        compactor: Compacts streams of the store, whenever that is swept.
        clock: Seconds since 1970.
        chance: Randomness of cursors.
    """

    def __init__(
        self,
        store: Store,
        *,
        settings: Settings | None = None,
        authorize: Authorize | None = None,
        companion: Companion | None = None,
        compactor: Compactor | None = None,
        clock: Callable[[], float] = time,
        chance: random.Random | None = None,
    ) -> None:
        self.store = store
        self.settings: Settings = settings or Settings()
        self.metrics: Metrics = Metrics()
        self._authorize = authorize
        self._companion = companion
        self._compactor = compactor
        self._waiting = Waiting()
        self._common = (*SECURITY, *cors_headers(self.settings.cors_origin))
        self._sweeper: asyncio.Task[None] | None = None
        self._reading = Reading(
            store=store,
            settings=self.settings,
            waiting=self._waiting,
            is_private=authorize is not None,
            now=clock,
            chance=chance or random.Random(),
        )

    async def start(self) -> None:
        """Start the companion, if there is one; for servers that are mounted, before the first request."""
        if self._companion is not None:
            await self._companion.start(self.store)

    def drain(self) -> None:
        """Send waiting readers away and answer no more live reads by waiting; idempotent."""
        self._waiting.drain()

    async def aclose(self) -> None:
        """Finish writes that have begun, and close the store; idempotent."""
        self.drain()
        if self._sweeper is not None:
            self._sweeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeper
            self._sweeper = None
        if self._companion is not None:
            await self._companion.stop()
        await self.store.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope, as ASGI 3 says."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            if self._sweeper is None:  # mounted applications are not told that life begins
                self._sweeper = asyncio.create_task(self._sweep())
            await self._serve(scope, receive, _Tally(send))
        else:
            await send({"type": "websocket.close", "code": 1003})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                reply = await self._started()
                await send(reply)
                if reply["type"] == "lifespan.startup.failed":
                    return
            elif message["type"] == "lifespan.shutdown":
                await self.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _started(self) -> Message:
        try:
            await self.start()
        except Exception as error:  # noqa: BLE001 - whatever it is, the process has to be told
            _log.exception("the server could not start")
            await self.aclose()
            return {"type": "lifespan.startup.failed", "message": repr(error)}
        return {"type": "lifespan.startup.complete"}

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self.settings.sweep_interval)
            try:
                await self.store.sweep()
                if self._compactor is not None:
                    await self._compactor.sweep()
            except Exception:  # noqa: BLE001 - a full disk now must not end sweeping for ever
                _log.exception("sweeping the store failed")

    async def _serve(self, scope: Scope, receive: Receive, tally: "_Tally") -> None:
        began = perf_counter()
        departure = Departure(receive)
        try:
            answer = await self._answer(scope, receive, tally, departure)
            if answer is not None:
                is_head = scope["method"] == "HEAD"
                await send_answer(answer, tally.send, self._common, self.settings, is_head=is_head)
        except DisconnectedError:
            return
        except SlowReaderError:
            _log.warning("a reader of %r was too slow and is cut off", scope["path"])
        finally:
            departure.forget()
        self._record(scope, tally, perf_counter() - began)

    async def _answer(
        self, scope: Scope, receive: Receive, tally: "_Tally", departure: Departure
    ) -> Answer | None:
        """Return the answer to a request, rejections and failures included; None if it was sent."""
        try:
            request = parse_request(scope, self.settings)
            answer = await self._respond(request, scope, receive, tally, departure)
        except RejectedError as error:
            answer = rejection(error)
        except (DisconnectedError, SlowReaderError):
            raise
        except Exception:
            _log.exception("%s %r failed", scope["method"], scope["path"])
            if tally.status:
                raise
            answer = rejection(RejectedError(500, "internal", "the server failed"))
        if answer is None or tally.has_body or scope["method"] not in {"POST", "PUT"}:
            return answer
        return closing(answer, scope)

    async def _respond(
        self,
        request: Request,
        scope: Scope,
        receive: Receive,
        tally: "_Tally",
        departure: Departure,
    ) -> Answer | None:
        """Return the answer to a request, None if it has been sent."""
        name = stream_name(request.path, self.settings.prefix)
        if name is None:
            return self._beside(request)
        match request.method:
            case "POST":
                await self._check(request, "append", name)
                body = await self._body(request, receive, tally)
                return await append(self.store, name, parse_append(request, body))
            case "GET":
                await self._check(request, "read", name)
                return await self._read(request, name, tally, departure)
            case "HEAD":
                await self._check(request, "head", name)
                return metadata(self._reading, name)
            case "PUT":
                return await self._create(request, name, scope, receive, tally)
            case "DELETE":
                await self._check(request, "delete", name)
                return await delete(self.store, name)
            case "OPTIONS":
                return preflight()
            case _:
                message = f"method {request.method[:20]!r} is not allowed"
                raise RejectedError(405, "method-not-allowed", message, {"Allow": METHODS})

    async def _read(
        self, request: Request, name: str, tally: "_Tally", departure: Departure
    ) -> Answer | None:
        match request.parameter("live"):
            case None:
                return catch_up(self._reading, name, request)
            case "long-poll":
                tally.waits = True
                return await long_poll(self._reading, name, request, departure)
            case "sse":
                tally.waits = True
                self.metrics.readers += 1
                try:
                    await feed_events(
                        self._reading,
                        name,
                        request,
                        tally.send,
                        departure=departure,
                        common=self._common,
                    )
                finally:
                    self.metrics.readers -= 1
                return None
            case other:
                message = f"parameter live={other[:20]!r} is neither 'long-poll' nor 'sse'"
                raise RejectedError(400, "bad-parameter", message)

    async def _create(
        self, request: Request, name: str, scope: Scope, receive: Receive, tally: "_Tally"
    ) -> Answer:
        await self._check(request, "create", name)
        source = None
        path = request.headers.get(STREAM_FORKED_FROM.lower())
        if path is not None:
            source = source_name(path, request.root, self.settings.prefix)
            await self._check(request, "fork", source)
        body = await self._body(request, receive, tally)
        result = await self.store.create(name, parse_creation(request, body, source))
        return created(result, request, str(scope.get("scheme", "http")))

    async def _body(self, request: Request, receive: Receive, tally: "_Tally") -> bytes:
        body = await read_body(request, receive, self.settings)
        tally.bytes_in = len(body)
        tally.has_body = True
        return body

    async def _check(self, request: Request, action: Action, name: str) -> None:
        if self._authorize is not None:
            allowed = self._authorize(request, action, name)
            if not (allowed if isinstance(allowed, bool) else await allowed):
                raise denial(request, action)
        if self._companion is not None and action in WRITES and name in self._companion.names:
            headers = {"Allow": "GET, HEAD, OPTIONS"}
            message = f"stream {name!r} is read-only: only the server itself writes it"
            raise RejectedError(405, "method-not-allowed", message, headers)

    def _beside(self, request: Request) -> Answer:
        """Return the answer to a request for something that is no stream."""
        if request.path == "/health" and request.method in {"GET", "HEAD"}:
            is_up = not self._waiting.is_draining
            headers = {"Content-Type": "application/json", "Cache-Control": NO_STORE}
            body = json.dumps({"status": "ok" if is_up else "shutting-down"}).encode()
            return Answer(200 if is_up else 503, headers, body)
        if request.path == "/metrics" and request.method in {"GET", "HEAD"}:
            headers = {"Content-Type": "text/plain; version=0.0.4", "Cache-Control": NO_STORE}
            return Answer(200, headers, self.metrics.render(waiting=self._waiting.count))
        raise RejectedError(404, "not-found", "there is nothing here")

    def _record(self, scope: Scope, tally: "_Tally", seconds: float) -> None:
        method = str(scope["method"])
        self.metrics.finished(
            method if method in METHODS else "other",
            tally.status,
            bytes_in=tally.bytes_in,
            bytes_out=tally.bytes_out,
            seconds=None if tally.waits else seconds,
        )
        if _access.isEnabledFor(logging.INFO):
            client = scope.get("client")
            entry = {
                "client": None if client is None else client[0],
                "method": method,
                "path": scope["path"],
                "query": scope["query_string"].decode("latin-1"),
                "status": tally.status,
                "bytes_in": tally.bytes_in,
                "bytes_out": tally.bytes_out,
                "seconds": round(seconds, 6),
            }
            _access.info("%s", json.dumps(entry))


class _Tally:
    """Sends, and counts what is sent."""

    __slots__ = ("_send", "bytes_in", "bytes_out", "has_body", "status", "waits")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.has_body = False
        self.waits = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.bytes_out += len(message.get("body", b""))
        await self._send(message)
