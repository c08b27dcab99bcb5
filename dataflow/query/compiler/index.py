"""Index: a shared arrangement kept up to date inside the graph.

Law         the arrangement equals one built from the input's rows, after every epoch
State       one Arrangement, value -> {row key: row}
Delta       its input's; beside it, for all joins that read the index, the indexed value before and after each change
Cost        O(delta); an update that keeps the indexed value replaces one reference
Edges       runs before every join that reads it (a lower rank), so a join sees the new state and asks `past` for the old one
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.arrangement import Arrangement, Past
from dataflow.circuit.node import Delta, Node, Pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dataflow.arrangement import Move, Values
    from dataflow.query.compiler.keys import JoinKey


class Index(Node):
    """Arrangement of a relation by key expressions; joins read it and its moves.

    Attributes:
        arrangement: the rows by their keys.
        keys_of: rows -> their keys.
    """

    __slots__ = ("_values", "arrangement", "keys_of")

    def __init__(self, upstream: Node, key: JoinKey, *others: Node) -> None:
        super().__init__((upstream, *others), label="arrangement")
        self.arrangement: Arrangement = Arrangement(key.of)
        self.keys_of: Callable[[Sequence[Any]], list[Any]] = key.of_all
        self._values: Values = [], []

    def step(self) -> Delta:
        delta = self.inputs[0].out
        self.touched += len(delta)
        self._values = self.arrangement.apply(delta)
        return delta

    @property
    def moves(self) -> Iterable[Move]:
        """What this epoch moved: each change with the indexed value before and after."""
        return zip(self.out, *self._values)  # noqa: B905 - the values of an earlier epoch may be longer

    def moved(self, reader: Node) -> Iterable[Move]:
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
