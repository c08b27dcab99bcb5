"""Orders that show every row: changes are noted, and the order follows when somebody reads it."""

from __future__ import annotations

import gc
import random
import weakref
from functools import partial
from typing import Any

import pytest

from dataflow import Collection, LiveQuery, apply_splices, live, query
from dataflow.query.compiler.order import FEW, Order

Row = dict[str, Any]


def table(count: int) -> Collection[Row]:
    items: Collection[Row] = Collection("items", key="id")
    with items.sync() as write:
        write.insert_all([{"id": n, "v": n * 7 % 10} for n in range(count)])
    return items


def highest_first(items: Collection[Any]) -> LiveQuery[Any]:
    item = items.alias("item")
    return live(query(item).order_by(item.v.desc()))


def order_of(result: LiveQuery[Any]) -> Order:
    node = result.last_node
    assert isinstance(node, Order)
    return node


def put(items: Collection[Row], *rows: Row) -> None:
    with items.sync() as write:
        for row in rows:
            write.upsert(row)


def in_order(items: Collection[Row]) -> list[Row]:
    return sorted(items.values(), key=lambda row: (-row["v"], row["id"]))


class Made:
    """Counts the entries that are made one by one."""

    def __init__(self, order: Order) -> None:
        self.keys: list[Any] = []
        self._entry_of = order._entry_of
        order._entry_of = self

    def __call__(self, key: Any, row: Any) -> Any:
        self.keys.append(key)
        return self._entry_of(key, row)


def test_changes_wait_for_a_reader() -> None:
    items = table(100)
    result = highest_first(items)
    made = Made(order_of(result))
    for v in range(5):
        put(items, {"id": 1, "v": v}, {"id": 1_000 + v, "v": v})
    with items.sync() as write:
        write.delete(1_000)
    assert made.keys == [1]  # the entry it has, which the reader takes out
    assert result.rows() == in_order(items)
    assert made.keys == [1, 1, 1_001, 1_002, 1_003, 1_004]
    assert list(result) == [row["id"] for row in in_order(items)]
    assert len(made.keys) == 6


def test_moving_rows_is_work_of_the_reader() -> None:
    items = table(100)
    result = highest_first(items)
    order = order_of(result)
    touched = [order.touched]
    put(items, {"id": 1, "v": 5}, {"id": 2, "v": 6})
    put(items, {"id": 1, "v": 7})
    for _ in range(2):
        touched.append(order.touched)
        result.rows()
    touched.append(order.touched)
    assert touched == [0, 3, 5, 5]


def test_after_many_changes_a_reader_sorts_all_rows_instead_of_moving_each() -> None:
    items = table(100)
    result = highest_first(items)
    many = 100 // FEW + 1
    put(items, *({"id": n, "v": -1 - n} for n in range(many)))
    made = Made(order_of(result))
    put(items, {"id": 99, "v": 50})
    assert result.rows() == in_order(items)
    assert made.keys == []
    put(items, {"id": 99, "v": -50})
    assert result.rows() == in_order(items)
    assert made.keys == [99, 99]


def test_what_waits_for_a_reader_does_not_hold_rows() -> None:
    things: Collection[Any] = Collection("things", key="id")
    things_before = [Thing(n, n) for n in range(20)]
    held = [weakref.ref(thing) for thing in things_before]
    with things.sync() as write:
        write.insert_all(things_before)
    del things_before
    result = highest_first(things)
    for n in (3, 4, 5):
        with things.sync() as write:
            write.update(Thing(n, 30))
    gc.collect()
    assert [held[n]() for n in (3, 4)] == [None, None]
    assert ids_of(result)[:4] == [3, 4, 5, 19]


def write_some(items: Collection[Row], random_: random.Random) -> None:
    with items.sync() as write:
        for _ in range(random_.choice((1, 1, 2, 20))):
            if random_.random() < 0.4:
                write.delete(random_.randrange(60))
            else:
                write.upsert({"id": random_.randrange(60), "v": random_.randrange(12)})


@pytest.mark.parametrize("count", [0, 5, 300])
def test_whenever_the_order_is_read_it_is_right(count: int) -> None:
    for seed in range(10):
        random_ = random.Random(seed)
        items = table(count)
        result = highest_first(items)
        for _ in range(40):
            write_some(items, random_)
            if random_.random() < 0.1:
                limit, offset = random_.choice([(None, 0), (None, 3), (4, 0), (5, 2)])
                result.set_window(limit=limit, offset=offset)
            if random_.random() < 0.3:
                limit, offset = result.window
                stop = None if limit is None else offset + limit
                assert result.rows() == in_order(items)[offset:stop]


def test_who_begins_to_follow_positions_sees_what_has_changed_unread() -> None:
    for seed in range(10):
        random_ = random.Random(seed)
        items = table(50)
        result = highest_first(items)
        for _ in range(10):
            write_some(items, random_)
            screen: list[Row] = []
            followed = result.subscribe_ordered(partial(apply_splices, screen), initial=True)
            for _ in range(3):
                assert screen == in_order(items)
                write_some(items, random_)
            followed.close()
            write_some(items, random_)


def test_an_interrupted_reader_leaves_the_order_to_the_next() -> None:
    items = table(20)
    result = highest_first(items)
    order = order_of(result)
    entry_of = order._entry_of

    def interrupted(key: Any, row: Any) -> Any:
        if key == 5:
            raise KeyboardInterrupt
        return entry_of(key, row)

    put(items, {"id": 3, "v": 50}, {"id": 5, "v": 40})
    order._entry_of = interrupted
    with pytest.raises(KeyboardInterrupt):
        result.rows()
    order._entry_of = entry_of
    assert result.rows() == in_order(items)


class Thing:
    """A row with a column that may raise."""

    def __init__(self, number: int, value: int | None) -> None:
        self.id = number
        self.value = value

    @property
    def v(self) -> int:
        if self.value is None:
            raise RuntimeError("no value")
        return self.value


def ids_of(result: LiveQuery[Any]) -> list[int]:
    return [thing.id for thing in result.rows()]


def test_a_column_that_raises_fails_the_step_where_positions_are_followed() -> None:
    things: Collection[Any] = Collection("things", key="id")
    with things.sync() as write:
        write.insert_all([Thing(n, n) for n in range(9)])
    result = highest_first(things)
    followed = result.subscribe_ordered(lambda splices: None)
    with things.sync() as write:
        write.update(Thing(3, None))
        write.delete(4)
    assert result.status == "error"
    assert ids_of(result) == [8, 7, 6, 5, 4, 3, 2, 1, 0]
    with things.sync() as write:
        write.update(Thing(3, 10))
    assert (result.status, ids_of(result)) == ("ready", [3, 8, 7, 6, 5, 2, 1, 0])
    followed.close()


def test_a_column_that_raises_raises_in_the_reader_where_nobody_else_needs_it() -> None:
    things: Collection[Any] = Collection("things", key="id")
    with things.sync() as write:
        write.insert_all([Thing(n, n) for n in range(9)])
    result = highest_first(things)
    with things.sync() as write:
        write.update(Thing(3, None))
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no value"):
            result.rows()
    with things.sync() as write:
        write.update(Thing(3, 10))
    assert (result.status, ids_of(result)) == ("ready", [3, 8, 7, 6, 5, 4, 2, 1, 0])
