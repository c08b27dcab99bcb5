"""A distinct runs the select below it itself, and makes a row for a new value only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dataflow.collection.collection import Collection
from dataflow.live.live import live
from dataflow.query.aggregates import count
from dataflow.query.builder import query
from dataflow.query.functions import fn

if TYPE_CHECKING:
    from dataflow.live.live import LiveQuery
    from dataflow.query.builder import Query


@pytest.fixture
def tasks() -> Collection[Any]:
    made = Collection[Any]("tasks", key="id")
    with made.sync() as write:
        for number in range(4):
            write.insert({"id": number, "owner": number % 2, "size": 2})
    return made


def _distinct(tasks: Collection[Any]) -> Query[Any]:
    task = tasks.alias("task")
    return query(task).select(owner=task.owner, twice=task.size * 2).distinct()


def _labels(result: LiveQuery[Any]) -> list[str]:
    return [node.label for node in result.statistics().nodes]


def _touched(result: LiveQuery[Any]) -> int:
    return sum(node.rows_touched for node in result.statistics().nodes)


def test_a_select_is_part_of_the_distinct_above_it(tasks: Collection[Any]) -> None:
    task = tasks.alias("task")
    assert _labels(live(_distinct(tasks))) == ["distinct"]
    filtered = query(task).where(task.size > 1).select(owner=task.owner).distinct()
    assert _labels(live(filtered)) == ["filter", "distinct"]


def test_a_select_that_calls_a_function_or_shows_groups_is_not(tasks: Collection[Any]) -> None:
    task = tasks.alias("task")
    called = query(task).select(size=fn(abs, task.size)).distinct()
    assert _labels(live(called)) == ["select", "distinct"]
    grouped = query(task).group_by(task.owner).select(n=count()).distinct()
    result = live(grouped)
    assert _labels(result) == ["group by", "distinct"]
    assert dict(result) == {(2,): {"n": 2}}


def test_a_value_stays_the_same_row_as_long_as_some_row_has_it(tasks: Collection[Any]) -> None:
    result = live(_distinct(tasks))
    shown = result[(0, 4)]
    events: list[Any] = []
    result.subscribe(lambda changes: events.extend(changes))
    before = _touched(result)
    with tasks.sync() as write:
        write.delete(0)  # another one has its value
        write.update({"id": 1, "owner": 0, "size": 2.0})
        write.update({"id": 2, "owner": 0, "size": 2, "note": "not read"})
    assert result[(0, 4)] is shown
    with tasks.sync() as write:
        write.delete(1)
        write.delete(2)
        write.insert({"id": 5, "owner": 0, "size": 2})
    assert result[(0, 4)] is shown
    assert events == []
    assert _touched(result) - before == 6


def test_a_value_goes_with_the_last_row_that_has_it_and_comes_back(tasks: Collection[Any]) -> None:
    result = live(_distinct(tasks))
    events: list[Any] = []
    result.subscribe(lambda changes: events.extend((each.op, each.key) for each in changes))
    with tasks.sync() as write:
        write.delete(0)
    with tasks.sync() as write:
        write.delete(2)
    assert dict(result) == {(1, 4): {"owner": 1, "twice": 4}}
    with tasks.sync() as write:
        write.insert({"id": 0, "owner": 0})  # without a size
        write.insert({"id": 2, "owner": 0, "size": None})
        write.update({"id": 3, "owner": 0, "size": 2})
    assert events == [("delete", (0, 4)), ("insert", (0, None)), ("insert", (0, 4))]
    assert dict(result) == {
        (1, 4): {"owner": 1, "twice": 4},
        (0, None): {"owner": 0, "twice": None},
        (0, 4): {"owner": 0, "twice": 4},
    }


def test_the_constants_of_a_select_are_its_own(tasks: Collection[Any]) -> None:
    task = tasks.alias("task")
    for factor in (2, 3):
        result = live(query(task).select(size=task.size * factor).distinct())
        assert dict(result) == {(2 * factor,): {"size": 2 * factor}}
