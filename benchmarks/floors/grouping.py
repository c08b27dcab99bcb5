"""Count, sum, minimum and maximum of the amounts of each group of orders, by hand."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Any

from benchmarks.floors.floor import Event, Subscriber, by_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write


class GroupFloor:
    """State: the orders; of each group the sum and its amounts in order; the result. Faster than a heap below 10,000 amounts.

    Sums of floats are what adding and subtracting makes of them, which is exact for the amounts of the traffic and not in general.

    Args:
        by: the field that makes the groups.
    """

    def __init__(self, tables: Tables, subscriber: Subscriber, *, by: str) -> None:
        self._by = by
        self._subscriber = subscriber
        self._orders = by_id(tables["orders"])
        self._totals: dict[Any, int] = {}
        self._amounts: dict[Any, list[int]] = {}
        self._rows: dict[Any, Row] = {}

    def hydrate(self) -> None:
        by = self._by
        amounts: dict[Any, list[int]] = {}
        for order in self._orders.values():
            group = order[by]
            if group in amounts:
                amounts[group].append(order["amount"])
            else:
                amounts[group] = [order["amount"]]
        for mine in amounts.values():
            mine.sort()
        self._amounts = amounts
        self._totals = {group: sum(mine) for group, mine in amounts.items()}
        self._rows = {group: self._row(group) for group in amounts}

    def commit(self, writes: Sequence[Write]) -> None:
        by, orders, totals, amounts = self._by, self._orders, self._totals, self._amounts
        dirty: dict[Any, None] = {}
        for _, _, key, new in writes:
            old = orders.get(key)
            if old == new:
                continue
            if old is not None:
                group, amount = old[by], old["amount"]
                totals[group] -= amount
                mine = amounts[group]
                del mine[bisect_left(mine, amount)]
                dirty[group] = None
            if new is None:
                del orders[key]
                continue
            orders[key] = new
            group, amount = new[by], new["amount"]
            if group in totals:
                totals[group] += amount
                insort(amounts[group], amount)
            else:
                totals[group] = amount
                amounts[group] = [amount]
            dirty[group] = None
        if dirty and (events := self._flush(dirty)):
            self._subscriber(events)

    def _flush(self, dirty: dict[Any, None]) -> list[Event]:
        rows, amounts = self._rows, self._amounts
        events: list[Event] = []
        for group in dirty:
            old = rows.get(group)
            if not amounts[group]:
                del amounts[group], self._totals[group]
                if old is not None:
                    del rows[group]
                    events.append(("delete", group, old, old))
                continue
            new = self._row(group)
            if old is None:
                rows[group] = new
                events.append(("insert", group, new, None))
            elif new != old:
                rows[group] = new
                events.append(("update", group, new, old))
        return events

    def _row(self, group: Any) -> Row:
        mine = self._amounts[group]
        return {
            self._by: group,
            "n": len(mine),
            "total": self._totals[group],
            "low": mine[0],
            "high": mine[-1],
        }

    def result(self) -> dict[Any, Row]:
        return self._rows
