"""W7: what it costs to import the package and to create a query, in a fresh process for every sample.

Bytecode is kept, whatever the environment says of it, as that of an installed package is: in a folder of this run, which the first
process fills.

A query is created on empty collections, so that nothing is hydrated: building, hashing, optimizing and planning it are what counts. The
first one of a shape compiles; later ones ask other sources the same, so that they share the compiled factory and nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measurement import summarized
from benchmarks.peers.roster import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measurement import Measurement
    from benchmarks.plan import Plan

ROOT: Final = Path(__file__).parents[1]
ASKED: Final = ("filter", "join", "groupfk", "top100")
LATER: Final = 200  # queries
IMPORT: Final = """
from time import perf_counter_ns
start = perf_counter_ns()
import {package}
print(perf_counter_ns() - start)
"""


def measure_start(plan: Plan) -> Iterator[Measurement]:
    """Measure imports and queries."""
    with TemporaryDirectory() as bytecode:
        yield from _measured(plan, bytecode)


def _measured(plan: Plan, bytecode: str) -> Iterator[Measurement]:
    for package in ("dataflow", "stateschema"):
        if plan.asks(package):
            script = IMPORT.format(package=package)
            times = [int(_run(bytecode, "-c", script)) for _ in range(plan.samples + 1)]
            yield _found(
                f"import {package}", "import", "ms", [time / 1_000_000 for time in times[1:]]
            )
    for name in ASKED:
        if not plan.asks(name):
            continue
        pairs = [
            json.loads(_run(bytecode, "-m", "benchmarks.start", name)) for _ in range(plan.samples)
        ]
        for place, metric in ((0, "first query of its shape"), (1, "later query of a known shape")):
            yield _found(name, metric, "us", [pair[place] / 1_000 for pair in pairs])


def _found(query: str, metric: str, unit: str, values: list[float]) -> Measurement:
    return summarized(
        [[value] for value in values],
        workload="W7",
        query=query,
        size=0,
        metric=metric,
        unit=unit,
        peer=OURS,
    )


def _run(bytecode: str, *arguments: str) -> str:
    """Return what a process writes.

    Args:
        bytecode: the folder where it finds and keeps compiled modules.
        arguments: of the interpreter.
    """
    kept = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=kept)
    return done.stdout


def main(name: str) -> None:
    """Create queries in this process; print the nanoseconds of the first and the median of the later ones."""
    from benchmarks.questions import QUESTIONS
    from dataflow import Collection, live

    question = next(question for question in QUESTIONS if question.name == name)
    tables = list(question.traffic(10, 1).tables())
    lives = []
    times = []
    for _ in range(LATER + 1):
        sources: dict[str, Collection[dict[str, Any]]] = {
            table: Collection(table, key="id") for table in tables
        }
        start = perf_counter_ns()
        lives.append(live(question.ask(sources)))
        times.append(perf_counter_ns() - start)
    print(json.dumps([times[0], median(times[1:])]))


if __name__ == "__main__":
    main(sys.argv[1])
