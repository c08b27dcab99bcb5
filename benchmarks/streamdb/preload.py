"""Preload: a stream is read from its start, and three views of it are there. Ours beside TypeScript.

Ours checks the form of every event and every value against the schema; the TypeScript StreamDB, as it is
published, does neither when it reads.
"""

from __future__ import annotations

import asyncio
import gc
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.streamdb.figures import Figure, Figures
from benchmarks.streamdb.processes import server, typescript
from benchmarks.streamdb.tasks import BASE, QUERIES, History, Tasks, checksum
from dataflow import live
from stateschema.stream.client.client import StreamClient
from stateschema.streamdb.db import StreamDB

if TYPE_CHECKING:
    from benchmarks.streamdb.sizes import Size
    from stateschema.events import ChangeEvent

ARRAY = 500  # events per append


def preload(size: Size) -> list[Figure]:
    """Measure events per second, by peers in turns."""
    figures = Figures()
    with server() as url, typescript() as other:
        asyncio.run(append(url, History().events(size.events)))
        for counts in size.turns():
            ours, mine = asyncio.run(_ours(url))
            answer = other.ask("preload", base=url + BASE, names=list(QUERIES))
            if counts:
                values = {"ours": (ours, mine), "typescript": (answer["ms"], answer["rows"])}
                for peer, (ms, rows) in values.items():
                    rate = {f"preload of {size.events:,}, events/s": size.events / ms * 1000}
                    figures.add(peer, rate, checksum=checksum(rows))
    return figures.all()


async def append(url: str, events: list[ChangeEvent]) -> None:
    """Fill the base stream."""
    async with StreamClient(url + BASE) as stream:
        for start in range(0, len(events), ARRAY):
            await stream.append(events[start : start + ARRAY])


async def _ours(url: str) -> tuple[float, dict[str, list[dict[str, Any]]]]:
    gc.collect()
    start = perf_counter()
    async with StreamDB(Tasks, url=url + BASE, live="sse") as db:
        views = {name: live(query(db.collections)) for name, query in QUERIES.items()}
        ms = (perf_counter() - start) * 1000
        return ms, {name: view.rows() for name, view in views.items()}
