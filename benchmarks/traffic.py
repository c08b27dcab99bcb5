"""Traffic: seeded rows, and changes to them that a live application could have made.

A `Traffic` knows which rows are there, so its updates and deletes always meet one. One step in twenty updates a row to
what it already is, as replays do. The same seed gives the same rows and changes, whoever asks, in any process.

Rows are flat dicts of eight fields. Numbers are ints, money being cents, unless a question is about floats.
"""

from __future__ import annotations

import random
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

Row: TypeAlias = dict[str, Any]
Tables: TypeAlias = dict[str, list[Row]]

REGIONS = 100
CHEAPEST_HOT = 1_000_000  # scores of hot orders begin here, those of cold ones end here


class Write(NamedTuple):
    """One change of one row; `row` is None on delete."""

    op: Literal["insert", "update", "delete"]
    table: str
    key: Any
    row: Row | None


class Traffic(Protocol):
    """Rows to begin with, and an endless history of changes to them."""

    def tables(self) -> Tables:
        """Return the rows of each table as they are now."""
        ...

    def change(self) -> Write:
        """Draw the next change."""
        ...


def history(traffic: Traffic, *, batches: int, size: int = 1) -> list[list[Write]]:
    """Draw the next changes, cut into batches."""
    return [[traffic.change() for _ in range(size)] for _ in range(batches)]


