"""Running a server on uvicorn, alone in its process.

Shutdown   On SIGINT and SIGTERM no more connections are taken, waiting readers are sent away with
           what they have, requests that have begun are finished, and the store is closed last: every
           acknowledged write is kept, every other one is refused or unanswered.
"""

import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from stateschema.stream.server.app import StreamServer
from stateschema.stream.server.connection import GuardedConnection

GRACE = 10
"""Seconds that requests which have begun may take after a signal."""

KEEP_ALIVE = 75
"""Seconds that a connection may idle between requests: longer than proxies keep theirs, and than a client is
usually busy. One who sends into a connection that is being closed cannot know whether the request was heard."""


class _Uvicorn(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, server: StreamServer, ready: Callable[[str], object]
    ) -> None:
        super().__init__(config)
        self._server = server
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            name = f"[{host}]" if ":" in host else host
            self._ready(f"http://{name}:{port}{self._server.settings.prefix}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._server.drain()
        await super().shutdown(sockets)


def run_server(
    server: StreamServer, *, host: str, port: int, ready: Callable[[str], object]
) -> bool:
    """Serve until a signal comes, and tell whether serving had begun at all.

    Args:
        server: What is served; its store is closed in the end.
        host: Address to listen at.
        port: Port to listen at; 0 for any that is free.
        ready: Called with the URL of the streams, once they are served.
    """
    config = uvicorn.Config(
        server,
        host=host,
        port=port,
        http=GuardedConnection,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=KEEP_ALIVE,
    )
    runner = _Uvicorn(config, server, ready)
    with _signals_end_quietly():
        runner.run()
    return runner.started


@contextmanager
def _signals_end_quietly() -> Generator[None]:
    """Let uvicorn, which raises a signal again after it has shut down, end without dying of it."""
    handlers = {one: signal.signal(one, _ignore) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in handlers.items():
            signal.signal(one, handler)


def _ignore(number: int, frame: FrameType | None) -> None:
    pass
