"""The different pairs of region and amount, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.floors.floor import Subscriber, by_id, net_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write


class DistinctFloor:
    """State: the orders, how many have each pair, and the result under the pair."""

    def __init__(self, tables: Tables, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self._orders = by_id(tables["orders"])
        self._counts: dict[tuple[Any, Any], int] = {}
        self._rows: dict[Any, Row] = {}

    def hydrate(self) -> None:
        counts: dict[tuple[Any, Any], int] = {}
        for order in self._orders.values():
            pair = order["region"], order["amount"]
            counts[pair] = counts.get(pair, 0) + 1
        self._counts = counts
        self._rows = {pair: {"region": pair[0], "amount": pair[1]} for pair in counts}

    def commit(self, writes: Sequence[Write]) -> None:
        orders, counts, rows = self._orders, self._counts, self._rows
        before: dict[Any, Row | None] = {}
        for _, _, key, new in writes:
            old = orders.get(key)
            if old == new:
                continue
            if old is not None:
                pair = old["region"], old["amount"]
                count = counts[pair]
                if count > 1:
                    counts[pair] = count - 1
                else:
                    del counts[pair]
                    before.setdefault(pair, rows.pop(pair))
            if new is None:
                del orders[key]
                continue
            orders[key] = new
            pair = new["region"], new["amount"]
            if pair in counts:
                counts[pair] += 1
            else:
                counts[pair] = 1
                before.setdefault(pair, None)
                rows[pair] = {"region": pair[0], "amount": pair[1]}
        if before and (events := net_events(before, rows)):
            self._subscriber(events)

    def result(self) -> dict[Any, Row]:
        return self._rows
