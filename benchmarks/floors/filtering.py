"""The open orders of some priority, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.floors.floor import Subscriber, by_id, net_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write


class FilterFloor:
    """State: the orders, and those that pass."""

    def __init__(self, tables: Tables, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self._orders = by_id(tables["orders"])
        self._rows: dict[Any, Row] = {}

    def hydrate(self) -> None:
        self._rows = {
            key: row
            for key, row in self._orders.items()
            if row["status"] == "open" and row["priority"] >= 1
        }

    def commit(self, writes: Sequence[Write]) -> None:
        orders, rows = self._orders, self._rows
        before: dict[Any, Row | None] = {}
        for _, _, key, new in writes:
            old = orders.get(key)
            if old == new:
                continue
            if new is None:
                del orders[key]
            else:
                orders[key] = new
            if new is not None and new["status"] == "open" and new["priority"] >= 1:
                if key not in before:
                    before[key] = rows.get(key)
                rows[key] = new
            elif key in rows:
                if key not in before:
                    before[key] = rows[key]
                del rows[key]
        if before and (events := net_events(before, rows)):
            self._subscriber(events)

    def result(self) -> dict[Any, Row]:
        return self._rows
