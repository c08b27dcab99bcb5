"""The command line: run benchmarks, or compare two runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.compare import compare
from benchmarks.measure import FULL, QUICK, Measurement, measure
from benchmarks.report import json_lines, markdown
from benchmarks.workloads import WORKLOADS

DESCRIPTION = """\
Measure live queries beside the same views written by hand with plain dicts (the floor).

names:
"""
NAMES = "\n".join(f"  {workload.name:<9} {workload.question}" for workload in WORKLOADS)
COMPARE = "\n\n`python -m benchmarks compare base.json head.json` compares two runs; status 1 if anything got slower."


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit status."""
    if arguments[:1] == ["compare"]:
        return _compare(arguments[1:])
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=DESCRIPTION + NAMES + COMPARE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = {workload.name: workload for workload in WORKLOADS}
    parser.add_argument("names", nargs="*", metavar="name", help="which to run; all by default")
    parser.add_argument("--json", type=Path, help="write one JSON line per measurement to a file")
    parser.add_argument("--quick", action="store_true", help="small sizes and few segments")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(known)}")
    _run(options.names or list(known), quick=options.quick, json=options.json)
    return 0


def _run(names: list[str], *, quick: bool, json: Path | None) -> None:
    measured: list[Measurement] = []
    start = perf_counter()
    for workload in WORKLOADS:
        if workload.name in names:
            print(f"{workload.name}: {workload.question} …", file=sys.stderr)
            measured += measure(workload, QUICK if quick else FULL)
    print(markdown(measured))
    print(f"{len(measured)} measurements in {perf_counter() - start:.0f} s", file=sys.stderr)
    if json is not None:
        json.write_text(json_lines(measured), "utf-8")


def _compare(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks compare")
    parser.add_argument("base", type=Path)
    parser.add_argument("head", type=Path)
    options = parser.parse_args(arguments)
    text, slower = compare(options.base, options.head)
    print(text)
    return int(slower)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
