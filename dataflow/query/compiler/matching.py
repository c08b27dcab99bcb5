"""Matching: which rows of one side of a join have a match, whatever the condition of the match is.

An inner join, filtered by any further condition, yields the pairs that match. Counting the pairs of each row tells which rows have none.
That completes every outer join, and answers semi and anti joins whose condition is more than an equality.

Law         counts[key] == number of pairs of the row known as `key`; rows without pair are not in it
Delta rule  counts follow the pairs that come and go; a row is looked at when its count or the row itself changed
State       one count per matched row; the rows are the side's own. O(matched rows)
Cost        O(delta of the pairs + delta of the side)
Edges       decided once per epoch, when both deltas are final, so a row whose only match is exchanged never shows as unmatched
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from dataflow.circuit.node import Delta, Node, Pairs
from dataflow.query.compiler.reads import changed
from dataflow.values.null import ABSENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dataflow.query.compiler.reads import Unchanged


class Side:
    """One side of a join: its rows, and how many pairs each is in.

    Args:
        node: the side's node, which keeps its rows.
        part: key of a pair -> key of this side's row in it.
        same: tells that an update of a row concerns nothing that is read; None if all is read.
    """

    __slots__ = ("_part", "_same", "counts", "node")

    def __init__(self, node: Node, part: Callable[[Any], Any], same: Unchanged | None) -> None:
        self.node = node
        self._part = part
        self._same = same
        self.counts: dict[Any, int] = {}

    @property
    def rows(self) -> dict[Any, Any]:
        """The side's rows, as of the current epoch."""
        rows = self.node.rows
        assert rows is not None
        return rows

    def load(self, pairs: Pairs) -> None:
        """Count all pairs anew. O(pairs)."""
        counts: dict[Any, int] = {}
        part = self._part
        for key, _ in pairs:
            mine = part(key)
            counts[mine] = counts.get(mine, 0) + 1
        self.counts = counts

    def follow(self, pairs: Delta) -> Iterator[tuple[Any, Any, Any, bool, bool]]:
        """Take in an epoch; yield (key, old row, new row, had a match, has a match) of each row that may be affected."""
        own = self.node.out if self._same is None else changed(self.node.out, self._same)
        before = self._count(pairs)
        updated = {key: (old, new) for key, old, new in own}
        counts, rows = self.counts, self.rows
        for key in before | updated:
            old, new = updated[key] if key in updated else (rows[key], rows[key])
            has = key in counts
            yield key, old, new, before[key] > 0 if key in before else has, has

    def _count(self, pairs: Delta) -> dict[Any, int]:
        """Follow the pairs that came and went; return the counts before, of the rows whose count was touched."""
        counts, part = self.counts, self._part
        before: dict[Any, Any] = {}
        for key, old, new in pairs:
            if old is not None and new is not None:
                continue
            mine = part(key)
            count = counts.get(mine, 0)
            before.setdefault(mine, count)
            count += 1 if old is None else -1
            if count:
                counts[mine] = count
            else:
                del counts[mine]
        return before


class Outer(Node):
    """The pairs of a join, and the unmatched rows of the sides that are kept; see the module.

    Args:
        pairs: the pairs that match.
        left, right: the sides.
        same: for each side what tells that an update concerns nothing that is read; None if all is read.
        width: number of aliases on the left; their rows and keys are tuples if there are several.
        keep_left, keep_right: whose unmatched rows to keep.
    """

    __slots__ = ("_left", "_right", "_width")

    def __init__(
        self,
        pairs: Node,
        left: Node,
        right: Node,
        width: int,
        *,
        keep_left: bool,
        keep_right: bool,
        same: tuple[Unchanged | None, Unchanged | None] = (None, None),
    ) -> None:
        label = (
            "full join" if keep_left and keep_right else "left join" if keep_left else "right join"
        )
        super().__init__((pairs, left, right), label=f"{label}: unmatched rows")
        self._width = width
        self._left = Side(left, left_part(width), same[0]) if keep_left else None
        self._right = Side(right, right_part, same[1]) if keep_right else None

    def step(self) -> Delta:
        pairs = self.inputs[0].out
        changes: Delta = list(pairs)
        for side, complete in self._sides():
            for key, old, new, had, has in side.follow(pairs):
                before = None if old is None or had else complete(old)
                after = None if new is None or has else complete(new)
                if (before is not None or after is not None) and not (old is new and had == has):
                    changes.append((complete(key, ABSENT), before, after))
        self.touched += len(changes)
        return changes

    def scan(self) -> Pairs:
        yield from self.inputs[0].scan()
        for side, complete in self._sides():
            for key, row in side.rows.items():
                if key not in side.counts:
                    yield complete(key, ABSENT), complete(row)

    def hydrate(self) -> None:
        for side, _ in self._sides():
            side.load(self.inputs[0].scan())

    def state_rows(self) -> int:
        return sum(len(side.counts) for side, _ in self._sides())

    def _sides(self) -> list[tuple[Side, Callable[..., tuple[Any, ...]]]]:
        """Return the kept sides, each with what completes its rows, and its keys, to the width of a pair."""
        sides: list[tuple[Side, Callable[..., tuple[Any, ...]]]] = []
        if self._left is not None:
            sides.append((self._left, self._with_no_right))
        if self._right is not None:
            sides.append((self._right, self._with_no_left))
        return sides

    def _with_no_right(self, left: Any, nothing: Any = None) -> tuple[Any, ...]:
        return (left, nothing) if self._width == 1 else (*left, nothing)

    def _with_no_left(self, right: Any, nothing: Any = None) -> tuple[Any, ...]:
        return (*(nothing,) * self._width, right)


class Matched(Node):
    """The left rows that have a match (semi join), or none (anti join).

    Args:
        pairs: the pairs that match.
        left: the left side.
        width: number of aliases on the left.
        wanted: whether rows with a match are wanted, or those without.
        same: tells that an update of a left row concerns nothing that is read; None if all is read.
    """

    __slots__ = ("_side", "_wanted")

    def __init__(
        self, pairs: Node, left: Node, width: int, *, wanted: bool, same: Unchanged | None = None
    ) -> None:
        super().__init__((pairs, left), label="semi join" if wanted else "anti join")
        self._side = Side(left, left_part(width), same)
        self._wanted = wanted

    def step(self) -> Delta:
        changes: Delta = []
        wanted = self._wanted
        for key, old, new, had, has in self._side.follow(self.inputs[0].out):
            before = old if had is wanted else None
            after = new if has is wanted else None
            if before is not after:
                changes.append((key, before, after))
        self.touched += len(changes)
        return changes

    def scan(self) -> Pairs:
        side, wanted = self._side, self._wanted
        return ((key, row) for key, row in side.rows.items() if (key in side.counts) is wanted)

    def hydrate(self) -> None:
        self._side.load(self.inputs[0].scan())

    def state_rows(self) -> int:
        return len(self._side.counts)


@cache  # so that plans which use it are recognized as equal
def left_part(width: int) -> Callable[[Any], Any]:
    """Return key of a pair -> key of its left row."""
    return (lambda key: key[0]) if width == 1 else (lambda key: key[:width])


def right_part(key: Any) -> Any:
    """Return the key of the right row of a pair."""
    return key[-1]
