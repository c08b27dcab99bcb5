"""Traffic of three tables: the lines of orders, the orders, and the users who placed them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from benchmarks.traffic import Pool, Write

if TYPE_CHECKING:
    from benchmarks.traffic import Row, Tables

PER_ORDER = 4
PER_USER = 10


class Lines:
    """Lines of orders, four to an order and ten orders to a user.

    Of a hundred changes some 85 concern a line, 12 an order and 3 a user. A deleted order or user comes back the
    next time a change meets it, so that only few lines are without.

    Args:
        size: lines to begin with.
    """

    def __init__(self, size: int, seed: int) -> None:
        self._rng = random.Random(seed)
        self._order_count = max(10, size // PER_ORDER)
        self._user_count = max(5, self._order_count // PER_USER)
        self._users: dict[int, Row] = {key: self._user(key) for key in range(self._user_count)}
        self._orders: dict[int, Row] = {key: self._order(key) for key in range(self._order_count)}
        self._lines: dict[int, Row] = {}
        self._pool = Pool(size)
        self._next = 0
        for _ in range(size):
            self._insert()

    def tables(self) -> Tables:
        """Return the rows of the three tables as they are now."""
        return {
            "lines": list(self._lines.values()),
            "orders": list(self._orders.values()),
            "users": list(self._users.values()),
        }

    def change(self) -> Write:
        """Draw the next change."""
        which = self._rng.random()
        if which < 0.03:
            return self._replace("users", self._users, int(self._rng.random() * self._user_count))
        if which < 0.15:
            key = int(self._rng.random() * self._order_count)
            return self._replace("orders", self._orders, key)
        return self._change_line()

    def _replace(self, table: str, rows: dict[int, Row], key: int) -> Write:
        make = self._user if table == "users" else self._order
        if key not in rows:
            row = rows[key] = make(key)
            return Write("insert", table, key, row)
        if self._rng.random() < 0.1:
            del rows[key]
            return Write("delete", table, key, None)
        row = rows[key] = make(key)
        return Write("update", table, key, row)

    def _change_line(self) -> Write:
        rng, pool = self._rng, self._pool
        kind = rng.random()
        more = len(pool) < 2 * pool.target * rng.random()
        if not len(pool) or (kind < 0.3 and more):
            return Write("insert", "lines", *self._insert())
        key = pool.draw(rng)
        if kind < 0.3:
            pool.discard(key)
            del self._lines[key]
            return Write("delete", "lines", key, None)
        row = self._lines[key] = dict(self._lines[key])
        if kind < 0.95:
            row["price"] = int(rng.random() * 10_000)
        return Write("update", "lines", key, row)

    def _insert(self) -> tuple[int, Row]:
        key, rng = self._next, self._rng
        self._next += 1
        self._pool.add(key)
        row = {
            "id": key,
            "order_id": int(rng.random() * self._order_count),
            "price": int(rng.random() * 10_000),
            "quantity": 1 + int(rng.random() * 9),
            "article": f"article {int(rng.random() * 1_000)}",
        }
        self._lines[key] = row
        return key, row

    def _order(self, key: int) -> Row:
        rng = self._rng
        return {
            "id": key,
            "user_id": int(rng.random() * self._user_count),
            "status": "open" if rng.random() < 0.8 else "closed",
            "priority": int(rng.random() * 5),
        }

    def _user(self, key: int) -> Row:
        rng = self._rng
        return {"id": key, "name": f"user {key}", "country": int(rng.random() * 30)}
