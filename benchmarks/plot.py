"""The plot of the results: one change, by query and peer, at the largest size that all peers were asked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.measurement import Measurement


def plot(measured: Sequence[Measurement], path: Path) -> None:
    """Draw W2's single changes as bars on a logarithmic axis."""
    changes = [found for found in measured if (found.workload, found.metric) == ("W2", "change")]
    if not changes:
        raise SystemExit("nothing to plot: no single changes of W2 were measured")
    names = list(dict.fromkeys(found.peer for found in changes))
    asked = {
        size: {f.peer for f in changes if f.size == size} for size in {f.size for f in changes}
    }
    most = max(map(len, asked.values()))
    size = max(size for size, peers in asked.items() if len(peers) == most)
    times = {(found.query, found.peer): found.p50 for found in changes if found.size == size}
    queries = list(dict.fromkeys(query for query, _ in times))

    mpl.rcParams["svg.hashsalt"] = "results"  # the same picture has the same bytes
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    axes = figure.subplots()
    width = 0.85 / len(names)
    for number, name in enumerate(names):
        known = [
            (place, times[query, name])
            for place, query in enumerate(queries)
            if (query, name) in times
        ]
        axes.bar(
            [place + number * width for place, _ in known],
            [time for _, time in known],
            width,
            label=name,
        )
    axes.set_yscale("log")
    axes.set_ylabel("µs per change, median")
    axes.set_xticks([place + 0.425 - width / 2 for place in range(len(queries))], queries)
    axes.set_title(f"One change at a time, {size:,} rows")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(ncols=len(names), fontsize="small", frameon=False, loc="upper left")
    axes.margins(y=0.15)
    figure.savefig(path, metadata={"Date": None})
