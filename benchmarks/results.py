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

How long live queries take, beside the same views written by hand (the *floor*) and beside other engines. First what we hold
ourselves to and whether it is met, then how it was measured, then every figure.

![One change, microseconds, by query and peer](results.svg)

## What we hold ourselves to

Of each line the value that is furthest from its limit; what misses it is named with the share it is on the wrong side by. That rows
and steps touched by a change do not depend on N, nor on the chunks before, and that numpy is imported on first use, is
asserted by tests.
"""

METHOD = """
## How it is measured

- **Who.** Ours is what an application would write: collections, one live query, one subscriber. The floor does the same by hand, with
  dicts and lists, complete: any change of any table, net events as a list. The other engines are used in the best setting
  their documents name; each file of [peers](peers) says which. DuckDB, Polars and `sqlite-silent` tell nobody what
  changed, which flatters them; `sqlite` does, by triggers that call into Python. Above 100,000 rows ours, the floor and SQLite alone are asked.
- **What.** The whole way: from the commit at the source to the return of the subscriber that got the net events. At least half
  of the changes alter the answer; `altered` is the share of the commits that did.
- **How.** All peers take turns in alternating segments of one run and apply the same changes. Each lives in a process of its own
  with the clock inside, so that it collects its own garbage and nobody else's; garbage collection is on. A time is the median over
  segments of their medians, p99 the median of their p99.
- **Ratios** are medians of the ratios within segments; `range` is the smallest and the largest of these. "ours / floor" of 2 is
  twice as long as by hand, ×3 beside another peer three times as long as ours. us are microseconds, N rows unless it is said
  otherwise. `n=` marks a peer too slow for five segments; of `n=1` the only start was its first.
- **Answers.** In the end all peers that are shown had the same one, by checksum, as had, of questions that are written as SQL, a recount from the
  tables. A peer with another answer is left out.
- **Trust** ratios of two and more, not the times: those depend on the machine and on what else it does. Where the load at the start
  exceeds the number of processors, others were working on the machine: then single figures of slow peers, which have few
  samples, may be interruptions and nothing else, and p99 is mostly theirs.

To repeat it: `make bench BENCH="--json out.json"`, then `.venv/bin/python -m benchmarks report out.json`, which writes all of this but
the part on streams. Two of the peers need Node and npm, and are left out without.

## Runs

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
    runs_made = "\n".join(_environment(around) for _, around in runs)
    path = folder / "RESULTS.md"
    kept = path.read_text("utf-8").partition(KEPT)[2] if path.exists() else ""
    text = "\n".join(
        [INTRODUCTION, bars_of(measured), METHOD + runs_made, "", markdown(measured), ""]
    )
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
    made = "".join(f", {around[name]}" for name in ("date", "code") if around.get(name))
    return (
        f"- `{around['command']}`{made}\n"
        f"  on {machine['cpus']} × {machine['processor']}, {machine['system']},"
        f" load at the start {machine['load']:.1f}; {named}"
    )
