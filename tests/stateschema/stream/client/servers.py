"""Real servers on loopback: ours on uvicorn, and a proxy in front of it that fails at random."""

import asyncio
import random
import socket
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from stateschema.stream.server.app import StreamServer
from stateschema.stream.server.settings import Settings
from stateschema.stream.store.memory import MemoryStore

FAULTS = ("none", "drop", "swallow", "truncate", "delay", "duplicate")


@contextmanager
def served(settings: Settings | None = None) -> Generator[str]:
    """Serve a store in memory; gives the URL below which streams live."""
    app = StreamServer(MemoryStore(), settings=settings or Settings(long_poll_timeout=0.3))
    config = uvicorn.Config(
        app, log_level="critical", ws="none", lifespan="on", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1/stream/"
        finally:
            server.should_exit = True
            thread.join()


class LoopThread:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def stop(self) -> None:
        self.run(self._cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _cancel_all(self) -> None:
        await asyncio.sleep(0.01)  # connections that were just made become tasks
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


class FaultyProxy:
    """A proxy that takes one request per connection and does one of these to it.

        drop       closes before anybody has seen the request
        swallow    forwards the request, and closes instead of answering
        truncate   closes within the answer
        delay      answers late
        duplicate  sends the request twice, and gives the second answer

    Args:
        target: URL of the server.
        chance: How probable a fault is.
        seed: Of the faults.
    """

    def __init__(self, target: str, *, chance: float, seed: int) -> None:
        parts = urlsplit(target)
        self._address = (parts.hostname, parts.port)
        self._path = parts.path
        self._chance = chance
        self._random = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._possible = list(FAULTS[1:])
        self._tasks: set[asyncio.Task[Any]] = set()
        self.faults: list[str] = []

    def without(self, fault: str) -> None:
        """Leave a fault out."""
        self._possible.remove(fault)

    async def start(self) -> str:
        """Start, and return the URL that stands for the server's."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}{self._path}"

    async def stop(self) -> None:
        """Take no more connections."""
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)  # asyncio itself holds them weakly
        task.add_done_callback(self._tasks.discard)
        fault = self._fault()
        try:
            # Cancelled by nobody but the end of the loop, which asyncio would report as an error.
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._relay_while_connected(reader, fault, writer)
        finally:
            writer.transport.abort() if fault != "none" else writer.close()

    async def _relay_while_connected(
        self, reader: asyncio.StreamReader, fault: str, writer: asyncio.StreamWriter
    ) -> None:
        """Serve a request; if its sender goes, so does the connection to the server."""
        relay = asyncio.create_task(self._relay(await _request(reader), fault, writer))
        leaving = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait([relay, leaving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (relay, leaving):
                task.cancel()
            await asyncio.gather(relay, leaving, return_exceptions=True)

    def _fault(self) -> str:
        is_faulty = self._random.random() < self._chance
        fault = self._random.choice(self._possible) if is_faulty else "none"
        self.faults.append(fault)
        return fault

    async def _relay(self, request: bytes, fault: str, writer: asyncio.StreamWriter) -> None:
        if fault == "drop":
            return
        if fault == "duplicate":
            await self._forward(request, None, None)
        if fault == "delay":
            await asyncio.sleep(0.02)
        limit = self._random.randrange(1, 400) if fault == "truncate" else None
        await self._forward(request, None if fault == "swallow" else writer, limit)
        await writer.drain()

    async def _forward(
        self, request: bytes, writer: asyncio.StreamWriter | None, limit: int | None
    ) -> None:
        """Send a request to the server; pass its answer on, up to a number of bytes."""
        upstream, upward = await asyncio.open_connection(*self._address)
        try:
            upward.write(request)
            passed = 0
            while piece := await upstream.read(1 << 16):
                if writer is None:
                    return
                rest = len(piece) if limit is None else limit - passed
                writer.write(piece[:rest])
                passed += len(piece)
                if limit is not None and passed >= limit:
                    await writer.drain()
                    return
        finally:
            upward.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = [
        line for line in head[:-4].split(b"\r\n") if not line.lower().startswith(b"connection:")
    ]
    size = next(
        (int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0
    )
    return b"\r\n".join([*lines, b"Connection: close", b"", b""]) + await reader.readexactly(size)


@contextmanager
def faulty(target: str, *, chance: float, seed: int) -> Generator[tuple[str, FaultyProxy]]:
    """Run a faulty proxy; gives its URL and itself."""
    thread = LoopThread()
    try:
        proxy = FaultyProxy(target, chance=chance, seed=seed)
        yield thread.run(proxy.start()), proxy
        thread.run(proxy.stop())
    finally:
        thread.stop()


@contextmanager
def silence() -> Generator[str]:
    """A server that takes connections and never answers; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/s"
