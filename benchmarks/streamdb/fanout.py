"""One published view and very many readers of it: how long until each has a change, and how much gets through.

The readers are event streams on connections of this process, which looks at what comes no more than it must;
how many changes each got is counted, and what they add up to is asked of one StreamDB.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from benchmarks.streamdb.figures import Figures
from benchmarks.streamdb.latency import percentiles
from benchmarks.streamdb.preload import append
from benchmarks.streamdb.processes import server
from benchmarks.streamdb.tasks import BASE, DERIVED, History, Loads, checksum
from benchmarks.streams.peer import EventReader, Peer, all_have, request
from stateschema.streamdb.db import StreamDB

if TYPE_CHECKING:
    from benchmarks.streamdb.figures import Figure
    from benchmarks.streamdb.sizes import Size
    from stateschema.events import ChangeEvent

SINGLY = 10  # changes per round, each sent when all have got the one before
CHANGE = b'"txid":'  # once per change: they are not told together, or each by an event of its own


def fanout(size: Size) -> list[Figure]:
    """Measure milliseconds per change and changes per second."""
    return asyncio.run(_fanout(size))


async def _fanout(size: Size) -> list[Figure]:
    figures, history = Figures(), History()
    name = f"fan-out to {size.readers:,}"
    with server() as url:
        await append(url, history.events(size.events))
        port = urlsplit(url).port
        assert port is not None
        async with StreamDB(Loads, url=url + DERIVED) as db:
            for counts in size.turns():
                crowd = await _crowd(port, size.readers)  # the server ends event streams in time
                times: list[float] = []
                for event, _ in history.changes(SINGLY):
                    times += await _send(port, crowd, [event])
                burst = [event for event, _ in history.changes(size.burst)]
                seconds = max(await _send(port, crowd, burst))
                await db.wait_txid(str(burst[-1].headers.txid), timeout=30)
                values = percentiles(name, times)
                values[f"{name}, changes/s"] = size.readers * size.burst / seconds
                found = checksum({"load": db.collections.loads.rows()})
                if counts:
                    figures.add("ours", values, checksum=found)
                for reader in crowd:
                    reader.transport.close()
    return figures.all()


async def _crowd(port: int, readers: int) -> list[EventReader]:
    """Connect all readers, and wait until each is told that there is nothing yet."""
    loop = asyncio.get_running_loop()
    crowd = [
        (await loop.create_connection(lambda: EventReader(DERIVED), "127.0.0.1", port))[1]
        for _ in range(readers)
    ]
    await all_have(crowd, 1)
    for reader in crowd:
        reader.look_for(CHANGE)
    return crowd


async def _send(port: int, crowd: list[EventReader], events: list[ChangeEvent]) -> list[float]:
    """Append changes one by one; return how long it took until each reader had all of them."""
    for reader in crowd:
        reader.arrivals.clear()
    writer = await Peer.open(port)
    began = perf_counter()
    for event in events:
        status, _, _ = await writer.ask(request("POST", BASE, event.to_json().encode()))
        if status not in {200, 204}:
            raise RuntimeError(f"an append was answered with {status}")
    await all_have(crowd, len(events))
    writer.close()
    return [reader.arrivals[-1] - began for reader in crowd]
