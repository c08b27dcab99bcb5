"""Bars: what the engine is held to, each with what was measured and whether that is enough.

Everything is taken from measurements; a bar of which nothing was measured says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from benchmarks.peers.roster import OURS
from benchmarks.tables import figure, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.measurement import Measurement

Values: TypeAlias = dict[str, float]
"""What a bar looks at, each under a name."""

FEW: Final = 1_000
LARGE: Final = 100_000
HUGE: Final = 1_000_000

SPREAD: Final = {
    "filter": 15,
    "distinct": 15,
    "join": 40,
    "leftjoin": 500,
    "group100": 150,
    "groupfk": 15,
    "top100": 10,
    "threeway": 10,
}
"""How many times as long TanStack DB has to take for a change, by query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One thing the engine is held to.

    Attributes:
        text: in words.
        limit: what no value may exceed, or fall below.
        is_least: whether it is the latter.
        values: finds what was measured.
    """

    text: str
    limit: float
    is_least: bool = False
    values: Callable[[Figures], Values]

    def excess(self, value: float) -> float:
        """Return by which share a value is on the wrong side; negative or zero if it is not."""
        return (self.limit / value if self.is_least else value / self.limit) - 1

    def line(self, figures: Figures) -> Sequence[str]:
        """Return the bar as a line of a table."""
        values = self.values(figures)
        limit = f"{'≥' if self.is_least else '≤'} {self.limit:,}"
        if not values:
            return self.text, limit, "", "not measured"
        worst = max(values, key=lambda name: self.excess(values[name]))
        missed = {name: by for name in values if (by := self.excess(values[name])) > 0}
        measured = f"{figure(values[worst])} ({worst})"
        if not missed:
            return self.text, limit, measured, "met"
        named = ", ".join(
            f"{name} by {by:.0%}" for name, by in sorted(missed.items(), key=lambda item: -item[1])
        )
        return self.text, limit, measured, f"missed: {named}"


class Figures:
    """Measurements, to be asked for."""

    def __init__(self, measured: Iterable[Measurement]) -> None:
        self._measured = list(measured)

    def values(
        self,
        metric: str,
        of: Literal["ratio", "p50", "p99"],
        *,
        workload: str,
        peer: str = OURS,
        size: int | None = None,
        queries: Iterable[str] = (),
    ) -> Values:
        """Return a figure of each query, or of each query and size where no size is given."""
        asked = frozenset(queries)
        found: Values = {}
        for each in self._measured:
            value = getattr(each, of)
            if (
                (each.workload, each.metric, each.peer) == (workload, metric, peer)
                and size in (None, each.size)
                and (not asked or each.query in asked)
                and value is not None
            ):
                name = each.query if size is not None else f"{each.query} {each.size:,}"
                found[name] = value
        return found

    def growth(
        self,
        metric: str,
        of: Literal["ratio", "p50"],
        *,
        workload: str,
        start: int,
        end: int,
        queries: Iterable[str] = (),
    ) -> Values:
        """Return how many times the figure of each query at one size is that at another."""
        before = self.values(metric, of, workload=workload, size=start, queries=queries)
        after = self.values(metric, of, workload=workload, size=end, queries=queries)
        return {name: after[name] / before[name] for name in after if name in before}


def bars_of(measured: Iterable[Measurement]) -> str:
    """Return a table of the bars."""
    figures = Figures(measured)
    header = ("what", "limit", "measured, the worst", "result")
    return table(header, [bar.line(figures) for bar in BARS])


def _by_hand(metric: str) -> Bar:
    return Bar(
        text=f"W2 {metric}, as a multiple of the floor, N = {LARGE:,}",
        limit=2.5,
        values=lambda found: found.values(metric, "ratio", workload="W2", size=LARGE),
    )


def _rival(peer: str, text: str, queries: Iterable[str] = ()) -> Bar:
    return Bar(
        text=f"W2 change of {text}, as a multiple of ours, N = {LARGE:,}",
        limit=1.0,
        is_least=True,
        values=lambda found: found.values(
            "change", "ratio", workload="W2", peer=peer, size=LARGE, queries=queries
        ),
    )


def _started(size: int) -> Bar:
    return Bar(
        text=f"W1 start, as a multiple of the floor, N = {size:,}",
        limit=2.0,
        values=lambda found: found.values("hydrate", "ratio", workload="W1", size=size),
    )


def _fan(kind: str, size: int) -> Bar:
    return Bar(
        text=f"W4 change below {size:,} {kind} queries that hits one, as a multiple of that below 1",
        limit=5.0,
        values=lambda found: found.growth(
            "change below N queries", "p50", workload="W4", start=1, end=size, queries=[kind]
        ),
    )


def _spread(query: str, limit: float) -> Bar:
    return Bar(
        text=f"W2 change of TanStack DB, as a multiple of ours, N = {LARGE:,}: {query}",
        limit=limit,
        is_least=True,
        values=lambda found: found.values(
            "change", "ratio", workload="W2", peer="tanstack-db", size=LARGE, queries=[query]
        ),
    )


NOT_FILTER: Final = (*SPREAD.keys() - {"filter"}, "groupfloat", "sorted")

BARS: Final = (
    *map(_by_hand, ("change", "batch 100", "batch 10,000")),
    _rival("sqlite", "SQLite triggers"),
    _rival("sqlite-silent", "SQLite triggers that tell nobody"),
    _rival("db-ivm", "db-ivm, without filter", NOT_FILTER),
    *(_spread(query, limit) for query, limit in SPREAD.items()),
    Bar(
        text=f"W2 change, us from commit to subscriber, p99, N = {LARGE:,}",
        limit=1_000,
        values=lambda found: found.values("change", "p99", workload="W2", size=LARGE),
    ),
    Bar(
        text=f"W2 change: multiple of the floor at N = {HUGE:,}, as a multiple of that at {FEW:,}",
        limit=1.3,
        values=lambda found: found.growth("change", "ratio", workload="W2", start=FEW, end=HUGE),
    ),
    Bar(
        text=f"W1 start of TanStack DB, as a multiple of ours, N = {LARGE:,}",
        limit=10,
        is_least=True,
        values=lambda found: found.values(
            "hydrate", "ratio", workload="W1", peer="tanstack-db", size=LARGE
        ),
    ),
    *map(_started, (10_000, LARGE, HUGE)),
    Bar(
        text="W3 chunk, as a multiple of the floor at the same K",
        limit=2.5,
        values=lambda found: found.values("change", "ratio", workload="W3"),
    ),
    Bar(
        text=f"W3 chunk of TanStack DB, as a multiple of ours, K = {FEW:,}",
        limit=100,
        is_least=True,
        values=lambda found: found.values(
            "change", "ratio", workload="W3", peer="tanstack-db", size=FEW
        ),
    ),
    Bar(
        text="W3 chunk with all views after 100 messages, as a multiple of that without them",
        limit=2.0,
        values=lambda found: found.values(
            "one more chunk, after 100 messages", "ratio", workload="W3"
        ),
    ),
    _fan("equality", FEW),
    _fan("range", 10_000),
    Bar(
        text=f"W5 bytes per source row, N = {LARGE:,}",
        limit=150,
        values=lambda found: found.values("source", "p50", workload="W5", size=LARGE),
    ),
    Bar(
        text=f"W5 bytes per joined row, N = {LARGE:,}",
        limit=300,
        values=lambda found: found.values(
            "answer", "p50", workload="W5", size=LARGE, queries=["join"]
        ),
    ),
    Bar(
        text="W6 events per second from bytes to three views",
        limit=150_000,
        is_least=True,
        values=lambda found: found.values("from bytes to views", "p50", workload="W6"),
    ),
    Bar(
        text="W7 us to create a later query of a known shape",
        limit=50,
        values=lambda found: found.values(
            "later query of a known shape", "p50", workload="W7", size=0
        ),
    ),
    Bar(
        text="W7 ms for `import dataflow`",
        limit=100,
        values=lambda found: found.values(
            "import", "p50", workload="W7", size=0, queries=["import dataflow"]
        ),
    ),
)
"""What the engine is held to; where a query is not named, all of them."""
