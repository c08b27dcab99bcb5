"""The server killed with SIGKILL under load: what it has acknowledged is there, once and in order.

Producers number their appends and send each one until it is acknowledged, over kills and restarts. In
the end every stream holds what each of its producers sent, without a gap, a repeat or a swap: nothing
acknowledged is lost, or later numbers would have been refused as gaps; nothing is doubled.
"""

import asyncio
import json
import random
import signal
import socket
from collections import defaultdict
from pathlib import Path

import pytest

from tests.conformance.server import PREFIX, serving

PRODUCERS = 50
STREAMS = 5


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Peer:
    """A connection that is made again when it breaks."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> int:
        """Send a request, and return the status of the answer."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = {"Host": "test", "Content-Length": str(len(body)), **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {head[name]}" for name in head)]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        for line in answer.lower().split("\r\n"):
            if line.startswith("content-length: "):
                await self.reader.readexactly(int(line.removeprefix("content-length: ")))
        return int(answer.split()[1])

    def forget(self) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None


async def ask_once(
    port: int, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> int:
    """Send one request on a connection of its own, and return the status of the answer."""
    peer = Peer(port)
    try:
        return await peer.ask(method, path, headers, body)
    finally:
        peer.forget()


async def produce(port: int, number: int, over: asyncio.Event) -> int:
    """Append numbered messages until it is over, each until it is acknowledged; return how many."""
    peer, seq = Peer(port), 0
    path = f"{PREFIX}s{number % STREAMS}"
    while not over.is_set():
        headers = {
            "Content-Type": "application/json",
            "Producer-Id": str(number),
            "Producer-Epoch": "0",
            "Producer-Seq": str(seq),
        }
        body = json.dumps({"producer": number, "seq": seq}).encode()
        try:
            status = await peer.ask("POST", path, headers, body)
        except (OSError, EOFError):
            peer.forget()
            await asyncio.sleep(0.02)
            continue
        assert status in {200, 204}, (number, seq, status)
        seq += 1
    peer.forget()
    return seq


async def load(port: int, over: asyncio.Event) -> list[int]:
    for stream in range(STREAMS):
        headers = {"Content-Type": "application/json"}
        assert await ask_once(port, "PUT", f"{PREFIX}s{stream}", headers) == 201
    return await asyncio.gather(*(produce(port, number, over) for number in range(PRODUCERS)))


async def contents(port: int) -> dict[int, list[int]]:
    """Return the numbers that each producer's stream holds, in order."""
    found: dict[int, list[int]] = defaultdict(list)
    for stream in range(STREAMS):
        offset = "-1"
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            path = f"{PREFIX}s{stream}?offset={offset}"
            writer.write(f"GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            for message in json.loads(body):
                found[message["producer"]].append(message["seq"])
            headers = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:])
            offset = headers["stream-next-offset"]
            if "stream-up-to-date" in headers:
                break
    return found


async def survive(folder: Path, kills: int) -> None:
    port, chance = free_port(), random.Random(kills)
    store = f"sqlite:///{folder}/s.db"
    over = asyncio.Event()
    running = None
    for kill in range(kills):
        with serving(store, port=port) as server:
            running = running or asyncio.create_task(load(port, over))
            await asyncio.sleep(chance.uniform(0.05, 0.5))
            server.process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(server.process.wait)
        assert not running.done(), (kill, running)
    assert running is not None
    with serving(store, port=port):
        await asyncio.sleep(0.3)
        over.set()
        sent = await running
        found = await contents(port)
    assert found == {number: list(range(count)) for number, count in enumerate(sent) if count}
    assert sum(sent) > kills


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.soak)])
def test_nothing_acknowledged_is_lost_doubled_or_reordered(kills: int, tmp_path: Path) -> None:
    asyncio.run(survive(tmp_path, kills))
