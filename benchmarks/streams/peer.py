"""The load generator's connections: as little HTTP as the servers under test need."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import cast

JSON = "application/json"


class Peer:
    """One kept-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Peer:
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**24))

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def ask(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send a request and read its answer: status, headers, body."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        first, *lines = head[:-4].decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        status = int(first.split()[1])
        if headers.get("transfer-encoding") == "chunked":
            return status, headers, await self._chunks()
        size = 0 if status == 204 else int(headers.get("content-length", "0"))
        return status, headers, await self._reader.readexactly(size)

    async def _chunks(self) -> bytes:
        parts: list[bytes] = []
        while True:
            size = int(await self._reader.readuntil(b"\r\n"), 16)
            part = await self._reader.readexactly(size + 2)
            if not size:
                return b"".join(parts)
            parts.append(part[:-2])


def request(method: str, path: str, body: bytes = b"", content_type: str = JSON) -> bytes:
    """Return the bytes of a request."""
    head = f"{method} /v1/stream/{path} HTTP/1.1\r\nHost: bench\r\nContent-Type: {content_type}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class EventReader(asyncio.Protocol):
    """One reader of an event stream: notes when what it looks for arrives, by default control events.

    Args:
        path: name of the stream.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._marker = b"upToDate"
        self._rest = b""
        self.arrivals: list[float] = []
        self.arrived = asyncio.Event()

    def look_for(self, marker: bytes) -> None:
        """Look for another text from now on, and forget what was noted."""
        self._marker = marker
        self._rest = b""
        self.arrivals.clear()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the event stream."""
        self.transport = cast("asyncio.Transport", transport)
        head = f"GET /v1/stream/{self._path}?offset=now&live=sse HTTP/1.1\r\nHost: bench\r\n\r\n"
        self.transport.write(head.encode())

    def data_received(self, data: bytes) -> None:
        """Count the markers, however they are cut."""
        text = self._rest + data
        found = text.count(self._marker)
        if found:
            self.arrivals += [perf_counter()] * found
            text = text[text.rfind(self._marker) + len(self._marker) :]
            self.arrived.set()
        self._rest = text[-len(self._marker) :]


async def all_have(crowd: list[EventReader], count: int) -> None:
    """Wait until each of many readers has noted a number of arrivals."""
    for reader in crowd:
        while len(reader.arrivals) < count:
            reader.arrived.clear()
            await asyncio.wait_for(reader.arrived.wait(), 30)
