"""Plan: how much to measure, and what of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from benchmarks.measurement import WORKLOADS
from benchmarks.peers.peer import SECOND
from benchmarks.peers.roster import ROSTER

SEED: Final = 20_260_101


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much to measure, and what of it.

    Attributes:
        sizes: rows, for questions that do not choose their own.
        segments: per peer; one more warms up.
        commits: of the traffic in each segment, by the changes in each commit. Batches larger than the table are left out.
        allowance: nanoseconds that a peer may take for the commits of a segment, and ten times as many to load or to hydrate in
            all segments together; then it is let off.
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
