"""Reporting: measurements as Markdown tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measurement import WORKLOADS
from benchmarks.peers.roster import FLOOR, OURS
from benchmarks.tables import figure, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.measurement import Measurement

Case = tuple[str, int]
"""Query and size: a line of a table."""

TITLES = {
    "load": "Filling tables, without a query",
    "hydrate": "Starting a query on full tables",
    "change": "One change at a time",
}

NOTES = {
    "W1": """\
Less is better. All peers but those with `n=1` have started the query before, so that it is compiled: what the first start of a
shape takes on top is in W7. Pathway fills its tables when a query starts; before that it only keeps the rows.""",
    "W2": """\
Less is better. In `sorted` our subscriber is told which rows changed, and the order follows when it is read, which is not in the
figure; the floor, db-ivm, TanStack DB and the index of SQLite keep it at every change. `positions` is the same list
with a subscriber who is told where each row stands, so that we keep it, too. In `groupfloat` the floor adds floats as they come, and we
exactly.""",
    "W3": "Less is better. N is the number of chunks that the text has before.",
    "W4": """\
Less is better. N is the number of queries; the source has 10,000 rows. A change concerns one of the queries, or two where they are
mixed.""",
    "W5": """\
Less is better. Row objects do not count, those of the source and those of the answer; on Node the latter cannot be told from the rest,
and count.""",
    "W6": """\
Of microseconds less is better, of events/s more. Processor time of one core; batches of 1,000 events. `stage` is checking and
validating, `views` what a commit takes longer with three views and their subscribers; `garbage` is the collector's part of the
others.""",
    "W7": "Less is better. Each sample is a process of its own, with bytecode that is compiled already; the collections are empty.",
}
"""What has to be known of the figures of a workload, to stand beside them."""


def markdown(measurements: Iterable[Measurement]) -> str:
    """Return the tables of each workload and metric."""
    groups: dict[tuple[str, str], list[Measurement]] = {}
    for found in measurements:
        groups.setdefault((found.workload, found.metric), []).append(found)
    parts = []
    workload = ""
    for (name, metric), group in sorted(groups.items(), key=lambda item: item[0][0]):
        if name != workload:
            workload = name
            parts += [f"## {name} {WORKLOADS[name]}", NOTES[name]]
        parts += _tables(metric, group)
    return "\n\n".join(parts)


def _tables(metric: str, group: Sequence[Measurement]) -> list[str]:
    """Return ours with what it is compared with, then everybody else beside ours."""
    title = f"### {TITLES.get(metric, metric[:1].upper() + metric[1:])} ({group[0].unit})"
    cases: dict[Case, dict[str, Measurement]] = {}
    for found in group:
        cases.setdefault((found.query, found.size), {})[found.peer] = found
    tables = [title, _ours(cases)]
    others = list(dict.fromkeys(found.peer for found in group if found.peer not in (OURS, FLOOR)))
    if others:
        tables += [
            "Everybody else, and as a multiple of ours (below ×1 is faster than ours):",
            _others(cases, others),
        ]
    return tables


def _ours(cases: dict[Case, dict[str, Measurement]]) -> str:
    against = {peers[OURS].against for peers in cases.values() if OURS in peers} - {None}
    ratio = f"ours / {against.pop()}" if against else ""
    header = ["query", "N", "ours", "p99", "floor", "p99", ratio, "range", "altered"]
    rows = []
    for (query, size), peers in cases.items():
        ours, floor = peers.get(OURS), peers.get(FLOOR)
        if ours is None:
            continue
        span = f"{ours.ratio_low:.1f}–{ours.ratio_high:.1f}" if ours.ratio is not None else ""
        rows.append(
            [
                query,
                f"{size:,}" if size else "",
                figure(ours.p50),
                figure(ours.p99),
                figure(floor.p50 if floor else None),
                figure(floor.p99 if floor else None),
                figure(ours.ratio),
                span,
                "" if ours.altered is None else f"{ours.altered:.0%}",
            ]
        )
    used = [column for column in range(len(header)) if any(row[column] for row in rows)]
    return table(
        [header[column] for column in used], [[row[column] for column in used] for row in rows]
    )


def _others(cases: dict[Case, dict[str, Measurement]], names: Sequence[str]) -> str:
    rows = []
    for (query, size), peers in cases.items():
        found = [peers.get(name) for name in names]
        if any(found):
            rows.append([query, f"{size:,}", *map(_beside_ours, found)])
    return table(["query", "N", *names], rows)


def _beside_ours(found: Measurement | None) -> str:
    if found is None:
        return "–"
    ratio = "" if found.ratio is None else f" ×{figure(found.ratio)}"
    is_counted = found.unit.startswith("bytes")  # once, since it comes out the same every time
    few = "" if found.segments >= 5 or is_counted else f" n={found.segments}"
    return f"{figure(found.p50)}{ratio}{few}"