class Pool:
    """Keys to draw from at random; all operations O(1).

    Attributes:
        target: how many there should be.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self._keys: list[int] = []
        self._places: dict[int, int] = {}

    def add(self, key: int) -> None:
        """Add a key that is not there."""
        self._places[key] = len(self._keys)
        self._keys.append(key)

    def draw(self, rng: random.Random) -> int:
        """Return a random key."""
        return self._keys[int(rng.random() * len(self._keys))]

    def discard(self, key: int) -> None:
        """Remove a key, if it is there."""
        place = self._places.pop(key, None)
        if place is None:
            return
        last = self._keys.pop()
        if last != key:
            self._keys[place] = last
            self._places[last] = place

    def __len__(self) -> int:
        return len(self._keys)


class Shop:
    """Orders and the users who placed them, ten orders to a user.

    Args:
        size: orders to begin with.
        users: share of the changes that concern users: mostly new names, some leave and some come back.
        orphans: share of the orders without a user.
        hot: number of orders with the highest scores; most changes concern them if there are any.
        unit: what amounts are multiples of. With a power of two below 1 they are floats whose sums are exact, so that
            peers that add them in another order come to the same result.
    """

    def __init__(
        self,
        size: int,
        seed: int,
        *,
        users: float = 0.0,
        orphans: float = 0.0,
        hot: int = 0,
        unit: float = 1,
    ) -> None:
        self._rng = random.Random(seed)
        self._unit = unit
        self._user_share, self._orphan_share = users, orphans
        self._hot_share = 0.8 if hot else 0.0
        self._user_count = max(10, size // 10)
        self._users: dict[int, Row] = {i: self._user(i) for i in range(self._user_count)}
        self._orders: dict[int, Row] = {}
        self._cold, self._hot = Pool(size - hot), Pool(hot)
        self._next = 0
        for number in range(size):
            self._insert(self._hot if number < hot else self._cold)

    def tables(self) -> Tables:
        """Return the orders as they are now, and the users if changes concern them."""
        tables = {"orders": list(self._orders.values())}
        if self._user_share:
            tables["users"] = list(self._users.values())
        return tables

    def change(self) -> Write:
        """Draw a change: of an order 14 updates, 3 inserts, 3 deletes; of a user now and then.

        The more orders there are, the likelier a delete, so that their number stays what it was.
        """
        rng = self._rng
        if rng.random() < self._user_share:
            return self._change_user(int(rng.random() * self._user_count))
        pool = self._hot if rng.random() < self._hot_share else self._cold
        kind = rng.random()
        more = len(pool) < 2 * pool.target * rng.random()
        if not len(pool) or (kind < 0.3 and more):
            return Write("insert", "orders", *self._insert(pool))
        key = pool.draw(rng)
        if kind < 0.3:
            pool.discard(key)
            del self._orders[key]
            return Write("delete", "orders", key, None)
        row = self._orders[key] = dict(self._orders[key])
        if kind < 0.95:
            self._edit(row, pool)
        return Write("update", "orders", key, row)

    def _insert(self, pool: Pool) -> tuple[int, Row]:
        key, rng = self._next, self._rng
        self._next += 1
        pool.add(key)
        row = {
            "id": key,
            "user_id": self._some_user(),
            "status": "open" if rng.random() < 0.8 else "closed",
            "priority": int(rng.random() * 5),
            "amount": int(rng.random() * 10_000) * self._unit,
            "score": self._score(pool),
            "region": int(rng.random() * REGIONS),
            "note": f"order {key}",
        }
        self._orders[key] = row
        return key, row

    def _edit(self, row: Row, pool: Pool) -> None:
        """Change the amount and the score, and of some rows also what they are grouped or found by."""
        rng = self._rng
        row["amount"] = int(rng.random() * 10_000) * self._unit
        row["score"] = self._score(pool)
        kind = rng.random()
        if kind < 0.15:
            row["status"] = "closed" if row["status"] == "open" else "open"
        elif kind < 0.25:
            row["region"] = int(rng.random() * REGIONS)
        elif kind < 0.35:
            row["user_id"] = self._some_user()

    def _some_user(self) -> int | None:
        rng = self._rng
        return None if rng.random() < self._orphan_share else int(rng.random() * self._user_count)

    def _score(self, pool: Pool) -> int:
        score = int(self._rng.random() * CHEAPEST_HOT)
        return score + CHEAPEST_HOT if pool is self._hot else score

    def _user(self, key: int) -> Row:
        return {
            "id": key,
            "name": f"user {key}, name {int(self._rng.random() * 1_000)}",
            "country": key % 30,
        }

    def _change_user(self, key: int) -> Write:
        if key not in self._users:
            row = self._users[key] = self._user(key)
            return Write("insert", "users", key, row)
        if self._rng.random() < 0.1:
            del self._users[key]
            return Write("delete", "users", key, None)
        row = self._users[key] = self._user(key)
        return Write("update", "users", key, row)


class Transcript:
    """Messages that arrive in chunks.

    Args:
        size: chunks each message has to begin with. There are as many messages as make 2,000 chunks, at least one.
        edits: share of the changes that replace or delete a chunk somewhere instead of adding one at the end.
    """

    def __init__(self, size: int, seed: int, *, edits: float = 0.0) -> None:
        self._rng = random.Random(seed)
        self._edit_share = edits
        self._messages = max(1, 2_000 // size)
        self._turn = 0
        self._chunks: dict[str, Row] = {}
        self._seq = [0] * self._messages
        for _ in range(size * self._messages):
            self._append()

    def tables(self) -> Tables:
        """Return the chunks as they are now."""
        return {"chunks": list(self._chunks.values())}

    def change(self) -> Write:
        """Draw a change: one more chunk for the next message in turn, or an edit."""
        if self._rng.random() < self._edit_share and self._chunks:
            return self._edit(self._rng.choice(list(self._chunks)))
        return Write("insert", "chunks", *self._append())

    def _append(self) -> tuple[str, Row]:
        message = self._turn
        self._turn = (self._turn + 1) % self._messages
        seq = self._seq[message]
        self._seq[message] += 1
        row = self._chunk(message, seq)
        self._chunks[row["id"]] = row
        return row["id"], row

    def _chunk(self, message: int, seq: int) -> Row:
        text = "".join(self._rng.choices("etaoin shrdlu", k=4))
        key = f"m{message}:{seq}"
        return {"id": key, "message_id": f"m{message}", "seq": seq, "chunk": text}

    def _edit(self, key: str) -> Write:
        old = self._chunks.pop(key)
        if self._rng.random() < 0.3:
            return Write("delete", "chunks", key, None)
        row = self._chunks[key] = self._chunk(int(old["message_id"][1:]), old["seq"])
        return Write("update", "chunks", key, row)
