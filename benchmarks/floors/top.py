"""The hundred orders with the highest scores, by hand."""

from __future__ import annotations

from bisect import bisect_left
from heapq import nsmallest
from typing import TYPE_CHECKING, Any, TypeAlias

from benchmarks.floors.floor import Subscriber, by_id, net_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write

LIMIT = 100
SPARE = 300  # orders known behind the first hundred, so that deletes rarely need a scan

Place: TypeAlias = tuple[int, int]  # score, negative; id


class TopFloor:
    """State: the orders; the places of the best of them, in order; the first hundred.

    When deletes have used up the spare places, one scan finds new ones.
    """

    def __init__(self, tables: Tables, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self._orders = by_id(tables["orders"])
        self._best: list[Place] = []
        self._rows: dict[Any, Row] = {}

    def hydrate(self) -> None:
        self._refill()
        self._rows = {key: self._orders[key] for _, key in self._best[:LIMIT]}

    def commit(self, writes: Sequence[Write]) -> None:
        orders, rows = self._orders, self._rows
        before: dict[Any, Row | None] = {}
        for _, _, key, new in writes:
            old = orders.get(key)
            if old == new:
                continue
            if old is not None and new is not None and old["score"] == new["score"]:
                orders[key] = new
                if key in rows:
                    before.setdefault(key, rows[key])
                    rows[key] = new
                continue
            if old is not None:
                self._remove(key, old, before)
            if new is not None:
                self._insert(key, new, before)
        if before and (events := net_events(before, rows)):
            self._subscriber(events)

    def _remove(self, key: Any, old: Row, before: dict[Any, Row | None]) -> None:
        orders, best, rows = self._orders, self._best, self._rows
        del orders[key]
        at = bisect_left(best, (-old["score"], key))
        if at == len(best) or best[at][1] != key:
            return
        del best[at]
        if at >= LIMIT:
            return
        before.setdefault(key, rows.pop(key))
        if len(best) < LIMIT and len(orders) > len(best):
            self._refill()
            best = self._best
        if len(best) >= LIMIT:
            self._enter(best[LIMIT - 1][1], before)

    def _insert(self, key: Any, new: Row, before: dict[Any, Row | None]) -> None:
        orders, best, rows = self._orders, self._best, self._rows
        knows_all = len(best) == len(orders)
        orders[key] = new
        place = (-new["score"], key)
        at = bisect_left(best, place)
        if at == len(best) and not knows_all:
            return
        best.insert(at, place)
        if at < LIMIT:
            self._enter(key, before)
            if len(best) > LIMIT:
                pushed = best[LIMIT][1]
                before.setdefault(pushed, rows.pop(pushed))
        if len(best) > LIMIT + SPARE:
            best.pop()

    def _enter(self, key: Any, before: dict[Any, Row | None]) -> None:
        before.setdefault(key, self._rows.get(key))
        self._rows[key] = self._orders[key]

    def _refill(self) -> None:
        places = [(-row["score"], key) for key, row in self._orders.items()]
        self._best = nsmallest(LIMIT + SPARE, places)

    def result(self) -> dict[Any, Row]:
        return {key: self._rows[key] for _, key in self._best[:LIMIT]}
