"""Preload: a stream is read from its start, and three views of it are there. Ours beside TypeScript.

Ours checks the form of every event and every value against the schema; the TypeScript StreamDB, as it is
published, does neither when it reads. The time of the processor is that of the client alone, with all of
its threads; on a machine that does other work, too, it is the fairer figure.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import ExitStack, closing
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from benchmarks.streamdb.figures import Figure, Figures
from benchmarks.streamdb.processes import server, typescript
from benchmarks.streamdb.tasks import BASE, QUERIES, History, Tasks, checksum
from dataflow import live
from stateschema.stream.client.client import StreamClient
from stateschema.streamdb.db import StreamDB

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.streamdb.sizes import Size
    from stateschema.events import ChangeEvent

ARRAY = 500  # events per append


def preload(size: Size) -> list[Figure]:
    """Measure events per second, and per second of the processor, by peers in turns."""
    figures = Figures()
    with server() as url, typescript() as other:
        asyncio.run(append(url, History().events(size.events)))
        peers: dict[str, Callable[[], dict[str, Any]]] = {
            "ours": lambda: asyncio.run(_ours(url)),
            "typescript": lambda: other.ask("preload", base=url + BASE, names=list(QUERIES)),
        }
        for counts in size.turns():
            for peer, answer in peers.items():
                values, rows = _said(answer(), size.events)
                if counts:
                    figures.add(peer, values, checksum=rows)
    return figures.all()


def _said(answer: dict[str, Any], events: int) -> tuple[dict[str, float], str]:
    """Return the values of an answer and a checksum of its rows, which nobody holds on to.

    A round that finds the rows of another in memory is slower: the garbage collector visits them, too.
    """
    name = f"preload of {events:,}, events"
    values = {
        f"{name}/s": events / answer["ms"] * 1000,
        f"{name}/s of processor": events / answer["cpu"] * 1000,
    }
    return values, checksum(answer["rows"])


async def append(url: str, events: list[ChangeEvent]) -> None:
    """Fill the base stream."""
    async with StreamClient(url + BASE) as stream:
        for start in range(0, len(events), ARRAY):
            await stream.append(events[start : start + ARRAY])


async def _ours(url: str) -> dict[str, Any]:
    gc.collect()
    start, begun = perf_counter(), process_time()
    async with StreamDB(Tasks, url=url + BASE, live="sse") as db:
        with ExitStack() as stack:
            views = {
                name: stack.enter_context(closing(live(query(db.collections))))
                for name, query in QUERIES.items()
            }
            ms, cpu = (perf_counter() - start) * 1000, (process_time() - begun) * 1000
            rows = {name: view.rows() for name, view in views.items()}
    return {"ms": ms, "cpu": cpu, "rows": rows}
