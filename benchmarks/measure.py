"""Measuring: the engine and the floor in alternating segments of one run, so that both meet the same weather.

A segment applies the next changes of the traffic, each timed alone, to one side and then to the other, each time as fresh
copies, so that neither warms the cache for its rival; which side begins alternates. Reported are the medians over segments of each segment's p50 and p99, and the ratio within segments
with the range it had. Garbage collection stays on. Reading the clock costs about 0.05 us, on both sides.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from functools import partial
from math import ceil
from statistics import median
from time import perf_counter_ns
from typing import TYPE_CHECKING

from benchmarks.sides import ByHand, Ours, agree
from benchmarks.traffic import copy_of, history

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.sides import Side
    from benchmarks.traffic import Tables, Write
    from benchmarks.workloads import Kind, Workload

BATCH = 100  # changes
SEED = 20_260_101


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much to measure.

    Attributes:
        sizes: rows, for workloads that do not choose their own.
        segments: per side.
        changes: single changes per segment.
        batches: batches of 100 changes per segment.
    """

    sizes: tuple[int, ...]
    segments: int
    changes: int
    batches: int


FULL = Plan(sizes=(1_000, 10_000, 100_000), segments=9, changes=1_500, batches=25)
QUICK = Plan(sizes=(1_000, 10_000), segments=5, changes=400, batches=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Microseconds per change, or per row hydrated."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One workload at one size, measured in one way.

    Attributes:
        kind: single changes and batches are timed per change, loading and hydration per row of the first table.
        ratio: ours / floor, the median over segments, with the smallest and the largest.
        altered: share of the commits that altered the result; None for loading and hydration.
        checksum: of the result in the end, equal for both sides.
    """

    kind: Kind
    workload: str
    size: int
    ours: Timing
    floor: Timing
    ratio: float
    ratio_low: float
    ratio_high: float
    segments: int
    altered: float | None
    checksum: int


def measure(workload: Workload, plan: Plan) -> Iterator[Measurement]:
    """Measure a workload at each size; loading and hydration at the largest only."""
    sizes, kinds = workload.sizes or plan.sizes, workload.kinds
    for size in sizes:
        bench = _Bench(workload, size, plan.segments)
        if "load" in kinds and size == max(sizes):
            yield bench.load()
        if "hydrate" in kinds and size == max(sizes):
            yield bench.hydrate()
        if "change" in kinds:
            yield bench.commits("change", count=plan.changes, size=1)
        if "batch" in kinds:
            yield bench.commits("batch", count=plan.batches, size=BATCH)
        bench.ours.forget()


def copied(tables: Tables) -> Tables:
    """Copy tables with their rows."""
    return {name: [dict(row) for row in rows] for name, rows in tables.items()}


class _Bench:
    """A workload at one size, with both sides hydrated."""

    def __init__(self, workload: Workload, size: int, segments: int) -> None:
        self._workload = workload
        self._size = size
        self._segments = range(segments + 1)  # the first one warms up
        self._traffic = workload.traffic(size, SEED)
        self._tables = self._traffic.tables()
        self.ours: Side = Ours(workload, copied(self._tables))
        self._floor: Side = ByHand(workload, copied(self._tables))
        self.ours.hydrate()
        self._floor.hydrate()

    def load(self) -> Measurement:
        """Fill fresh tables, without a view."""
        pairs = []
        for segment in self._segments:
            gc.collect()
            pairs.append(
                _alternating(
                    segment,
                    lambda: self._timed(partial(Ours, self._workload, self._tables)),
                    lambda: self._timed(partial(ByHand, self._workload, self._tables)),
                )
            )
        return self._report("load", pairs, None)

    def hydrate(self) -> Measurement:
        """Build the view from full tables."""
        pairs = []
        for segment in self._segments:
            self.ours.forget()
            gc.collect()
            pairs.append(
                _alternating(
                    segment,
                    lambda: self._timed(self.ours.hydrate),
                    lambda: self._timed(self._floor.hydrate),
                )
            )
        return self._report("hydrate", pairs, None)

    def commits(self, kind: Kind, *, count: int, size: int) -> Measurement:
        """Apply the next changes of the traffic, so many in each commit."""
        calls = self.ours.receiver.calls
        pairs = []
        gc.collect()
        for segment in self._segments:
            drawn = history(self._traffic, batches=count, size=size)
            pairs.append(
                _alternating(
                    segment,
                    partial(_timed_commits, self.ours, drawn),
                    partial(_timed_commits, self._floor, drawn),
                )
            )
        altered = (self.ours.receiver.calls - calls) / (count * len(pairs))
        return self._report(kind, pairs, altered)

    def _timed(self, build: Callable[[], object]) -> Timing:
        start = perf_counter_ns()
        build()
        microseconds = (perf_counter_ns() - start) / (1_000 * self._size)
        return Timing(p50=microseconds, p99=microseconds)

    def _report(
        self, kind: Kind, pairs: list[tuple[Timing, Timing]], altered: float | None
    ) -> Measurement:
        del pairs[0]
        ratios = [ours.p50 / floor.p50 for ours, floor in pairs]
        ours, floor = (_over_segments([pair[side] for pair in pairs]) for side in (0, 1))
        return Measurement(
            kind=kind,
            workload=self._workload.name,
            size=self._size,
            ours=ours,
            floor=floor,
            ratio=median(ratios),
            ratio_low=min(ratios),
            ratio_high=max(ratios),
            segments=len(pairs),
            altered=altered,
            checksum=agree(self._workload, self.ours, self._floor),
        )


def _alternating(
    segment: int, ours: Callable[[], Timing], floor: Callable[[], Timing]
) -> tuple[Timing, Timing]:
    """Time both sides; in odd segments the floor goes first."""
    if segment % 2:
        timing = floor()
        return ours(), timing
    timing = ours()
    return timing, floor()


def _timed_commits(side: Side, drawn: list[list[Write]]) -> Timing:
    batches = copy_of(drawn)
    commit, clock = side.commit, perf_counter_ns
    times = []
    for writes in batches:
        start = clock()
        commit(writes)
        times.append(clock() - start)
    times.sort()
    unit = 1_000 * len(batches[0])
    return Timing(p50=median(times) / unit, p99=times[ceil(0.99 * len(times)) - 1] / unit)


def _over_segments(timings: list[Timing]) -> Timing:
    return Timing(
        p50=median(timing.p50 for timing in timings), p99=median(timing.p99 for timing in timings)
    )
