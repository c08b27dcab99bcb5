"""All orders, with the name of their user where there is one, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.floors.floor import Subscriber, by_id, net_events
from dataflow.values.null import ABSENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write


class LeftJoinFloor:
    """State: the orders, the users, which orders name a user, and the result under (order, user or ABSENT)."""

    def __init__(self, tables: Tables, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self._orders = by_id(tables["orders"])
        self._users = by_id(tables["users"])
        self._orders_of: dict[Any, dict[Any, Row]] = {}
        self._rows: dict[Any, Row] = {}

    def hydrate(self) -> None:
        users, rows = self._users, {}
        orders_of: dict[Any, dict[Any, Row]] = {}
        for key, order in self._orders.items():
            user_id = order["user_id"]
            if user_id is not None:
                mine = orders_of.get(user_id)
                if mine is None:
                    orders_of[user_id] = {key: order}
                else:
                    mine[key] = order
            user = users.get(user_id)
            rows[key, ABSENT if user is None else user_id] = _row(order, user)
        self._orders_of, self._rows = orders_of, rows

    def commit(self, writes: Sequence[Write]) -> None:
        before: dict[Any, Row | None] = {}
        for _, table, key, new in writes:
            if table == "orders":
                self._change_order(key, new, before)
            else:
                self._change_user(key, new, before)
        if before and (events := net_events(before, self._rows)):
            self._subscriber(events)

    def _change_order(self, key: Any, new: Row | None, before: dict[Any, Row | None]) -> None:
        orders, users, rows = self._orders, self._users, self._rows
        old = orders.get(key)
        if old == new:
            return
        old_user = None if old is None else old["user_id"]
        new_user = None if new is None else new["user_id"]
        if new is None:
            del orders[key]
        else:
            orders[key] = new
        if old is not None and (new is None or old_user != new_user):
            if old_user is not None:
                mine = self._orders_of[old_user]
                del mine[key]
                if not mine:
                    del self._orders_of[old_user]
            pair = key, old_user if old_user in users else ABSENT
            before.setdefault(pair, rows.pop(pair))
        if new is not None:
            if new_user is not None:
                self._orders_of.setdefault(new_user, {})[key] = new
            user = users.get(new_user)
            pair = key, ABSENT if user is None else new_user
            before.setdefault(pair, rows.get(pair))
            rows[pair] = _row(new, user)

    def _change_user(self, key: Any, new: Row | None, before: dict[Any, Row | None]) -> None:
        users, rows = self._users, self._rows
        old = users.get(key)
        if old == new:
            return
        if new is None:
            del users[key]
        else:
            users[key] = new
        was, now = ABSENT if old is None else key, ABSENT if new is None else key
        for order_id, order in self._orders_of.get(key, {}).items():
            pair = order_id, was
            before.setdefault(pair, rows.pop(pair))
            pair = order_id, now
            before.setdefault(pair, rows.get(pair))
            rows[pair] = _row(order, new)

    def result(self) -> dict[Any, Row]:
        return self._rows


def _row(order: Row, user: Row | None) -> Row:
    name = None if user is None else user["name"]
    return {"id": order["id"], "amount": order["amount"], "name": name}
