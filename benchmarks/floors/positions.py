"""All orders, the highest scores first, and where each of them stands, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.floors.sorting import SortedFloor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.floors.floor import Step
    from benchmarks.traffic import Row, Write


class PositionsFloor(SortedFloor):
    """State: that of the sorted orders.

    What is told leads from the list before to the list now, step by step, one changed order after the other.
    """

    def commit(self, writes: Sequence[Write]) -> None:
        orders = self._orders
        before: dict[Any, Row | None] = {}
        for _, _, key, new in writes:
            old = orders.get(key)
            if old == new:
                continue
            before.setdefault(key, old)
            if new is None:
                del orders[key]
            else:
                orders[key] = new
        steps: list[Step] = []
        for key, old in before.items():
            new = orders.get(key)
            if old != new:
                self._follow(key, old, new, steps)
        if steps:
            self._subscriber(steps)

    def _follow(self, key: Any, old: Row | None, new: Row | None, steps: list[Step]) -> None:
        places = self._places
        if new is None:
            assert old is not None
            place = (-old["score"], key)
            steps.append(("remove", places.bisect_left(place)))
            places.remove(place)
        elif old is None:
            place = (-new["score"], key)
            steps.append(("insert", places.bisect_left(place), key, new))
            places.add(place)
        else:
            index = places.bisect_left((-old["score"], key))
            if old["score"] != new["score"]:
                place = (-new["score"], key)
                del places[index]
                to = places.bisect_left(place)
                places.add(place)
                if to != index:
                    steps.append(("move", index, to, key))
                index = to
            steps.append(("replace", index, new))
