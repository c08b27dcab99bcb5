"""Number and price of the lines of each open order of some countries, by hand: three tables joined, then grouped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.floors.floor import Subscriber, by_id, net_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write

COUNTRIES = 27  # of 30


class ThreeWayFloor:
    """State: the three tables; which orders a user has; count and sum of the lines of each order; the result.

    Counts and sums are kept for every order, shown or not, so that an order that comes into the result needs no look at its lines.
    """

    def __init__(self, tables: Tables, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self._lines = by_id(tables["lines"])
        self._orders = by_id(tables["orders"])
        self._users = by_id(tables["users"])
        self._orders_of: dict[Any, dict[Any, None]] = {}
        self._counts: dict[Any, int] = {}
        self._totals: dict[Any, int] = {}
        self._rows: dict[Any, Row] = {}

    def hydrate(self) -> None:
        counts: dict[Any, int] = {}
        totals: dict[Any, int] = {}
        for line in self._lines.values():
            key = line["order_id"]
            if key in counts:
                counts[key] += 1
                totals[key] += line["price"]
            else:
                counts[key], totals[key] = 1, line["price"]
        orders_of: dict[Any, dict[Any, None]] = {}
        for key, order in self._orders.items():
            orders_of.setdefault(order["user_id"], {})[key] = None
        self._orders_of, self._counts, self._totals = orders_of, counts, totals
        self._rows = {key: self._row(key) for key in counts if self._is_shown(key)}

    def commit(self, writes: Sequence[Write]) -> None:
        dirty: dict[Any, None] = {}
        for _, table, key, new in writes:
            if table == "lines":
                self._change_line(key, new, dirty)
            elif table == "orders":
                self._change_order(key, new, dirty)
            elif self._users.get(key) != new:
                _put(self._users, key, new)
                dirty.update(self._orders_of.get(key, {}))
        if not dirty:
            return
        rows = self._rows
        before = {key: rows.get(key) for key in dirty}
        for key in dirty:
            if self._is_shown(key):
                rows[key] = self._row(key)
            else:
                rows.pop(key, None)
        if events := net_events(before, rows):
            self._subscriber(events)

    def _change_line(self, key: Any, new: Row | None, dirty: dict[Any, None]) -> None:
        old = self._lines.get(key)
        if old == new:
            return
        counts, totals = self._counts, self._totals
        _put(self._lines, key, new)
        if old is not None:
            order = old["order_id"]
            dirty[order] = None
            if counts[order] == 1:
                del counts[order], totals[order]
            else:
                counts[order] -= 1
                totals[order] -= old["price"]
        if new is not None:
            order = new["order_id"]
            dirty[order] = None
            counts[order] = counts.get(order, 0) + 1
            totals[order] = totals.get(order, 0) + new["price"]

    def _change_order(self, key: Any, new: Row | None, dirty: dict[Any, None]) -> None:
        old = self._orders.get(key)
        if old == new:
            return
        _put(self._orders, key, new)
        dirty[key] = None
        if old is not None:
            mine = self._orders_of[old["user_id"]]
            del mine[key]
            if not mine:
                del self._orders_of[old["user_id"]]
        if new is not None:
            self._orders_of.setdefault(new["user_id"], {})[key] = None

    def _is_shown(self, key: Any) -> bool:
        order = self._orders.get(key)
        if order is None or order["status"] != "open" or key not in self._counts:
            return False
        user = self._users.get(order["user_id"])
        return user is not None and user["country"] < COUNTRIES

    def _row(self, key: Any) -> Row:
        return {"order_id": key, "n": self._counts[key], "total": self._totals[key]}

    def result(self) -> dict[Any, Row]:
        return self._rows


def _put(rows: dict[Any, Row], key: Any, new: Row | None) -> None:
    if new is None:
        del rows[key]
    else:
        rows[key] = new
