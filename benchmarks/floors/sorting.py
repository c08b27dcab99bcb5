"""All orders, the highest scores first, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from sortedcontainers import SortedList

from benchmarks.floors.floor import Subscriber, by_id, net_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write

Place: TypeAlias = tuple[int, int]  # score, negative; id


class SortedFloor:
    """State: the orders, and their places in order.

    The order is a `SortedList`: a plain list moves half of its entries at every change, and loses from 10,000 on.
    It is kept at every change. The engine waits for a reader, and what that one then has to do is not in the figures of changes;
    the question `positions` is about who has to know the order at every change.
    """

    def __init__(self, tables: Tables, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self._orders = by_id(tables["orders"])
        self._places: SortedList[Place] = SortedList()

    def hydrate(self) -> None:
        self._places = SortedList((-row["score"], key) for key, row in self._orders.items())

    def commit(self, writes: Sequence[Write]) -> None:
        orders, places = self._orders, self._places
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
            if old is not None and new is not None and old["score"] == new["score"]:
                continue
            if old is not None:
                places.remove((-old["score"], key))
            if new is not None:
                places.add((-new["score"], key))
        if before and (events := net_events(before, orders)):
            self._subscriber(events)

    def result(self) -> dict[Any, Row]:
        return {key: self._orders[key] for _, key in self._places}
