"""Row facts: what a collection knows about its rows beside the rows themselves, as a relation of its own.

Law     one entry per visible row: (pending, origin, key)
          pending  an open transaction has changed the row
          origin   "local" if the row was changed here last: by an open transaction, or by a completed one that no synced row
                   followed; "remote" otherwise. In a local collection every row is local.
          key      under which the row is known
Cost    O(rows looked at) per epoch while a query mentions facts; nothing while none does
Edges   a row whose facts change and whose fields do not is no change of the collection: only queries that mention facts
        hear of it
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.circuit.node import SourceNode

if TYPE_CHECKING:
    from collections.abc import Mapping


class FactsNode(SourceNode):
    """The facts of the rows of one collection.

    Args:
        rows: key -> facts, as they are now.
        name: the collection, for plans.
    """

    __slots__ = ()

    def __init__(self, rows: dict[Any, Any], name: str) -> None:
        super().__init__(label=f"facts of {name}")
        self.rows: dict[Any, Any] = rows

    def take(self, facts: Mapping[Any, Any]) -> None:
        """Take over the facts of some rows, None for those that are not visible, and tell what changed."""
        rows = self.rows
        assert rows is not None
        self.out = []
        for key, new in facts.items():
            old = rows.get(key)
            if old == new:
                continue
            self.out.append((key, old, new))
            if new is None:
                del rows[key]
            else:
                rows[key] = new
        self.touched += len(facts)
