"""The plot of the results: one change, by query and peer, at the largest size that most peers were asked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.peers.roster import FLOOR, OURS, ROSTER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.measurement import Measurement

COLORS: Final = {
    OURS: "#c0392b",
    FLOOR: "#2c3e50",
    "sqlite": "#2471a3",
    "sqlite-silent": "#85c1e9",
    "db-ivm": "#b7950b",
    "tanstack-db": "#f5b041",
    "duckdb": "#7d8a8c",
    "polars": "#c5cccd",
    "pathway": "#6c3483",
}
"""A color for each peer; those that are related are related in color."""


def plot(measured: Sequence[Measurement], path: Path) -> None:
    """Draw W2's single changes as bars on a logarithmic axis."""
    changes = [found for found in measured if (found.workload, found.metric) == ("W2", "change")]
    if not changes:
        raise SystemExit("nothing to plot: no single changes of W2 were measured")
    size = _size(changes)
    times = {(found.query, found.peer): found.p50 for found in changes if found.size == size}
    queries = list(dict.fromkeys(query for query, _ in times))
    names = [name for name in ROSTER if any(peer == name for _, peer in times)]

    mpl.rcParams["svg.hashsalt"] = "results"  # the same picture has the same bytes
    figure = Figure(figsize=(13, 5), layout="constrained")
    axes = figure.subplots()
    width = 0.85 / len(names)
    for number, name in enumerate(names):
        known = {
            place + number * width: times[query, name]
            for place, query in enumerate(queries)
            if (query, name) in times
        }
        axes.bar([*known], [*known.values()], width, label=name, color=COLORS[name], zorder=2)
    axes.set_yscale("log")
    axes.set_ylabel("µs per change, median (less is better)")
    axes.set_xticks([place + 0.425 - width / 2 for place in range(len(queries))], queries)
    axes.set_xlim(-width, len(queries) - 0.15 + width / 2)
    axes.grid(axis="y", alpha=0.3, zorder=0)
    figure.suptitle(f"One change at a time, {size:,} rows")
    figure.legend(ncols=len(names), frameon=False, loc="outside lower center")
    figure.savefig(path, metadata={"Date": None})


def _size(changes: Sequence[Measurement]) -> int:
    """Return the largest size that more than half of the peers were asked at, or the largest if there is none."""
    asked: dict[int, set[str]] = {}
    for found in changes:
        asked.setdefault(found.size, set()).add(found.peer)
    everybody = set().union(*asked.values())
    common = [size for size, peers in asked.items() if 2 * len(peers) > len(everybody)]
    return max(common or asked)
