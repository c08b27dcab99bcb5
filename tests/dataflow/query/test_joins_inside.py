"""A join runs inside what reads it: nothing that anybody hears depends on that."""

from __future__ import annotations

import operator
from typing import Any

import pytest

from dataflow.collection.batch import batch
from dataflow.collection.collection import Collection
from dataflow.live.live import live
from dataflow.query.aggregates import aggregate, count
from dataflow.query.builder import Query, query
from dataflow.query.functions import fn

Row = dict[str, Any]


class Shop:
    """Orders and their users."""

    def __init__(self) -> None:
        self.orders = Collection[Row]("orders", key="id")
        self.users = Collection[Row]("users", key="id")
        self.order, self.user = self.orders.alias("order"), self.users.alias("user")
        with self.users.sync() as write:
            write.insert_all([{"id": 1, "nick": "a", "age": 20}, {"id": 2, "nick": "b", "age": 30}])
        with self.orders.sync() as write:
            write.insert_all([{"id": 10, "by": 1, "nick": "a"}, {"id": 11, "by": 2, "nick": "b"}])

    def ages(self, how: Any, *, by_nick: bool) -> Query[Row]:
        """Return a query for the ages of those who ordered."""
        order, user = self.order, self.user
        on = order.nick == user.nick if by_nick else order.by == user.id
        return query(order).join(user, on=on, how=how).select(order=order.id, age=user.age)

    def change(self, orders: list[Row], users: list[Row], *, gone: list[int] | None = None) -> None:
        """Change both sides in one epoch."""
        with batch():
            with self.orders.sync() as write:
                for row in orders:
                    write.upsert(row)
            with self.users.sync() as write:
                for row in users:
                    write.upsert(row)
                for key in gone or ():
                    write.delete(key)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def heard(asked: Query[Row]) -> list[Any]:
    """Return a list that takes (op, row, row before) of each change, in the order of the orders."""
    changes: list[Any] = []
    result = live(asked)

    def take(batch: Any) -> None:
        found = [(change.op, change.value, change.old) for change in batch]
        changes.extend(sorted(found, key=lambda change: (change[1]["order"], change[0])))

    result.subscribe(take)
    changes.append(result)  # keeps it running
    return changes


def row(order: int, age: int | None) -> Row:
    return {"order": order, "age": age}


@pytest.mark.parametrize("how", ["inner", "left"])
@pytest.mark.parametrize("by_nick", [False, True])
def test_a_pair_whose_rows_both_change_is_one_change(shop: Shop, how: Any, by_nick: bool) -> None:
    changes = heard(shop.ages(how, by_nick=by_nick))
    shop.change([{"id": 10, "by": 1, "nick": "a"}], [{"id": 1, "nick": "a", "age": 21}])
    assert changes[1:] == [("update", row(10, 21), row(10, 20))]


@pytest.mark.parametrize("by_nick", [False, True])
def test_a_row_that_moves_to_a_match_that_comes_leaves_the_one_that_goes(
    shop: Shop, by_nick: bool
) -> None:
    changes = heard(shop.ages("left", by_nick=by_nick))
    new = {"id": 3, "nick": "c", "age": 40}
    shop.change([{"id": 10, "by": 3, "nick": "c"}], [new], gone=[1, 2])
    assert changes[1:] == [
        ("delete", row(10, 20), row(10, 20)),
        ("insert", row(10, 40), None),
        ("delete", row(11, 30), row(11, 30)),
        ("insert", row(11, None), None),
    ]


def test_rows_that_move_to_another_value_together_stay_a_pair(shop: Shop) -> None:
    changes = heard(shop.ages("inner", by_nick=True))
    shop.change([{"id": 10, "by": 1, "nick": "z"}], [{"id": 1, "nick": "z", "age": 22}])
    assert changes[1:] == [("update", row(10, 22), row(10, 20))]


def test_it_is_no_node_where_its_rows_are_read_one_by_one(shop: Shop) -> None:
    def labels(asked: Query[Any]) -> list[str]:
        with live(asked) as result:
            return [node.label for node in result.statistics().nodes]

    order, user = shop.order, shop.user
    pairs = query(order).join(user, on=order.by == user.id)
    further = shop.users.alias("further")
    assert labels(pairs) == ["arrangement", "join, select"]
    grouped = pairs.group_by(user.nick).select(nick=user.nick, n=count())
    assert labels(grouped) == ["arrangement", "join, group by"]
    through = pairs.join(further, on=user.nick == further.id).select(id=order.id)
    assert labels(through) == ["arrangement", "arrangement", "join, join, select"]


def test_a_function_above_it_fails_and_recovers_with_its_pair(shop: Shop) -> None:
    ages: list[int] = []

    def checked(age: int) -> int:
        ages.append(age)
        return at_most_99(age)

    order, user = shop.order, shop.user
    joined = query(order).join(user, on=order.by == user.id)
    fails_and_recovers(shop, joined.select(id=order.id, age=fn(checked, user.age)))
    assert ages == [20, 30, 100, 22, 31]


def test_a_group_above_it_fails_and_recovers_with_its_pairs(shop: Shop) -> None:
    order, user = shop.order, shop.user
    joined = query(order).join(user, on=order.by == user.id)
    age = aggregate(user.age, 0, operator.add, operator.sub, finish=at_most_99)
    fails_and_recovers(shop, joined.group_by(user.nick).select(nick=user.nick, age=age))


def at_most_99(age: int) -> int:
    if age > 99:
        raise ValueError(age)
    return age


def fails_and_recovers(shop: Shop, asked: Query[Any]) -> None:
    """Assert that a query for ages fails at one above 99, and looks again when that age changes, not before."""
    statuses: list[str] = []
    with live(asked) as result:
        for key, nick, age in ((1, "a", 100), (2, "b", 31), (1, "a", 22)):
            shop.change([], [{"id": key, "nick": nick, "age": age}])
            statuses.append(result.status)
        assert statuses == ["error", "error", "ready"]
        assert sorted(each["age"] for each in result.rows()) == [22, 31]
