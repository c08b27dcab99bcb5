"""Through: an index of a join by its right side alone, answered from the indexes that are there anyway.

Law         it finds what an arrangement of the join by the same expressions would hold, as of this epoch
State       none of its own: an arrangement of the join's right side by the expressions, and those of the join
Delta       moves, as of an index
Cost        O(delta); a look-up costs O(rows found)
Edges       the pairs found are made of the rows as they are now, so what nobody reads of them may be newer than in the join's deltas
Source      delta queries, as in McSherry et al., "Shared Arrangements", VLDB 2020: no intermediate result is kept

An arrangement of a join keeps two tuples for each pair, which is most of what a chain of joins costs to start and to keep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.arrangement import NO_ROWS, Bucket
from dataflow.query.compiler.index import Index

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.query.compiler.join import Join


class Through(Index):
    """Index of a join.

    Args:
        join: an inner join.
        right: the arrangement of its right side by the expressions.
        key_of: joined row -> the normal form of the expressions.
    """

    __slots__ = ()

    def __init__(self, join: Join, right: Index, key_of: Callable[[Any], Any]) -> None:
        super().__init__(join, key_of, right)
        self.label: str = "arrangement through a join"
        self.arrangement.buckets = _Pairs(join, right)

    def step(self) -> Any:
        delta, key_of = self.inputs[0].out, self.arrangement.key_of
        self.touched += len(delta)
        return [
            (
                key,
                old,
                new,
                None if old is None else key_of(old),
                None if new is None else key_of(new),
            )
            for key, old, new in delta
        ]

    def hydrate(self) -> None:
        """Do nothing: there is no state."""

    def state_rows(self) -> int:
        return 0


class _Pairs(dict[Any, Bucket]):
    """Value -> key -> pair, made when asked for."""

    __slots__ = ("_join", "_right")

    def __init__(self, join: Join, right: Index) -> None:
        super().__init__()
        self._join = join
        self._right = right

    def get(self, value: Any, default: Any = NO_ROWS) -> Any:
        """Return the pairs whose right row has a value."""
        pairs_of = self._join.pairs_of
        rows = self._right.arrangement.buckets.get(value, default)
        return {key: pair for right, row in rows.items() for key, pair in pairs_of(right, row)}
