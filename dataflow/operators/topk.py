"""Incremental topk: a window of each group in a total order.

Law        integrate(topk(d)) == per key, positions offset ... offset + k of the group's rows in order, a row of weight w
           standing w times in a row, after every epoch
Delta rule per changed key: window now - window before
State      per key the rows of the group, sorted, and the window;  O(rows)
Cost       O(log group + offset + k) per changed row's key, and O(log group) per further row of that key
Edges      ties by the rows' own total order, ascending; nulls are one key, and come first in the order either way; rows of
           negative weight are in no window, and are remembered; a window may cut a row's weight
Source     ORDER BY, LIMIT and OFFSET per PARTITION of SQL, over Z-sets

Rows that the total order cannot tell apart (objects that declare no fields) stand in the order of their arrival.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import merge
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dataflow.aggregation.blocks import SortedBlocks
from dataflow.errors import InvariantError
from dataflow.operators.arrangement import by_key
from dataflow.operators.operator import EMPTY, Operator
from dataflow.values.normal import normal
from dataflow.values.order import Direction, SortKey, column_key, row_sort_key
from dataflow.zset import ZSet

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

R = TypeVar("R")


@dataclass(slots=True, eq=False)
class Placed(Generic[R]):
    """A row at its place in the order: (its sort key, the row's own, number of arrival)."""

    place: SortKey
    row: R
    weight: int


class Ranking(Generic[R]):
    """The rows of one group in order, found by row and by place.

    Attributes:
        members: normal form of the row -> the row placed.
        order: the same by place.
        window: the rows that were in the window after the last epoch.
    """

    __slots__ = ("members", "order", "window")

    def __init__(self) -> None:
        self.members: dict[Hashable, Placed[R]] = {}
        self.order: SortedBlocks[SortKey, Placed[R]] = SortedBlocks()
        self.window: ZSet[R] = EMPTY


class Revision(Generic[R]):
    """What an epoch changes in one group: new weights of rows that were there, rows that come, and the window."""

    __slots__ = ("fresh", "weights", "window")

    def __init__(self) -> None:
        self.weights: dict[Hashable, int] = {}
        self.fresh: dict[Hashable, Placed[R]] = {}
        self.window: ZSet[R] = EMPTY


class TopK(Operator[R]):
    """Keeps a window of every group.

    Args:
        source: the rows.
        k: size of the window in rows.
        offset: rows before it.
        key: row -> key of its group.
        order: row -> the value to sort by.
        descending: whether the greatest value comes first.
    """

    __slots__ = (
        "_arrivals",
        "_key",
        "_order",
        "_pending",
        "_place",
        "_rankings",
        "_start",
        "_stop",
    )

    def __init__(
        self,
        source: Operator[R],
        k: int,
        *,
        offset: int,
        key: Callable[[R], object],
        order: Callable[[R], object],
        descending: bool,
    ) -> None:
        super().__init__((source,), label="topk")
        self._start, self._stop = offset, offset + k
        self._key = key
        self._order = order
        self._place = column_key(Direction(descending=descending))
        self._arrivals = 0
        self._rankings: dict[Hashable, Ranking[R]] = {}
        self._pending: dict[Hashable, Revision[R]] = {}

    def step(self) -> ZSet[R]:
        """Return the change of the windows of the groups that changed."""
        delta: ZSet[Any] = self.inputs[0].delta
        changed: ZSet[R] = ZSet()
        pending: dict[Hashable, Revision[R]] = {}
        self.touched += len(delta)
        for key, weighted in by_key(delta, self._key).items():
            ranking: Ranking[R] = self._rankings.get(key) or Ranking()
            pending[key] = revision = self._revise(ranking, weighted)
            revision.window = self._window(ranking, revision)
            for row, weight in (revision.window - ranking.window).items():
                changed.add(row, weight)
        self._pending = pending
        return changed

    def _revise(self, ranking: Ranking[R], weighted: list[tuple[R, int]]) -> Revision[R]:
        revision: Revision[R] = Revision()
        for row, weight in weighted:
            form = normal(row)
            placed = ranking.members.get(form)
            if placed is not None:
                revision.weights[form] = placed.weight + weight
            else:
                self._arrivals += 1
                place = (self._place(self._order(row)), row_sort_key(row), self._arrivals)
                revision.fresh[form] = Placed(place, row, weight)
        return revision

    def _window(self, ranking: Ranking[R], revision: Revision[R]) -> ZSet[R]:
        window: ZSet[R] = ZSet()
        position = 0
        for row, weight in self._revised(ranking, revision):
            self.touched += 1
            if weight > 0:
                end = position + weight
                window.add(row, max(0, min(end, self._stop) - max(position, self._start)))
                position = end
            if position >= self._stop:
                break
        return window

    def _revised(self, ranking: Ranking[R], revision: Revision[R]) -> Iterator[tuple[R, int]]:
        """Iterate over a group with its changes in order, reading no further than asked."""
        changed = {id(ranking.members[form]): weight for form, weight in revision.weights.items()}
        fresh = sorted(revision.fresh.values(), key=_place_of)
        for placed in merge(ranking.order, fresh, key=_place_of):
            yield placed.row, changed.get(id(placed), placed.weight)

    def commit(self) -> None:
        """Take over the changed groups and their windows."""
        for key, revision in self._pending.items():
            ranking = self._rankings.setdefault(key, Ranking())
            ranking.window = revision.window
            for form, weight in revision.weights.items():
                placed = ranking.members[form]
                placed.weight = weight
                if not weight:
                    ranking.order.discard(placed.place)
                    del ranking.members[form]
            for form, placed in revision.fresh.items():
                ranking.order.put(placed.place, placed)
                ranking.members[form] = placed
            if not ranking.members:
                del self._rankings[key]

    def rows_held(self) -> int:
        """Count the rows of the groups; those of the windows are among them."""
        return sum(len(ranking.members) for ranking in self._rankings.values())

    def _check(self) -> None:
        for key, ranking in self._rankings.items():
            ranking.order._check()  # noqa: SLF001 - a check asks its parts
            placed = list(ranking.order)
            members = list(ranking.members.values())
            if not members or {id(each) for each in placed} != {id(each) for each in members}:
                raise InvariantError(f"group {key!r} disagrees with its order", operator=self.name)
            if any(each.weight == 0 for each in placed):
                raise InvariantError(f"group {key!r} holds a weight of zero", operator=self.name)
            if self._window(ranking, Revision()) != ranking.window:
                raise InvariantError(f"the window of group {key!r} is stale", operator=self.name)


def _place_of(placed: Placed[Any]) -> SortKey:
    return placed.place
