"""An update of columns that a query does not read stops at the first operator, and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from dataflow.collection.collection import Collection
from dataflow.live.live import live
from dataflow.query.aggregates import count, sum_
from dataflow.query.builder import Query, query
from dataflow.query.combining import union_all
from dataflow.query.nesting import nested
from dataflow.query.optimizer.narrow_to_reads import narrow_to_reads
from dataflow.query.windows import row_number
from tests.dataflow.query.optimizer.trees import after, order, unchanged, user
from tests.dataflow.query.sources import Actor, Table

JOINED = query(order).join(user, on=order.by == user.id)


def test_a_join_notes_what_is_read_of_each_side() -> None:
    asked = JOINED.where(order.x > 1).select(id=order.id, name=user.name)
    assert after(narrow_to_reads, asked) == (
        "select id=order.id, name=user.name\n"
        "  where order.x > 1\n"
        "    inner join on order.by == user.id\n"
        "      reads order.by, order.id, order.x\n"
        "        scan orders as order\n"
        "      reads user.id, user.name\n"
        "        scan users as user"
    )


def test_a_subquery_passes_on_what_is_read_of_it() -> None:
    latest = query(order).select(order).order_by(order.x).limit(3).alias("latest")
    asked = query(latest).join(user, on=latest.by == user.id).select(name=user.name)
    lines = after(narrow_to_reads, asked).splitlines()
    assert lines[2].strip() == "reads latest.by"
    assert lines[-2].strip() == "reads user.id, user.name"


def test_the_right_side_of_a_semi_join_is_read_for_its_conditions_alone() -> None:
    asked = query(order).join(user, on=order.by == user.id, how="semi")
    assert after(narrow_to_reads, asked).splitlines()[-2:] == [
        "  reads user.id",
        "    scan users as user",
    ]


@pytest.mark.parametrize(
    "asked",
    [
        JOINED,
        JOINED.select(order, x=user),
        query(order).where(order.x > 1),
        query(order).select(x=order.x),
        union_all(query(order).select(x=order.x), query(user).select(x=user.y)),
        JOINED.map(lambda row: row),
    ],
)  # fmt: skip
def test_nothing_is_noted_where_all_is_read_or_rows_are_built_anyway(asked: Query[Any]) -> None:
    assert unchanged(narrow_to_reads, asked)


def test_nothing_is_noted_where_a_declared_row_has_no_other_columns() -> None:
    actor = Table("actors", Actor).alias("actor")
    every = query(actor).group_by(actor.role, actor.name).select(n=sum_(actor.id), r=actor.role)
    assert unchanged(narrow_to_reads, every)


@dataclass(frozen=True)
class Shop:
    """Two users, the first with a hundred orders."""

    orders: Collection[Any]
    users: Collection[Any]

    @property
    def order(self) -> Any:
        return self.orders.alias("order")

    @property
    def user(self) -> Any:
        return self.users.alias("user")

    @property
    def joined(self) -> Query[Any]:
        return query(self.order).join(self.user, on=self.order.by == self.user.id)


@pytest.fixture
def shop() -> Shop:
    made = Shop(Collection("orders", key="id"), Collection("users", key="id"))
    with made.users.sync() as write:
        for number in range(2):
            write.insert({"id": number, "name": f"user {number}", "seen": 0})
    with made.orders.sync() as write:
        for number in range(100):
            write.insert({"id": number, "by": 0, "x": 1.5, "note": [number], "k": number % 3})
    return made


def rewrite(collection: Collection[Any], key: Any, **changes: Any) -> None:
    """Write a row anew, every value another object than before."""
    row = {
        name: list(value) if isinstance(value, list) else type(value)(str(value))
        for name, value in collection[key].items()
    }
    with collection.sync() as write:
        write.upsert(row | changes)


def touched(asked: Query[Any], collection: Collection[Any], **changes: Any) -> dict[str, int]:
    """Return node -> rows touched by an update of one row, the nodes that only read along left out."""
    result = live(asked)
    heard: list[Any] = []
    result.subscribe(heard.append)
    before = result.statistics().nodes
    rewrite(collection, 0, **changes)
    after_ = result.statistics().nodes
    work = {
        f"{new.label}": new.rows_touched - old.rows_touched
        for old, new in zip(before, after_, strict=True)
        if new.rows_touched > old.rows_touched
    }
    return work | {"heard": len(heard)} if heard else work


def test_an_update_of_what_a_join_does_not_read_touches_no_pair(shop: Shop) -> None:
    asked = shop.joined.select(id=shop.order.id, name=shop.user.name)
    assert touched(asked, shop.users, seen=1) == {"join, select": 1}
    assert touched(asked, shop.orders, note=[5]) == {"arrangement": 1, "join, select": 1}
    assert touched(asked, shop.users, name="new") == {"join, select": 101, "heard": 1}


@pytest.mark.parametrize("how", ["left", "right", "full"])
def test_outer_joins_leave_alone_what_they_do_not_read(shop: Shop, how: Any) -> None:
    further = (shop.order.by == shop.user.id) & (shop.order.x > shop.user.id)
    joined = query(shop.order).join(shop.user, on=further, how=how)
    asked = joined.select(id=shop.order.id, name=shop.user.name)
    work = touched(asked, shop.users, seen=1)
    assert "select" not in work
    assert sum(work.values()) <= 3


@pytest.mark.parametrize("how", ["semi", "anti"])
def test_pairs_that_are_only_counted_follow_the_condition_alone(shop: Shop, how: Any) -> None:
    further = (shop.user.id == shop.order.by) & (shop.order.x > shop.user.id)
    asked = query(shop.user).join(shop.order, on=further, how=how)
    work = touched(asked, shop.users, seen=1)
    assert sum(count for label, count in work.items() if label != "heard") <= 4


def test_a_group_does_not_take_out_and_put_back_what_it_does_not_read(shop: Shop) -> None:
    asked = query(shop.order).group_by(shop.order.by).select(n=count(), x=sum_(shop.order.x))
    assert touched(asked, shop.orders, note=[5]) == {"group by": 1}
    assert touched(asked, shop.orders, x=2.5) == {"group by": 2, "heard": 1}


def test_a_window_function_sees_updates_of_what_is_shown_or_decides(shop: Shop) -> None:
    n = row_number().over(partition_by=shop.order.by, order_by=shop.order.k)
    asked = query(shop.order).select(id=shop.order.id, n=n)
    assert touched(asked, shop.orders, note=[5]) == {"window": 1}
    assert "heard" in touched(asked, shop.orders, k=3)


def test_the_children_of_a_changed_outer_row_are_not_touched(shop: Shop) -> None:
    mine = query(shop.order).where(shop.order.by == shop.user.id).select(id=shop.order.id)
    asked = query(shop.user).select(name=shop.user.name, orders=nested(mine))
    assert sum(touched(asked, shop.users, name="new").values()) < 10


def test_equal_values_of_another_kind_are_news(shop: Shop) -> None:
    order, user = shop.order, shop.user
    asked = shop.joined.group_by(user.seen).select(seen=user.seen, total=sum_(order.k))
    result = live(asked)
    rewrite(shop.orders, 2, by=1)
    rewrite(shop.orders, 1, k=1.0, note=["not read"])
    rewrite(shop.users, 0, seen=5)  # takes the pairs of its orders, as they are now, out of a group
    totals = [(row["seen"], repr(row["total"])) for row in result.rows()]
    assert (result.status, sorted(totals)) == ("ready", [(0, "2"), (5, "97.0")])


def test_queries_that_read_different_columns_share_the_arrangements(shop: Shop) -> None:
    first = live(shop.joined.select(id=shop.order.id, name=shop.user.name))
    held = [node.label for node in first.statistics().nodes]
    second = live(shop.joined.select(id=shop.order.id, seen=shop.user.seen))
    shared = [node.label for node in second.statistics().nodes if node.shared_by > 1]
    assert held == ["arrangement", "join, select"]
    assert shared == ["arrangement"]
    rewrite(shop.users, 0, seen=7)
    assert {row["seen"] for row in second.rows()} == {7}


def test_a_query_that_starts_later_sees_what_an_earlier_one_did_not_read(shop: Shop) -> None:
    first = live(shop.joined.select(id=shop.order.id, name=shop.user.name))
    rewrite(shop.users, 0, seen=7)
    rewrite(shop.orders, 0, note=["new"])
    second = live(shop.joined.where(shop.order.id == 0))
    assert [row["user"]["seen"] for row in second.rows()] == [7]
    assert [row["order"]["note"] for row in second.rows()] == [["new"]]
    assert len(first) == 100
