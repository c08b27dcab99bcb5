"""W4: many live queries on one source of 10,000 rows, each change being news for one of them, or, where mixed, for two.

`equality` asks for one bucket each, `range` for a range of scores each, none of which overlap, `mixed` half and half. The floor does what
one would write by hand: a dict from bucket to view, and the bounds of the ranges to search in.
"""

from __future__ import annotations

import gc
import random
from bisect import bisect_right
from contextlib import ExitStack, closing
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final

from benchmarks.answers import DisagreementError
from benchmarks.apart import Apart
from benchmarks.measurement import summarized
from benchmarks.peers.receiver import Receiver
from benchmarks.peers.roster import FLOOR, OURS
from benchmarks.plan import SEED
from dataflow import Collection, LiveQuery, live, query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.measurement import Measurement
    from benchmarks.plan import Plan
    from benchmarks.traffic import Row

ROWS: Final = 10_000
KINDS: Final = ("equality", "range", "mixed")
SIZES: Final = (1, 100, 1_000, 10_000)
COUNT: Final = 200  # changes in a segment


def measure_fan(plan: Plan) -> Iterator[Measurement]:
    """Measure a change below each number of queries of each kind."""
    for kind in KINDS:
        if plan.asks(kind):
            for size in [size for size in SIZES if size <= plan.most]:
                yield from _measure(kind, size, plan)


def _measure(kind: str, size: int, plan: Plan) -> Iterator[Measurement]:
    rng = random.Random(SEED)
    rows = [_row(key, rng) for key in range(ROWS)]
    names = [OURS, FLOOR] if FLOOR in plan.peers else [OURS]
    found: dict[str, list[list[float]]] = {name: [] for name in names}
    with ExitStack() as stack:
        sides = {
            name: stack.enter_context(closing(Apart(Side, name, kind, size, rows)))
            for name in names
        }
        for segment in range(plan.segments + 1):
            drawn = [
                {**rows[key], "amount": rng.randrange(1_000_000)}
                for key in rng.sample(range(ROWS), COUNT)
            ]
            for name in sorted(sides, reverse=bool(segment % 2)):
                times = sides[name].ask("timed", drawn)
                if segment:  # the first one warms up
                    found[name].append(times)
        heard = {name: side.ask("heard") for name, side in sides.items()}
    if len({*heard.values()}) > 1:
        raise DisagreementError(f"{kind} {size}: (calls, rows) differ: {heard}")
    for name, segments in found.items():
        against = FLOOR if name == OURS else OURS
        yield summarized(
            segments,
            workload="W4",
            query=kind,
            size=size,
            metric="change below N queries",
            unit="us per change",
            peer=name,
            against=against,
            others=found.get(against, ()),
        )


class Side:
    """Ours or the floor, under the clock.

    Args:
        name: of the peer.
        kind: of the queries.
        size: how many there are.
        rows: of the source.
    """

    def __init__(self, name: str, kind: str, size: int, rows: Sequence[Row]) -> None:
        self._views = (_Ours if name == OURS else _ByHand)(kind, size, rows)
        gc.collect()

    def timed(self, drawn: Sequence[Row]) -> list[float]:
        """Update rows one at a time; return the microseconds of each."""
        times = []
        for row in drawn:
            start = perf_counter_ns()
            self._views.update(row)
            times.append((perf_counter_ns() - start) / 1_000)
        return times

    def heard(self) -> tuple[int, int]:
        """Return how often subscribers were called, and how many rows there are in all views."""
        return self._views.heard()


def _row(key: int, rng: random.Random) -> Row:
    return {"id": key, "bucket": rng.randrange(ROWS), "score": rng.randrange(ROWS), "amount": 0}


def _parts(kind: str, size: int) -> tuple[int, int]:
    """Return how many queries ask for a bucket, and how many for a range."""
    match kind:
        case "equality":
            return size, 0
        case "range":
            return 0, size
        case _:
            return size - size // 2, size // 2


class _Ours:
    """A collection below live queries."""

    def __init__(self, kind: str, size: int, rows: Sequence[Row]) -> None:
        self._source = Collection("rows", key="id")
        self._receiver = Receiver()
        buckets, ranges = _parts(kind, size)
        self._buckets = max(1, buckets)
        self._lives: list[LiveQuery[Any]] = []
        row = self._source.alias("row")
        for bucket in range(buckets):
            self._watch(live(query(row).where(row.bucket == bucket)))
        for number in range(ranges):
            low, high = number * ROWS // ranges, (number + 1) * ROWS // ranges
            self._watch(live(query(row).where(row.score >= low, row.score < high)))
        with self._source.sync() as write:
            for given in rows:
                write.insert({**given, "bucket": given["bucket"] % self._buckets})
        self._receiver.calls = 0

    def _watch(self, found: LiveQuery[Any]) -> None:
        found.subscribe(self._receiver)
        self._lives.append(found)

    def update(self, row: Row) -> None:
        row["bucket"] %= self._buckets
        with self._source.sync() as write:
            write.update(row)

    def heard(self) -> tuple[int, int]:
        return self._receiver.calls, sum(map(len, self._lives))


class _ByHand:
    """Views found by a dict of buckets and by bounds in order. No change moves a row from one view to another."""

    def __init__(self, kind: str, size: int, rows: Sequence[Row]) -> None:
        buckets, ranges = _parts(kind, size)
        self._buckets = max(1, buckets)
        self._rows = {row["id"]: {**row, "bucket": row["bucket"] % self._buckets} for row in rows}
        self._receiver = Receiver()
        self._by_bucket: dict[int, dict[int, Row]] = {bucket: {} for bucket in range(buckets)}
        self._bounds = [number * ROWS // ranges for number in range(ranges)]
        self._by_range: list[dict[int, Row]] = [{} for _ in range(ranges)]
        for row in self._rows.values():
            for view in self._views(row):
                view[row["id"]] = row

    def _views(self, row: Row) -> list[dict[int, Row]]:
        found = []
        if (view := self._by_bucket.get(row["bucket"])) is not None:
            found.append(view)
        if self._bounds:
            found.append(self._by_range[bisect_right(self._bounds, row["score"]) - 1])
        return found

    def update(self, row: Row) -> None:
        row["bucket"] %= self._buckets
        key = row["id"]
        old = self._rows[key]
        if old == row:
            return
        self._rows[key] = row
        for view in self._views(row):
            view[key] = row
            self._receiver([("update", key, row, old)])

    def heard(self) -> tuple[int, int]:
        views = [*self._by_bucket.values(), *self._by_range]
        return self._receiver.calls, sum(map(len, views))
