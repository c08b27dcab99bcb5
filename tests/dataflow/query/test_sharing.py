"""Equal parts of queries are one operator, and run once."""

from __future__ import annotations

from typing import Any

import pytest

from dataflow.collection.collection import Collection
from dataflow.live.live import LiveQuery, live
from dataflow.query.aggregates import count
from dataflow.query.builder import Query, query
from dataflow.query.combining import union_all
from dataflow.query.functions import fn


class Calls:
    """A user function that counts how often it is called."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, value: Any) -> Any:
        self.count += 1
        return value


@pytest.fixture
def tasks() -> Collection[Any]:
    made = Collection[Any]("tasks", key="id")
    with made.sync() as write:
        for number in range(4):
            write.insert({"id": number, "parent": number // 2, "owner": number % 2, "size": number})
    return made


def labels(result: LiveQuery[Any]) -> list[str]:
    return [node.label for node in result.statistics().nodes]


def test_a_subquery_used_twice_in_a_query_runs_once(tasks: Collection[Any]) -> None:
    t, calls = tasks.alias("t"), Calls()
    sub = query(t).where(t.size >= 0).select(t, size=fn(calls, t.size))
    a, b = sub.alias("a"), sub.alias("b")
    pairs = live(query(a).join(b, on=a.parent == b.id).select(a=a.id, b=b.size))
    assert (len(pairs), calls.count) == (4, 4)
    with tasks.sync() as write:
        write.insert({"id": 9, "parent": 9, "owner": 0, "size": 9})
    assert (pairs[(9, 9)], calls.count) == ({"a": 9, "b": 9}, 5)


def test_equal_subqueries_are_one_however_often_they_are_written(tasks: Collection[Any]) -> None:
    t, calls = tasks.alias("t"), Calls()

    def sub(alias: str) -> Any:
        return query(t).group_by(fn(calls, t.owner)).select(o=fn(calls, t.owner), n=count()).alias(alias)  # fmt: skip

    a, b = sub("a"), sub("b")
    pairs = live(query(a).join(b, on=a.n == b.n).select(a=a.o, b=b.o))
    assert labels(pairs) == ["select", "group by", "arrangement", "join, select"]
    assert calls.count == 4


def test_equal_parts_of_two_queries_are_one(tasks: Collection[Any]) -> None:
    def big() -> Any:
        t = tasks.alias("t")
        return query(t).where(t.size > 1).select(t, double=t.size * 2).alias("big")

    a, b = big(), big()
    first = live(query(a).group_by(a.owner).select(owner=a.owner, n=count()))
    second = live(query(b).group_by(b.owner).select(owner=b.owner, n=count()))
    assert first.last_node is second.last_node
    assert [node.shared_by for node in first.statistics().nodes] == [1, 2]


def test_a_branch_of_a_union_that_is_there_twice_runs_once(tasks: Collection[Any]) -> None:
    t, calls = tasks.alias("t"), Calls()
    branch = query(t).select(size=fn(calls, t.size))
    both = live(union_all(branch, branch))
    assert (len(both), calls.count) == (8, 4)


def test_arrangements_do_not_depend_on_aliases(tasks: Collection[Any]) -> None:
    l1, l2, l3 = (tasks.alias(name) for name in ("l1", "l2", "l3"))
    siblings = query(l1).join(l2, on=l1.parent == l2.parent)
    assert labels(live(siblings.join(l3, on=l1.parent == l3.parent))).count("arrangement") == 2
    assert labels(live(siblings)) == ["arrangement", "join, select"]


def joined(alias: str, sub: Query[Any], tasks: Collection[Any]) -> Query[Any]:
    s, t = sub.alias(alias), tasks.alias("t")
    return query(s).join(t, on=s.id == t.parent)


def test_what_keeps_its_rows_serves_those_who_do_not_need_that(tasks: Collection[Any]) -> None:
    t = tasks.alias("t")
    sub = query(t).where(t.size > 1)
    kept = live(sub)
    result = live(joined("s", sub, tasks))
    assert kept.last_node in [source for node in plan(result) for source in node.inputs]


def plan(result: LiveQuery[Any]) -> list[Any]:
    """Return the nodes of a plan, from the last one on."""
    nodes = [result.last_node]
    for node in nodes:
        assert node is not None
        nodes += [source for source in node.inputs if source not in nodes]
    return nodes


def test_the_alias_of_a_subquery_is_no_operator(tasks: Collection[Any]) -> None:
    t = tasks.alias("t")
    sub = query(t).select(id=t.id, twice=t.size * 2)
    first, second = live(joined("s", sub, tasks)), live(joined("other", sub, tasks))
    used = [(node.label, node.shared_by) for node in second.statistics().nodes]
    shared = [("select", 3), ("arrangement", 2), ("arrangement", 2)]
    assert used == [*shared, ("join, select", 1)]
    assert len(first) == len(second) == 4


def test_constants_of_another_type_are_another_question(tasks: Collection[Any]) -> None:
    t = tasks.alias("t")
    counts = [live(query(t).where(t.size == value)) for value in (1, 1.0, True)]
    assert len({id(result.last_node) for result in counts}) == 3
    assert [len(result) for result in counts] == [1, 1, 0]
