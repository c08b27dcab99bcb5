"""The command line: `python -m benchmarks.streams [--rounds N]`.

Both servers are up all the time and take turns under the same load generator, the order changing from
round to round, so that both meet the same weather. Reported are medians over the rounds, and the
median of the ratios within rounds with the range it had. Each server has one process; the generator has another.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from statistics import median
from typing import TYPE_CHECKING

import uvloop

from benchmarks.streams.loads import DURABLE_LOADS, MEMORY_LOADS
from benchmarks.streams.servers import running

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark and print a table; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams")
    parser.add_argument("--rounds", type=int, default=5, help="how often each load is run")
    rounds = parser.parse_args(arguments).rounds
    for durable in (False, True):
        with running(durable=durable) as ports:
            results = uvloop.run(_measure(ports, rounds, durable=durable))
        print("\n".join(table(results, list(ports))), end="\n\n")
    return 0


async def _measure(
    ports: dict[str, int], rounds: int, *, durable: bool
) -> dict[str, list[dict[str, float]]]:
    """Return, for each figure, its values by server, round for round."""
    results: dict[str, list[dict[str, float]]] = {}
    for number, load in enumerate(DURABLE_LOADS if durable else MEMORY_LOADS):
        for turn in range(rounds + 1):
            found: dict[str, dict[str, float]] = {}
            for name in sorted(ports, reverse=bool(turn % 2)):
                figures = await load(ports[name], number * 100 + turn)
                for figure, value in figures.items():
                    found.setdefault(figure, {})[name] = value
                await asyncio.sleep(0.05)
            if turn:  # the first one warms up
                for figure, values in found.items():
                    results.setdefault(figure, []).append(values)
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return results


def table(results: dict[str, list[dict[str, float]]], names: list[str]) -> list[str]:
    """Return the lines of a Markdown table: medians, and ratios of the first server to the second."""
    ours, theirs = names
    lines = [f"| load | {ours} | {theirs} | ratio | range |", "|---|---:|---:|---:|---:|"]
    for figure, rounds in results.items():
        mine, other = (median(values[name] for values in rounds) for name in names)
        ratios = [values[ours] / values[theirs] for values in rounds]
        span = f"{min(ratios):.2f} to {max(ratios):.2f}"
        lines.append(f"| {figure} | {mine:,.2f} | {other:,.2f} | {median(ratios):.2f} | {span} |")
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
