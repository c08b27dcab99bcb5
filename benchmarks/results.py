"""Writing results down: RESULTS.md and a plot, from what runs recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.bars import bars_of
from benchmarks.plot import plot
from benchmarks.records import read
from benchmarks.report import markdown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.measurement import Measurement

INTRODUCTION = """\
# Results

Written by `python -m benchmarks report`. How it is measured: all peers take turns in alternating segments of one run and apply
the same changes; each time is a median over segments of their medians, and p99 a median of their p99; a ratio is a median of the
ratios within segments. `n=` marks a peer that was too slow for five segments. Each peer lives in a process of its own with
the clock inside, so that it collects its own garbage and nobody else's. Timed is the whole way: from the commit
at the source to the return of the subscriber that got the net events. DuckDB, Polars and `sqlite-silent` tell nobody what changed, which
flatters them; `sqlite` does, by triggers that call into Python. In the end
all peers that are shown had the same answer, by checksum, as had a recount from the tables; a peer with another answer is left out. Trust ratios of two and more, not the times: they depend on the machine and on what
else it does. Where the load at the start exceeds the number of processors, others were working on the machine: then single
figures of slow peers, which have few samples, may be interruptions and nothing else, and p99 is mostly theirs.

![One change, microseconds, by query and peer](results.svg)
"""


BARS = """
## What we hold ourselves to

Of each line the value that is furthest from its limit; what misses it is named with the share it is on the wrong side by. That rows and steps
touched by a change do not depend on N, nor on the chunks before, and that numpy is imported on first use, is
asserted by tests.

"""

KEPT = "\n## Streams\n"
"""The heading of what `benchmarks.streams` measured, which is written by hand and kept."""


def write_results(files: Sequence[Path], folder: Path) -> None:
    """Write RESULTS.md and results.svg.

    Args:
        files: what `--json` wrote. Where they measured the same thing, the last one counts.
        folder: where to.
    """
    runs = [read(path) for path in files]
    measured = _latest(found for found, _ in runs)
    plot(measured, folder / "results.svg")
    parts = [INTRODUCTION, "## Runs\n", *(_environment(around) for _, around in runs)]
    path = folder / "RESULTS.md"
    kept = path.read_text("utf-8").partition(KEPT)[2] if path.exists() else ""
    text = "\n".join([*parts, BARS + bars_of(measured), "", markdown(measured), ""])
    path.write_text(text + (KEPT + kept if kept else ""), "utf-8")


def _latest(runs: Any) -> list[Measurement]:
    latest = {
        (found.workload, found.query, found.size, found.metric, found.peer): found
        for run in runs
        for found in run
    }
    return list(latest.values())


def _environment(around: dict[str, Any]) -> str:
    machine, versions = around["machine"], around["versions"]
    named = ", ".join(f"{name} {number}" for name, number in versions.items() if number)
    return (
        f"- `{around['command']}`\n"
        f"  on {machine['cpus']} × {machine['processor']}, {machine['system']},"
        f" load at the start {machine['load']:.1f}; {named}"
    )
