"""Measurement: what one peer was found to do in one metric; a line of the JSON."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

WORKLOADS: Final = {
    "W1": "hydrate: fill tables, start a query on full tables",
    "W2": "change: single changes, batches of 100 and of 10,000",
    "W3": "chat: one more chunk to a text of N chunks, and all views of a session",
    "W4": "fan: N live queries on one source",
    "W5": "memory: bytes per row",
    "W6": "wire: JSON bytes of events into three views",
    "W7": "start: creating a query, importing the package",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One peer, workload, query, size and metric.

    Attributes:
        workload: "W1" to "W7".
        query: the name of the question, or what stands in its place.
        size: N; rows unless the workload says otherwise.
        metric: what was measured, such as "change".
        unit: of the figures, such as "us per change".
        peer: who.
        p50: the median over segments of each segment's median.
        p99: the median over segments of each segment's p99; None where a segment has too few values for one.
        low: smallest of the segments' medians.
        high: largest of them.
        segments: how many there were.
        against: what the ratio compares with: the floor for ours, ours for everybody else; None without a ratio.
        ratio: this peer's figure / the other's within a segment, the median over segments.
        ratio_low: smallest of these.
        ratio_high: largest of these.
        altered: share of the commits that altered the answer, as our subscriber heard.
        checksum: of the answer in the end, equal for all peers; of nothing where there is no answer.
    """

    workload: str
    query: str
    size: int
    metric: str
    unit: str
    peer: str
    p50: float
    p99: float | None = None
    low: float
    high: float
    segments: int
    against: str | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    altered: float | None = None
    checksum: int | None = None


def p99(values: Sequence[float]) -> float | None:
    """Return the 99th percentile, or None of fewer than a hundred values."""
    if len(values) < 100:
        return None
    return sorted(values)[ceil(0.99 * len(values)) - 1]


def summarized(
    segments: Sequence[Sequence[float]],
    *,
    workload: str,
    query: str,
    size: int,
    metric: str,
    unit: str,
    peer: str,
    against: str | None = None,
    others: Sequence[Sequence[float]] = (),
    altered: float | None = None,
    checksum: int | None = None,
) -> Measurement:
    """Return the figures of one peer.

    Args:
        segments: the values of each segment.
        workload, query, size, metric, unit, peer, altered, checksum: as they go into the measurement.
        against: who the others are.
        others: the values of whom the peer is compared with, segment for segment; the first ones are used.
    """
    medians = [median(values) for values in segments]
    tails = [tail for values in segments if (tail := p99(values)) is not None]
    ratios = [mine / median(theirs) for mine, theirs in zip(medians, others, strict=False)]
    return Measurement(
        workload=workload,
        query=query,
        size=size,
        metric=metric,
        unit=unit,
        peer=peer,
        p50=median(medians),
        p99=median(tails) if tails else None,
        low=min(medians),
        high=max(medians),
        segments=len(medians),
        against=against if ratios else None,
        ratio=median(ratios) if ratios else None,
        ratio_low=min(ratios, default=None),
        ratio_high=max(ratios, default=None),
        altered=altered,
        checksum=checksum,
    )
