"""The peers that are views in Python, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.peers.by_hand import ByHand
from benchmarks.peers.duckdb_recompute import DuckDb
from benchmarks.peers.local import Local
from benchmarks.peers.ours import Ours
from benchmarks.peers.pathway_live import Pathway
from benchmarks.peers.polars_recompute import Polars
from benchmarks.peers.sqlite import Sqlite

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.peers.local import View
    from benchmarks.questions import Question

VIEWS: Final[dict[str, Callable[[Question], View]]] = {
    "ours": Ours,
    "floor": ByHand,
    "sqlite": lambda question: Sqlite(question.name, delivers=True),
    "sqlite-silent": lambda question: Sqlite(question.name, delivers=False),
    "duckdb": lambda question: DuckDb(question.name),
    "polars": lambda question: Polars(question.name),
    "pathway": lambda question: Pathway(question.name),
}


def local(name: str, question: Question) -> Local:
    """Return a peer in this process.

    Raises:
        Unavailable: if it cannot be run here.
    """
    return Local(VIEWS[name](question))
