"""Index: a shared arrangement kept up to date inside the graph.

Law         the arrangement equals one built from the input's rows, after every epoch
State       one Arrangement, value -> {row key: row}
Delta       moves: each change with the indexed value before and after, computed once for all joins that read the index
Cost        O(delta); an update that keeps the indexed value replaces one reference
Edges       runs before every join that reads it (a lower rank), so a join sees the new state and asks `past` for the old one
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.arrangement import Arrangement, Moves, Past
from dataflow.circuit.node import Node, Pairs

if TYPE_CHECKING:
    from collections.abc import Callable


class Index(Node):
    """Arrangement of a relation by key expressions; joins read it and its moves."""

    __slots__ = ("arrangement",)

    def __init__(self, upstream: Node, key_of: Callable[[Any], Any], *others: Node) -> None:
        super().__init__((upstream, *others), label="arrangement")
        self.arrangement: Arrangement = Arrangement(key_of)

    def step(self) -> Any:
        delta = self.inputs[0].out
        self.touched += len(delta)
        return self.arrangement.apply(delta)

    @property
    def moves(self) -> Moves:
        """What this epoch moved: the index's own delta."""
        return self.out  # type: ignore[return-value]  # an index emits moves

    def moved(self, reader: Node) -> Moves:
        """Return what this epoch moved, and count it as touched by a reader."""
        reader.touched += len(self.out)
        return self.moves

    def past(self) -> Past:
        """Return the index as it was before this epoch."""
        return self.arrangement.before(self.moves)

    def scan(self) -> Pairs:
        return self.inputs[0].scan()

    def hydrate(self) -> None:
        self.arrangement.load(self.inputs[0].scan())

    def state_rows(self) -> int:
        return self.arrangement.rows()
