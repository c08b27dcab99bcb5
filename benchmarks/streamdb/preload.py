"""Preload: a stream is read from its start, and three views of it are there. Ours beside TypeScript.

Ours checks the form of every event and every value against the schema; the TypeScript StreamDB, as it is
published, does neither when it reads. The time of the processor is that of the client alone, with all of
its threads; on a machine that does other work, too, it is the fairer figure.
"""

from __future__ import annotations

import asyncio
import gc
from time import perf_counter, process_time
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
    """Measure events per second, and per second of the processor, by peers in turns."""
    figures = Figures()
    name = f"preload of {size.events:,}, events"
    with server() as url, typescript() as other:
        asyncio.run(append(url, History().events(size.events)))
        for counts in size.turns():
            answers = {
                "ours": asyncio.run(_ours(url)),
                "typescript": other.ask("preload", base=url + BASE, names=list(QUERIES)),
            }
            for peer, answer in answers.items():
                values = {
                    f"{name}/s": size.events / answer["ms"] * 1000,
                    f"{name}/s of processor": size.events / answer["cpu"] * 1000,
                }
                if counts:
                    figures.add(peer, values, checksum=checksum(answer["rows"]))
    return figures.all()


async def append(url: str, events: list[ChangeEvent]) -> None:
    """Fill the base stream."""
    async with StreamClient(url + BASE) as stream:
        for start in range(0, len(events), ARRAY):
            await stream.append(events[start : start + ARRAY])


async def _ours(url: str) -> dict[str, Any]:
    gc.collect()
    start, begun = perf_counter(), process_time()
    async with StreamDB(Tasks, url=url + BASE, live="sse") as db:
        views = {name: live(query(db.collections)) for name, query in QUERIES.items()}
        ms, cpu = (perf_counter() - start) * 1000, (process_time() - begun) * 1000
        return {"ms": ms, "cpu": cpu, "rows": {name: view.rows() for name, view in views.items()}}
