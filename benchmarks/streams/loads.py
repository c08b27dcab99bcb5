"""The loads. Each takes a port and a number that names its streams, and gives figures by name."""

from __future__ import annotations

import asyncio
from itertools import cycle
from statistics import quantiles
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.streams.peer import EventReader, Peer, all_have, request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MESSAGE = b'{"type":"message","key":"0123456789","value":{"text":"%s"}}' % (b"x" * 60)
ARRAY = 100  # messages
CATCH_UP = 32  # MiB
STREAMS = 8  # per load: the reference's file store loses streams when it has had more than 100

Figures = dict[str, float]


async def appends(port: int, run: int, *, peers: int) -> Figures:
    """Single appends per second; each peer waits for its answer before it goes on."""
    return {f"appends/s, {peers} writers": await _rate(port, f"a{run}", peers, MESSAGE)}


async def arrays(port: int, run: int) -> Figures:
    """Messages per second in appends of 100."""
    body = b"[%b]" % b",".join([MESSAGE] * ARRAY)
    return {"messages/s, arrays of 100": ARRAY * await _rate(port, f"b{run}", 8, body)}


async def long_polls(port: int, run: int) -> Figures:
    """Milliseconds from sending an append to the end of the long-poll that it answers."""
    path, rounds = f"l{run}", 300
    reader, writer = await Peer.open(port), await Peer.open(port)
    _, headers, _ = await writer.ask(request("PUT", path))
    times = []
    for _ in range(rounds):
        query = f"{path}?offset={headers['stream-next-offset']}&live=long-poll"
        waiting = asyncio.create_task(reader.ask(request("GET", query)))
        await asyncio.sleep(0.001)
        began = perf_counter()
        await writer.ask(request("POST", path, MESSAGE))
        _, headers, _ = await waiting
        times.append(perf_counter() - began)
    reader.close()
    writer.close()
    return _percentiles("long-poll ms", times)


async def deliveries(port: int, run: int, *, readers: int) -> Figures:
    """Milliseconds from sending an append to its arrival at each of many event streams."""
    path, rounds = f"s{readers}-{run}", max(5, 200 // readers)
    writer = await Peer.open(port)
    await writer.ask(request("PUT", path))
    loop = asyncio.get_running_loop()
    crowd = [
        (await loop.create_connection(lambda: EventReader(path), "127.0.0.1", port))[1]
        for _ in range(readers)
    ]
    await all_have(crowd, 1)
    times = []
    for done in range(rounds):
        began = perf_counter()
        await writer.ask(request("POST", path, MESSAGE))
        await all_have(crowd, done + 2)
        times += [reader.arrivals[-1] - began for reader in crowd]
    for reader in crowd:
        reader.transport.close()
    writer.close()
    return _percentiles(f"delivery ms, {readers} readers", times)


async def catch_up(port: int, run: int) -> Figures:
    """MiB per second of a stream that is read from its start."""
    path, body = f"c{run}", b"[%b]" % b",".join([MESSAGE] * 500)
    peer = await Peer.open(port)
    await peer.ask(request("PUT", path))
    for _ in range(CATCH_UP * 2**20 // len(body)):
        await peer.ask(request("POST", path, body))
    size, offset, began = 0, "-1", perf_counter()
    while True:
        _, headers, content = await peer.ask(request("GET", f"{path}?offset={offset}"))
        size, offset = size + len(content), headers["stream-next-offset"]
        if "stream-up-to-date" in headers:
            break
    seconds = perf_counter() - began
    await peer.ask(request("DELETE", path))
    peer.close()
    return {"catch-up MiB/s": size / 2**20 / seconds}


async def _rate(port: int, name: str, peers: int, body: bytes, seconds: float = 1.0) -> float:
    crowd = [await Peer.open(port) for _ in range(peers)]
    streams = [f"{name}-{number}" for number in range(min(peers, STREAMS))]
    for stream in streams:
        status, _, _ = await crowd[0].ask(request("PUT", stream))
        if status != 201:
            raise RuntimeError(f"creating a stream was answered with {status}")

    async def write(peer: Peer, stream: str, until: float) -> int:
        append, done = request("POST", stream, body), 0
        while perf_counter() < until:
            status, _, _ = await peer.ask(append)
            if status not in {200, 204}:
                raise RuntimeError(f"an append was answered with {status}")
            done += 1
        return done

    began = perf_counter()
    writing = (
        write(peer, stream, began + seconds)
        for peer, stream in zip(crowd, cycle(streams), strict=False)
    )
    counts = await asyncio.gather(*writing)
    rate = sum(counts) / (perf_counter() - began)
    for stream in streams:
        await crowd[0].ask(request("DELETE", stream))
    for peer in crowd:
        peer.close()
    return rate


def _percentiles(name: str, seconds: list[float]) -> Figures:
    cuts = quantiles(seconds, n=100, method="inclusive")
    return {f"{name}, p50": cuts[49] * 1000, f"{name}, p99": cuts[98] * 1000}


MEMORY_LOADS: tuple[Callable[[int, int], Awaitable[Figures]], ...] = (
    lambda port, run: appends(port, run, peers=16),
    arrays,
    long_polls,
    lambda port, run: deliveries(port, run, readers=1),
    lambda port, run: deliveries(port, run, readers=100),
    lambda port, run: deliveries(port, run, readers=1000),
    catch_up,
)
DURABLE_LOADS: tuple[Callable[[int, int], Awaitable[Figures]], ...] = (
    lambda port, run: appends(port, run, peers=1),
    lambda port, run: appends(port, run, peers=64),
    arrays,
    long_polls,
    catch_up,
)
