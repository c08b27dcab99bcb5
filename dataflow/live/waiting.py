"""Waiting: how a live query hears that its sources are ready, without being kept alive by them."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from dataflow.query.optimizer.facts_to_columns import WithFacts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataflow.circuit.commit import Announcement
    from dataflow.collection.readable import Readable
    from dataflow.collection.readiness import Waiting
    from dataflow.query import ir


class Waiter:
    """A live query waiting for a source, held weakly."""

    __slots__ = ("_live",)

    def __init__(self, live_query: Waiting) -> None:
        self._live = weakref.ref(live_query)

    def source_ready(self) -> list[Announcement]:
        """Pass the word on, if the live query is still there."""
        live_query = self._live()
        return [] if live_query is None else live_query.source_ready()


def sources_of(scans: Iterable[ir.Scan]) -> list[Readable[Any]]:
    """Return the sources that scans read, each once: they compare by content, so by identity."""
    found: dict[int, Any] = {}
    for scan in scans:
        relation: Any = scan.source.relation
        source = relation.source if isinstance(relation, WithFacts) else relation
        found[id(source)] = source
    return list(found.values())


def stop_waiting(waiter: Waiter, sources: list[Readable[Any]]) -> None:
    """Take back that a live query waits for its sources."""
    for source in sources:
        source.stop_waiting(waiter)
