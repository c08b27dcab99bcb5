"""Reporting: measurements as Markdown tables for people and as JSON lines for `compare`."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measure import BATCH, SEED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.measure import Measurement
    from benchmarks.workloads import Kind

TITLES: Final[dict[Kind, str]] = {
    "change": "One change (us)",
    "batch": f"Batches of {BATCH} changes (us per change)",
    "load": "Loading tables without a query (us per row)",
    "hydrate": "Starting a query on loaded tables (us per row)",
}
PACKAGES = ("stateschema", "sortedcontainers", "numpy")


def markdown(measurements: Iterable[Measurement]) -> str:
    """Return one table per kind of measurement."""
    measured = list(measurements)
    tables = []
    for kind, title in TITLES.items():
        rows = [_cells(found) for found in measured if found.kind == kind]
        if rows:
            tables.append(f"### {title}\n\n{table(HEADER, rows)}")
    return "\n\n".join(tables)


HEADER = (
    *("query", "N", "ours p50", "p99"),
    *("floor p50", "p99", "ratio", "range"),
    "alter the result",
)


def _cells(found: Measurement) -> tuple[str, ...]:
    times = (found.ours.p50, found.ours.p99, found.floor.p50, found.floor.p99)
    return (
        found.workload,
        f"{found.size:,}",
        *(f"{time:.2f}" for time in times),
        f"{found.ratio:.2f}",
        f"{found.ratio_low:.1f}–{found.ratio_high:.1f}",
        "" if found.altered is None else f"{found.altered:.0%}",
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, first column to the left, the rest to the right, padded to be read as text."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = [
        "-" * width if not column else "-" * (width - 1) + ":"
        for column, width in enumerate(widths)
    ]
    return "\n".join(map(line, (header, rule, *lines[1:])))


def environment() -> dict[str, Any]:
    """Return what else a number depends on: versions, machine, seed."""
    return {
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in PACKAGES},
        },
        "machine": {
            "system": platform.platform(),
            "processor": _processor(),
            "cpus": os.cpu_count(),
            "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        },
        "seed": SEED,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:  # ours runs from a checkout, too
        return None


def _processor() -> str:
    """Return the model of the processor; Linux hides it in a file."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def json_lines(measurements: Iterable[Measurement]) -> str:
    """Return one JSON object a line: the measurement and its environment."""
    around = environment()
    return "".join(json.dumps({**asdict(found), **around}) + "\n" for found in measurements)


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Read what `json_lines` wrote."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
