"""The command line: `python -m benchmarks.streamdb [NAMES] [--quick] [--json FILE]`.

    preload    a stream into collections and three views: ours beside the TypeScript StreamDB
    following  a TypeScript client of our published view beside one that computes it by itself
    latency    from an append until it is visible in a derived view elsewhere
    fanout     a published view to 1,000 readers

Peers take turns in every round, and their answers have to be equal. Printed are one line of JSON per
metric and, at the end, a table: medians over the rounds, and the median of the ratios within rounds with
the range it had.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.records import environment
from benchmarks.streamdb.fanout import fanout
from benchmarks.streamdb.figures import table
from benchmarks.streamdb.following import following
from benchmarks.streamdb.latency import latency
from benchmarks.streamdb.preload import preload
from benchmarks.streamdb.sizes import FULL, QUICK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.streamdb.figures import Figure
    from benchmarks.streamdb.sizes import Size

BENCHMARKS: dict[str, Callable[[Size], list[Figure]]] = {
    "preload": preload,
    "following": following,
    "latency": latency,
    "fanout": fanout,
}


def main(arguments: Sequence[str]) -> int:
    """Run benchmarks and print what they found; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streamdb")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="very little of everything")
    parser.add_argument("--rounds", type=int, help="how often each is measured")
    parser.add_argument("--events", type=int, help="how many events the base stream has")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the lines of JSON here too"
    )
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    size = QUICK if given.quick else FULL
    size = replace(size, rounds=given.rounds or size.rounds, events=given.events or size.events)
    around = environment(" ".join(["python -m benchmarks.streamdb", *arguments]))
    figures: list[Figure] = []
    lines: list[str] = []
    for name in given.names or BENCHMARKS:
        for figure in BENCHMARKS[name](size):
            figures.append(figure)
            lines.append(figure.line(around))
            print(lines[-1], flush=True)
    if given.json is not None:
        given.json.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    print("\n".join(["", *table(figures)]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
