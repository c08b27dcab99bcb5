"""Law 9: work follows the change, not the size of the data.

Rows that count who reads their fields, and user functions that count their calls, under every shape
of query that may be live. The same changes are made to 1,000 and to 100,000 rows: commit by commit
both read the same number of rows, call user functions as often, and report the same work through
`statistics()`. Nothing here looks at a clock.

Groups, partitions and join partners have a fixed size. By definition these cost as much as what they
change is large, and only that: `collect` and `string_agg` the group, `nested` its lists, window
functions the rows of the partition from the change on, `fold` those from a checkpoint on, a
recursion what is derived from the row. All other aggregates are tried over one group of all rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import pytest

from dataflow.collection.batch import batch
from dataflow.collection.collection import Collection
from dataflow.live.live import LiveQuery, live
from dataflow.query.aggregates import (
    aggregate,
    all_,
    any_,
    avg,
    collect,
    count,
    count_distinct,
    first,
    fold,
    last,
    max_,
    median,
    min_,
    stddev,
    string_agg,
    sum_,
    variance,
)
from dataflow.query.builder import query
from dataflow.query.combining import except_, intersect, union, union_all
from dataflow.query.functions import coalesce, fn, lit
from dataflow.query.nesting import nested
from dataflow.query.recursion import recursive
from dataflow.query.windows import dense_rank, lag, lead, rank, row_number

SMALL, LARGE = 1_000, 100_000
GROUP = 5


@dataclass(frozen=True)
class Item:
    """A row that counts, by identity, which rows were read since the counter was cleared."""

    id: int
    group: int
    amount: float
    label: str

    read: ClassVar[set[int]] = set()

    def __getattribute__(self, name: str) -> Any:
        if name in ITEM_FIELDS:
            Item.read.add(id(self))
        return object.__getattribute__(self, name)


ITEM_FIELDS = frozenset(("id", "group", "amount", "label"))


class Calls:
    """How often user functions were called."""

    count = 0

    @classmethod
    def called(cls, value: Any) -> Any:
        cls.count += 1
        return value

    @classmethod
    def is_paid(cls, row: Any) -> bool:
        cls.count += 1
        return bool(row.amount >= 0)

    @classmethod
    def step(cls, state: float, amount: float) -> float:
        cls.count += 1
        return state + amount

    @classmethod
    def back(cls, state: float, amount: float) -> float:
        cls.count += 1
        return state - amount


def item(number: int, size: int) -> Item:
    return Item(number, number // GROUP, float(number * 7 % size), f"label {number % 3}")


class World:
    """Two collections of one size and everything that runs over them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.items = Collection("items", row=Item, key="id")
        self.groups = Collection("groups", row=Item, key="id")
        with self.items.sync() as write:
            for number in range(size):
                write.insert(item(number, size))
        with self.groups.sync() as write:
            for number in range(size // GROUP):
                write.insert(Item(number, number, 0.0, "group"))
        self.results = {name: make(self) for name, make in SHAPES.items()}

    def changes(self) -> list[list[tuple[Collection[Item], str, Any]]]:
        """Commits that mean the same at every size: inserts, updates, moves, deletes, on both sides."""
        items, groups, size = self.items, self.groups, self.size
        top, free = size * 2, size + 10
        return [
            [(items, "update", Item(7, 1, 3.5, "changed"))],
            [(items, "update", Item(7, 1, float(top), "first"))],
            [(items, "update", Item(7, 20, float(top), "moved"))],
            [(items, "delete", 7)],
            [(items, "insert", item(7, size))],
            [(items, "insert", Item(free, 20, 1.5, "new")), (items, "delete", 12)],
            [(groups, "update", Item(20, 20, 9.0, "renamed"))],
            [(groups, "delete", 20)],
            [(groups, "insert", Item(20, 20, 1.0, "back"))],
            [
                (groups, "update", Item(3, 3, 4.0, "both")),
                (items, "update", Item(16, 3, 2.0, "both")),
            ],
            [(items, "update", Item(30 + n, 6, -1.0 - n, "all five")) for n in range(GROUP)],
            [(items, "delete", 30 + n) for n in range(GROUP)],
        ]

    def commit(self, changes: list[tuple[Collection[Item], str, Any]]) -> None:
        with batch():
            for collection, verb, value in changes:
                with collection.sync() as write:
                    getattr(write, verb)(value)


def alias_pair(world: World) -> tuple[Any, Any]:
    return world.items.alias("item"), world.groups.alias("group")


def filtered(world: World) -> LiveQuery[Any]:
    i = world.items.alias("item")
    chosen = query(i).where((i.amount >= 3) & (i.label != "x"))
    return live(chosen.select(id=i.id, twice=i.amount * 2))


def called(world: World) -> LiveQuery[Any]:
    i = world.items.alias("item")
    return live(query(i).filter(Calls.is_paid).select(i, x=fn(Calls.called, i.amount)))


def joined(world: World) -> LiveQuery[Any]:
    i, g = alias_pair(world)
    return live(query(i).join(g, on=i.group == g.id).select(id=i.id, name=g.label))


def left_joined(world: World) -> LiveQuery[Any]:
    i, g = alias_pair(world)
    rows = query(i).join(g, on=i.group == g.id, how="left")
    return live(rows.select(id=i.id, name=coalesce(g.label, "none")))


def joined_to_many(world: World) -> LiveQuery[Any]:
    i, g = alias_pair(world)
    rows = query(g).join(i, on=g.id == i.group, how="left")
    return live(rows.select(id=g.id, item=i.id))


def joined_to_itself(world: World) -> LiveQuery[Any]:
    i, j = world.items.alias("item"), world.items.alias("other")
    rows = query(i).join(j, on=(i.group == j.group) & (i.amount < j.amount))
    return live(rows.select(low=i.id, high=j.id))


def grouped(world: World) -> LiveQuery[Any]:
    i = world.items.alias("item")
    return live(
        query(i)
        .group_by(i.group)
        .select(n=count(), total=sum_(i.amount), mean=avg(i.amount), top=max_(i.amount))
    )


def collected(world: World) -> LiveQuery[Any]:
    i = world.items.alias("item")
    by = i.amount.desc()
    return live(
        query(i)
        .group_by(i.group)
        .select(
            all=collect(i.id, order_by=by),
            first=first(i.label, order_by=by),
            last=last(i.label, order_by=by),
            folded=fold(i.amount, 0.0, Calls.step, order_by=i.id),
        )
    )


def whole(world: World) -> LiveQuery[Any]:
    i = world.items.alias("item")
    return live(
        query(i).select(n=count(), total=sum_(i.amount), low=min_(i.amount), high=max_(i.amount))
    )


def whole_by_value(world: World) -> LiveQuery[Any]:
    i = world.items.alias("item")
    return live(
        query(i).select(
            labels=count_distinct(i.label),
            middle=median(i.amount),
            spread=variance(i.amount),
            deviation=stddev(i.amount),
            some=any_(i.amount > 5),
            every=all_(i.amount > 5),
            mean=avg(i.amount).where(i.label == "label 1"),
            first=first(i.label, order_by=i.amount),
            last=last(i.label, order_by=i.amount),
            own=aggregate(i.amount, 0.0, Calls.step, Calls.back),
        )
    )


def written(world: World) -> LiveQuery[Any]:
    i = world.items.alias("item")
    rows = query(i).group_by(i.group)
    return live(rows.select(group=i.group, text=string_agg(i.label, ", ")).having(count() > 2))


def distinct_values(world: World) -> LiveQuery[Any]:
    i = world.items.alias("item")
    return live(query(i).select(group=i.group, label=i.label).distinct())


def combined(world: World, combine: Any) -> LiveQuery[Any]:
    i, g = alias_pair(world)
    return live(combine(query(i).select(id=i.group), query(g).select(id=g.id)))


def united(world: World) -> LiveQuery[Any]:
    return combined(world, union)


def intersected(world: World) -> LiveQuery[Any]:
    return combined(world, intersect)


def subtracted(world: World) -> LiveQuery[Any]:
    return combined(world, except_)


def appended(world: World) -> LiveQuery[Any]:
    return combined(world, union_all)


def with_match(world: World) -> LiveQuery[Any]:
    i, g = alias_pair(world)
    return live(query(g).join(i, on=g.id == i.group, how="semi"))


def without_match(world: World) -> LiveQuery[Any]:
    i, g = alias_pair(world)
    on = (i.group == g.id) & (i.amount > g.amount)
    return live(query(i).join(g, on=on, how="anti"))


def fully_joined(world: World) -> LiveQuery[Any]:
    i, g = alias_pair(world)
    return live(query(i).join(g, on=i.id == g.id, how="full").select(item=i.label, group=g.label))


def ranked(world: World) -> LiveQuery[Any]:
    i = world.items.alias("item")
    by: Any = {"partition_by": i.group, "order_by": i.label}
    return live(
        query(i).select(
            i,
            dense=dense_rank().over(**by),
            after=lead(i.amount).over(**by),
            low=min_(i.amount).over(**by),
            seen=count().over(**by),
        )
    )


def reached(world: World) -> LiveQuery[Any]:
    i, g = alias_pair(world)
    return live(
        recursive(
            query(g).select(node=g.id, depth=lit(0)),
            lambda near: (
                query(i)
                .join(near, on=i.group == near.node)
                .where(near.depth < 1)
                .select(node=i.id, depth=near.depth + 1)
            ),
        )
    )


def top(world: World) -> LiveQuery[Any]:
    i = world.items.alias("item")
    return live(query(i).order_by(i.amount.desc(), i.label).limit(20, offset=2))


def windowed(world: World) -> LiveQuery[Any]:
    i = world.items.alias("item")
    by: Any = {"partition_by": i.group, "order_by": i.amount.desc()}
    ranked = query(i).select(
        i,
        position=row_number().over(**by),
        rank=rank().over(**by),
        running=sum_(fn(Calls.called, i.amount)).over(**by),
        share=i.amount / sum_(i.amount).over(partition_by=i.group),
    )
    r = ranked.alias("ranked")
    return live(query(r).where(r.position <= 3))


def shifted(world: World) -> LiveQuery[Any]:
    i = world.items.alias("item")
    return live(query(i).select(id=i.id, before=lag(i.label, 2).over(order_by=i.id)))


def joined_then_grouped(world: World) -> LiveQuery[Any]:
    i, g = alias_pair(world)
    rows = query(i).join(g, on=i.group == g.id)
    return live(rows.group_by(g.label, g.id).select(n=count(), total=sum_(i.amount)))


def derived(world: World) -> LiveQuery[Any]:
    group = grouped(world).alias("sums")
    return live(query(group).where(group.n > 1).order_by(group.total.desc()).limit(5))


def nested_lists(world: World) -> LiveQuery[Any]:
    i, g = alias_pair(world)
    mine = query(i).where(i.group == g.id)
    return live(
        query(g).select(
            g,
            top=nested(mine.order_by(i.amount.desc()).limit(3)),
            first=nested(mine.order_by(i.id).select(label=fn(Calls.called, i.label)).one()),
            n=nested(mine.select(n=count(), total=sum_(i.amount)).one())["n"],
            labels=nested(mine.group_by(i.label).select(label=i.label, n=count())),
        )
    )


SHAPES = {
    make.__name__: make
    for make in (
        filtered,
        called,
        joined,
        left_joined,
        joined_to_many,
        joined_to_itself,
        grouped,
        collected,
        whole,
        whole_by_value,
        written,
        distinct_values,
        united,
        intersected,
        subtracted,
        appended,
        with_match,
        without_match,
        fully_joined,
        ranked,
        reached,
        top,
        windowed,
        shifted,
        joined_then_grouped,
        derived,
        nested_lists,
    )
}


@dataclass(frozen=True)
class Work:
    """What one commit cost: rows read, calls of user functions, rows touched by each result."""

    read: int
    called: int
    touched: dict[str, int]


@cache
def work(size: int) -> list[Work]:
    """Make every change to a world of some size; return what each commit cost."""
    world = World(size)
    costs: list[Work] = []
    for changes in world.changes():
        before = {name: result.statistics().rows_touched for name, result in world.results.items()}
        Item.read.clear()
        Calls.count = 0
        world.commit(changes)
        costs.append(
            Work(
                read=len(Item.read),
                called=Calls.count,
                touched={
                    name: result.statistics().rows_touched - before[name]
                    for name, result in world.results.items()
                },
            )
        )
    for result in world.results.values():
        result.close()
    return costs


def test_rows_read_do_not_grow_with_the_data() -> None:
    assert [cost.read for cost in work(LARGE)] == [cost.read for cost in work(SMALL)]


def test_rows_read_are_few_for_every_commit() -> None:
    counted = [cost.read for cost in work(LARGE)]
    assert all(0 < read <= 12 * GROUP for read in counted), counted


def test_calls_of_user_functions_do_not_grow_with_the_data() -> None:
    assert [cost.called for cost in work(LARGE)] == [cost.called for cost in work(SMALL)]


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_touched_do_not_grow_with_the_data(shape: str) -> None:
    small, large = ([cost.touched[shape] for cost in work(size)] for size in (SMALL, LARGE))
    assert large == small
    assert sum(small) > 0


def test_hydration_reads_every_row_so_that_the_counter_counts() -> None:
    Item.read.clear()
    world = World(SMALL)
    assert len(Item.read) == SMALL + SMALL // GROUP
    for result in world.results.values():
        result.close()
