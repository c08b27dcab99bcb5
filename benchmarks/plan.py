"""Plan: how much to measure, and what of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from benchmarks.measurement import WORKLOADS
from benchmarks.peers.peer import SECOND
from benchmarks.peers.roster import ROSTER

SEED: Final = 20_260_101
ENOUGH: Final = 5
"""Segments to take a median of."""
BULK: Final = 45
"""Allowances that loading or hydrating may take in all segments together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much to measure, and what of it.

    Attributes:
        sizes: rows, for questions that do not choose their own.
        segments: of commits, per peer; one more warms up. From 100,000 rows on, and of loading and hydrating, `ENOUGH`.
        commits: of the traffic in each segment, by the changes in each commit. Batches larger than the table are left out.
        allowance: nanoseconds that a peer may take for the commits of a segment; and `BULK` times as many to load or to hydrate in all
            segments together. Then it is let off.
        queries: names of those that are asked; all if empty.
        workloads: those that are run.
        peers: those that take part.
        samples: processes for what needs fresh ones.
        most: largest size for what chooses its own sizes.
    """

    sizes: tuple[int, ...] = (1_000, 10_000, 100_000)
    segments: int = 7
    commits: tuple[tuple[int, int], ...] = ((1, 1_000), (100, 20), (10_000, 1))
    allowance: int = SECOND * 2 // 5
    queries: tuple[str, ...] = ()
    workloads: tuple[str, ...] = tuple(WORKLOADS)
    peers: tuple[str, ...] = field(default_factory=lambda: tuple(ROSTER))
    samples: int = 9
    most: int = 20_000

    def segments_of(self, size: int) -> int:
        """Return how many segments of commits there are at a size."""
        return min(self.segments, ENOUGH) if size >= 100_000 else self.segments

    def asks(self, query: str) -> bool:
        """Tell whether a query is asked."""
        return not self.queries or query in self.queries


QUICK: Final = Plan(
    sizes=(10_000,),
    segments=5,
    commits=((1, 150), (100, 3)),
    allowance=SECOND // 50,
    samples=5,
    most=1_000,
)
FULL: Final = Plan()
HUGE: Final = Plan(sizes=(1_000, 10_000, 100_000, 1_000_000))
