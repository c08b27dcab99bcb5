"""From an append to the base stream until it is visible in the derived view, at a StreamDB elsewhere."""

from __future__ import annotations

import asyncio
from statistics import quantiles
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.streamdb.figures import Figures
from benchmarks.streamdb.preload import append
from benchmarks.streamdb.processes import server
from benchmarks.streamdb.tasks import BASE, DERIVED, History, Loads, checksum
from stateschema.stream.client.client import StreamClient
from stateschema.streamdb.db import StreamDB

if TYPE_CHECKING:
    from benchmarks.streamdb.figures import Figure
    from benchmarks.streamdb.sizes import Size


def latency(size: Size) -> list[Figure]:
    """Measure milliseconds."""
    return asyncio.run(_latency(size))


async def _latency(size: Size) -> list[Figure]:
    figures, history = Figures(), History()
    with server() as url:
        await append(url, history.events(size.events))
        async with (
            StreamClient(url + BASE) as base,
            StreamDB(Loads, url=url + DERIVED, live="sse") as db,
        ):
            for counts in size.turns():
                times = []
                for event, row in history.changes(size.changes):
                    began = perf_counter()
                    await base.append(event)
                    await db.wait_txid(str(event.headers.txid), timeout=30)
                    times.append(perf_counter() - began)
                    if db.collections.loads[row["owner"]] != row:
                        raise RuntimeError(f"the view does not show {row}")
                if counts:
                    found = checksum({"load": db.collections.loads.rows()})
                    figures.add("ours", percentiles("append to visible", times), checksum=found)
    return figures.all()


def percentiles(name: str, seconds: list[float]) -> dict[str, float]:
    """Return the median and the 99th percentile in milliseconds."""
    cuts = quantiles(seconds, n=100, method="inclusive")
    return {f"{name}, p50 ms": cuts[49] * 1000, f"{name}, p99 ms": cuts[98] * 1000}
