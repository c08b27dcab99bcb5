"""Through: an index of a join by its right side alone, answered from the indexes that are there anyway.

Law         it finds what an arrangement of the join by the same expressions would hold, as of this epoch
State       none of its own: an arrangement of the join's right side by the expressions, and those of the join
Delta       moves, as of an index, each made when it is asked for
Cost        O(delta); a look-up costs O(rows found)
Edges       the pairs found are made of the rows as they are now, so what nobody reads of them may be newer than in the join's deltas
Source      delta queries, as in McSherry et al., "Shared Arrangements", VLDB 2020: no intermediate result is kept

An arrangement of a join keeps two tuples for each pair, which is most of what a chain of joins costs to start and to keep. What
stands in for it is no node: it runs inside the join that reads it, and the join below runs inside of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from dataflow.arrangement import NO_ROWS, Arrangement, Bucket

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from dataflow.arrangement import Move
    from dataflow.circuit.node import Node, Pairs
    from dataflow.query.compiler.index import Index


class Below(Protocol):
    """An inner join that runs inside."""

    def changes(self, reader: Node) -> Iterable[tuple[Any, Any, Any]]:
        """Return this epoch's net delta."""
        ...

    def pairs_of(self, key: Any, row: Any) -> Pairs:
        """Yield the pairs of a right row, as of this epoch."""
        ...


class Through:
    """Index of a join.

    Args:
        join: the join.
        right: the arrangement of its right side by the expressions.
        key_of: joined row -> the normal form of the expressions.

    Attributes:
        identity: what tells it from others over the same join.
        inputs: the nodes it reads beside those of the join.
        arrangement: finds pairs.
        keys_of: right rows -> the indexed values.
    """

    __slots__ = ("_join", "arrangement", "identity", "inputs", "keys_of")

    def __init__(self, join: Below, right: Index, key_of: Callable[[Any], Any]) -> None:
        self._join = join
        self.inputs: tuple[Node, ...] = (right,)
        self.identity: Hashable = ("through", right)
        self.arrangement: Arrangement = Arrangement(key_of)
        self.arrangement.buckets = _Pairs(join, right)
        self.keys_of: Callable[[Sequence[Any]], list[Any]] = right.keys_of

    def moved(self, reader: Node) -> Iterator[Move]:
        """Yield the changes of the join, each with the indexed value before and after.

        Args:
            reader: the node that is charged with the rows touched.
        """
        key_of = self.arrangement.key_of
        for change in self._join.changes(reader):
            _, old, new = change
            before = None if old is None else key_of(old)
            if new is None:
                yield change, before, None
            elif old is not None and old[-1] is new[-1]:  # of which alone the value is made
                yield change, before, before
            else:
                yield change, before, key_of(new)


class _Pairs(dict[Any, Bucket]):
    """Value -> key -> pair, made when asked for."""

    __slots__ = ("_join", "_right")

    def __init__(self, join: Below, right: Index) -> None:
        super().__init__()
        self._join = join
        self._right = right

    def get(self, value: Any, default: Any = NO_ROWS) -> Any:
        """Return the pairs whose right row has a value."""
        pairs_of = self._join.pairs_of
        rows = self._right.arrangement.buckets.get(value, default)
        return {key: pair for right, row in rows.items() for key, pair in pairs_of(right, row)}
