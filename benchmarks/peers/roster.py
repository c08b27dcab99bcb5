"""Who takes part: every peer by name, and up to how many rows it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.peers.by_hand import ByHand
from benchmarks.peers.duckdb_recompute import DuckDb
from benchmarks.peers.local import Local
from benchmarks.peers.node_process import NodePeer
from benchmarks.peers.ours import Ours
from benchmarks.peers.polars_recompute import Polars
from benchmarks.peers.sqlite import Sqlite

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


ROSTER: Final[dict[str, Entry]] = {
    OURS: Entry(about="live queries", make=lambda q: Local(Ours(q)), limit=1_000_000),
    FLOOR: Entry(
        about="the same views by hand, with dicts and lists",
        make=lambda q: Local(ByHand(q)),
        limit=1_000_000,
    ),
    "sqlite": Entry(
        about="tables kept by triggers", make=lambda q: Local(Sqlite(q.name)), limit=1_000_000
    ),
    "db-ivm": Entry(
        about="the dataflow below TanStack DB, on Node",
        make=lambda q: NodePeer("db_ivm.mjs", q.name),
        limit=100_000,
    ),
    "tanstack-db": Entry(
        about="TanStack DB, on Node",
        make=lambda q: NodePeer("tanstack_db.mjs", q.name),
        limit=100_000,
    ),
    "duckdb": Entry(
        about="computes the answer anew", make=lambda q: Local(DuckDb(q.name)), limit=100_000
    ),
    "polars": Entry(
        about="computes the answer anew", make=lambda q: Local(Polars(q.name)), limit=100_000
    ),
}
