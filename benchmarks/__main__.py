"""The command line: run benchmarks, compare two runs, or write the results down."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.compare import compare
from benchmarks.measurement import WORKLOADS
from benchmarks.peers.roster import OURS, ROSTER
from benchmarks.plan import FULL, HUGE, QUICK, Plan
from benchmarks.records import environment, write
from benchmarks.report import markdown
from benchmarks.run import QUERIES, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.measurement import Measurement

DESCRIPTION = """\
Measure live queries beside the same views written by hand (the floor) and beside other engines,
in alternating segments of one run. Every peer has to end with the same answer.
"""
COMMANDS = """
commands:
  python -m benchmarks compare base.json head.json   what got faster or slower; status 1 if anything got slower
  python -m benchmarks report out.json ...           write benchmarks/RESULTS.md and its plot from such files

examples:
  python -m benchmarks --quick                       everything, small, in two to three minutes
  python -m benchmarks join top100 --peers floor     two queries, ours beside the floor only
  python -m benchmarks W2 --rows 100000 --json out.json
"""


def _names() -> str:
    parts = ["workloads:", *(f"  {code:<12} {about}" for code, about in WORKLOADS.items())]
    parts += ["", "queries:", *(f"  {name:<12} {text}" for name, (text, _) in QUERIES.items())]
    parts += ["", "peers:", *(f"  {name:<12} {entry.about}" for name, entry in ROSTER.items())]
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit status."""
    if arguments[:1] == ["compare"]:
        return _compare(arguments[1:])
    if arguments[:1] == ["report"]:
        return _report(arguments[1:])
    parser = _parser()
    options = parser.parse_args(arguments)
    known = [*WORKLOADS, *QUERIES]
    if unknown := [name for name in options.names if _code(name) not in known]:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(known)}")
    if unknown := [name for name in options.peers or () if name not in ROSTER]:
        parser.error(f"no peer {unknown[0]!r}; there are {', '.join(ROSTER)}")
    _run(
        _plan(options),
        json=options.json,
        command=shlex.join(["python", "-m", "benchmarks", *arguments]),
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"{DESCRIPTION}\n{_names()}",
        epilog=COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="name", help="workloads or queries; all by default"
    )
    parser.add_argument(
        "--rows", nargs="+", type=int, metavar="N", help="table sizes instead of 1,000 to 100,000"
    )
    parser.add_argument(
        "--peers", nargs="+", metavar="PEER", help="who runs beside ours; all by default"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write one JSON line per measurement"
    )
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument("--quick", action="store_true", help="small sizes and few segments")
    pace.add_argument("--huge", action="store_true", help="up to a million rows")
    return parser


def _plan(options: argparse.Namespace) -> Plan:
    plan = QUICK if options.quick else HUGE if options.huge else FULL
    codes = [code for name in options.names if (code := _code(name)) in WORKLOADS]
    queries = [name for name in options.names if _code(name) not in WORKLOADS]
    if queries and not codes:
        codes = sorted(set().union(*(QUERIES[name][1] for name in queries)))
    return replace(
        plan,
        sizes=tuple(options.rows or plan.sizes),
        queries=tuple(queries),
        workloads=tuple(codes or plan.workloads),
        peers=tuple(dict.fromkeys([OURS, *(options.peers or plan.peers)])),
    )


def _code(name: str) -> str:
    return name.upper() if name.upper() in WORKLOADS else name


def _run(plan: Plan, *, json: Path | None, command: str) -> None:
    around = environment(command)  # before the run, whose load is its own
    start = perf_counter()
    measured: list[Measurement] = []
    if json is None:
        measured += run(plan)
    else:
        write(json, _kept(run(plan), measured), around)
    print(markdown(measured))
    print(f"{len(measured)} measurements in {perf_counter() - start:.0f} s", file=sys.stderr)


def _kept(found: Iterable[Measurement], kept: list[Measurement]) -> Iterator[Measurement]:
    """Hand measurements on, and keep them."""
    for each in found:
        kept.append(each)
        yield each


def _compare(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks compare")
    parser.add_argument("base", type=Path)
    parser.add_argument("head", type=Path)
    options = parser.parse_args(arguments)
    text, slower = compare(options.base, options.head)
    print(text)
    return int(slower)


def _report(arguments: list[str]) -> int:
    from benchmarks.results import write_results  # needs matplotlib, which measuring does not

    parser = argparse.ArgumentParser(prog="python -m benchmarks report")
    parser.add_argument("files", nargs="+", type=Path, help="what --json wrote")
    parser.add_argument(
        "--to", type=Path, default=Path(__file__).parent, help="the folder; this one by default"
    )
    options = parser.parse_args(arguments)
    write_results(options.files, options.to)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
