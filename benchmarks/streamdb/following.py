"""A TypeScript client of our published view beside one that computes the same view by itself.

Until the view is up to date, and from a change that the client sends until it shows it: in time, and in
the time of the processor that it takes the client. Each peer has a server of its own in each round, so
that all begin with the same rows and meet the same changes.
"""

from __future__ import annotations

import asyncio
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.streamdb.figures import Figures
from benchmarks.streamdb.preload import append
from benchmarks.streamdb.processes import server, typescript
from benchmarks.streamdb.tasks import BASE, DERIVED, History, checksum

if TYPE_CHECKING:
    from benchmarks.peers.node_process import NodeProcess
    from benchmarks.streamdb.figures import Figure
    from benchmarks.streamdb.sizes import Size

PUBLISHED, COMPUTED = "published", "computed"


def following(size: Size) -> list[Figure]:
    """Measure both ways in turns."""
    figures = Figures()
    with typescript() as client:
        for counts in size.turns():
            for peer in (PUBLISHED, COMPUTED):
                values, found = _follow(client, size, is_published=peer == PUBLISHED)
                if counts:
                    figures.add(peer, values, checksum=found)
    return figures.all()


def _follow(client: NodeProcess, size: Size, *, is_published: bool) -> tuple[dict[str, float], str]:
    history = History()
    with server() as url:
        asyncio.run(append(url, history.events(size.events)))
        answer = client.ask(
            "follow",
            base=url + BASE,
            derived=url + DERIVED if is_published else None,
            changes=[(event.to_json(), row) for event, row in history.changes(size.changes)],
        )
    name = f"TypeScript, view of {size.events:,}"
    values = {
        f"{name}: up to date, ms": answer["ready"],
        f"{name}: up to date, ms of processor": answer["readyCpu"],
        f"{name}: change, ms": median(answer["times"]),
        f"{name}: change, ms of processor": answer["cpu"] / size.changes,
    }
    return values, checksum({"load": answer["rows"]})
