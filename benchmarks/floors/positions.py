"""All orders, the highest scores first, and where each of them stands, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from sortedcontainers import SortedList

from benchmarks.floors.floor import Step, Subscriber, by_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write

Place: TypeAlias = tuple[int, int]  # score, negative; id


class PositionsFloor:
    """State: the orders, and their places in order.

    What is told leads from the list before to the list now, step by step, one changed order after the other.
    """

    def __init__(self, tables: Tables, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self._orders = by_id(tables["orders"])
        self._places: SortedList[Place] = SortedList()

    def hydrate(self) -> None:
        self._places = SortedList((-row["score"], key) for key, row in self._orders.items())

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

    def result(self) -> dict[Any, Row]:
        return {key: self._orders[key] for _, key in self._places}
