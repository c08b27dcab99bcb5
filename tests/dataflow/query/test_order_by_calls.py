"""Orders by what a Python function returns: it is called once for a version of a row, and its result is not shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from dataflow.collection.collection import Collection
from dataflow.live.live import live, run
from dataflow.query import ir
from dataflow.query.aggregates import count, sum_
from dataflow.query.builder import Query, query
from dataflow.query.functions import fn, selected
from dataflow.testing.incremental import assert_incremental
from tests.oracle.reference import evaluate

ROWS = [{"id": n, "value": (n * 3) % 5, "group": "ab"[n % 2]} for n in range(8)]

things = Collection("things", key="id")
thing = things.alias("thing")


@dataclass(frozen=True)
class Place:
    id: int
    place: int


def negative(value: int) -> int:
    return -value


start = query(thing)
placed = start.select(id=thing.id, place=fn(negative, thing.value))
totals = start.group_by(thing.group).select(group=thing.group, n=count())
QUERIES: list[Query[Any]] = [
    placed.order_by(selected.place).limit(3),
    placed.order_by(selected.place.desc(), thing.id.desc()).limit(2, offset=1).into(Place),
    placed.order_by(fn(negative, thing.value) * 2, thing.group).map(lambda row: row["id"]),
    start.order_by(fn(negative, thing.value)).limit(3).select(id=thing.id),
    start.order_by(fn(negative, thing.value)).select(id=thing.id).one(),
    totals.order_by(fn(negative, sum_(thing.value)), selected.group),
    totals.having(selected.n > 1).order_by(fn(negative, selected.n)).limit(1),
    start.select(v=thing.value).distinct().order_by(fn(negative, selected.v)).limit(3),
    placed.distinct().order_by(selected.place, fn(negative, selected.id)).into(Place),
    totals.distinct().order_by(fn(negative, selected.n)).map(lambda row: row["group"]),
]


@pytest.mark.parametrize("built", QUERIES, ids=repr)
def test_the_order_is_that_of_the_reference(built: Query[Any]) -> None:
    assert_incremental(built, (things, ROWS), steps=40, seed=3)
    with things.sync() as write:
        for row in ROWS:
            write.insert(row)
    tree = built._plan()
    tables = {scan.source: list(things.items()) for scan in ir.scans(tree)}
    assert run(built) == [row for _, row in evaluate(tree, tables)]
    with things.sync() as write:
        write.truncate()


def test_keys_and_columns_are_those_without_the_order() -> None:
    source = Collection("words", key="id")
    with source.sync() as write:
        write.insert({"id": 1, "text": "b"})
        write.insert({"id": 2, "text": "a"})
    word = source.alias("word")
    built = query(word).select(text=word.text).order_by(fn(str.upper, word.text))
    assert (built.columns, list(live(built).items())) == (
        ("text",),
        [(2, {"text": "a"}), (1, {"text": "b"})],
    )


def test_the_function_runs_once_for_a_version_of_a_row() -> None:
    calls: list[int] = []

    def noted(value: int) -> int:
        calls.append(value)
        return -value

    source = Collection("numbers", key="id")
    with source.sync() as write:
        for n in range(4):
            write.insert({"id": n, "value": n})
    number = source.alias("number")
    column = fn(noted, number.value)
    top = live(query(number).select(id=number.id, place=column).order_by(column).limit(2))
    assert (sorted(calls), list(top)) == ([0, 1, 2, 3], [3, 2])
    with source.sync() as write:
        write.update({"id": 3, "value": -3})
    assert (calls[4:], list(top)) == ([-3], [2, 1])
