"""Incremental semi and anti join by equality.

Law         rows == the left rows for whose join key the right side has a row (semi), or has none (anti), after every epoch
Delta rule  a changed left row is asked of the right index as it was and as it is; a right bucket that became empty, or is so no more,
            decides over all left rows of its key
State       none of its own: an arrangement of each side
Cost        O(1) per changed left row; O(left rows of the key) per right bucket that comes or goes, nothing for other right changes
Edges       null keys never match: such rows are dropped by semi and kept by anti; the left row passes through as it is
Source      Yannakakis, VLDB 1981 (semijoins); decided on emptiness, not on multiplicity
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.arrangement import NO_ROWS
from dataflow.circuit.node import Delta, Node, Pairs

if TYPE_CHECKING:
    from dataflow.query.compiler.index import Index
    from dataflow.query.compiler.reads import Unchanged


class SemiJoin(Node):
    """Left rows by whether their join key exists on the right.

    Args:
        left: the left side, indexed by `left_index`.
        wanted: whether rows with a match are wanted (semi), or those without (anti).
        same: tells that an update of a left row concerns nothing that is read; None if all is read.
    """

    __slots__ = ("_left_index", "_right_index", "_same", "_wanted")

    def __init__(
        self,
        left: Node,
        left_index: Index,
        right_index: Index,
        *,
        wanted: bool,
        same: Unchanged | None = None,
    ) -> None:
        super().__init__(
            (left, left_index, right_index), label="semi join" if wanted else "anti join"
        )
        self._left_index = left_index
        self._right_index = right_index
        self._wanted = wanted
        self._same = same

    def step(self) -> Delta:
        wanted, right, same = self._wanted, self._right_index.arrangement.buckets, self._same
        past = self._right_index.past()
        changes: Delta = []
        moved = set()
        for (key, old, new), before, after in self._left_index.moves:
            moved.add(key)
            was = old if old is not None and (past.count(before) > 0) is wanted else None
            now = new if new is not None and (after in right) is wanted else None
            if was is now or (was is not None and now is not None and same and same(was, now)):
                continue
            changes.append((key, was, now))
        for value in past.changed:
            had, has = past.count(value) > 0, value in right
            if had != has:
                for key, row in self._left_index.arrangement.buckets.get(value, NO_ROWS).items():
                    if key not in moved:
                        changes.append((key, None, row) if has is wanted else (key, row, None))
        self.touched += len(changes) + len(moved)
        return changes

    def scan(self) -> Pairs:
        right, wanted = self._right_index.arrangement.buckets, self._wanted
        key_of = self._left_index.arrangement.key_of
        return (
            (key, row) for key, row in self.inputs[0].scan() if (key_of(row) in right) is wanted
        )

    def hydrate(self) -> None:
        """Do nothing: the state is in the arrangements."""
