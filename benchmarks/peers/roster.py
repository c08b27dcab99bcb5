"""Who takes part: every peer by name, and up to how many rows it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.peers.apart_peer import ApartPeer
from benchmarks.peers.node_process import NodePeer

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.peers.peer import Peer
    from benchmarks.questions import Question

OURS: Final = "ours"
FLOOR: Final = "floor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One peer.

    Attributes:
        about: in a few words.
        make: makes it for a question; raises Unavailable where it cannot be run.
        limit: rows above which it is not asked.
    """

    about: str
    make: Callable[[Question], Peer]
    limit: int


def _apart(name: str, *, about: str, limit: int) -> Entry:
    return Entry(about=about, make=lambda question: ApartPeer(name, question), limit=limit)


ROSTER: Final[dict[str, Entry]] = {
    OURS: _apart(OURS, about="live queries", limit=1_000_000),
    FLOOR: _apart(FLOOR, about="the same views by hand, with dicts and lists", limit=1_000_000),
    "sqlite": _apart("sqlite", about="tables kept by triggers", limit=1_000_000),
    "sqlite-silent": _apart(
        "sqlite-silent", about="the same, telling nobody what changed", limit=1_000_000
    ),
    "db-ivm": Entry(
        about="the dataflow below TanStack DB, on Node",
        make=lambda question: NodePeer("db_ivm.mjs", question.name),
        limit=100_000,
    ),
    "tanstack-db": Entry(
        about="TanStack DB, on Node",
        make=lambda question: NodePeer("tanstack_db.mjs", question.name),
        limit=100_000,
    ),
    "duckdb": _apart("duckdb", about="computes the answer anew", limit=100_000),
    "polars": _apart("polars", about="computes the answer anew", limit=100_000),
    "pathway": _apart("pathway", about="a dataflow in Rust, where it is installed", limit=100_000),
}
