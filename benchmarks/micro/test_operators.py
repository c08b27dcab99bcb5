"""Each operator of a live query alone: one change to a source of 10,000 rows, every one of which alters the result."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from dataflow import Collection, Query, collect, live, max_, nested, query, sum_
from dataflow import count as count_

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

    from dataflow.query.alias import Alias

ROWS = 10_000

Row = dict[str, Any]

QUERIES: dict[str, Callable[[Alias[Row], Alias[Row]], Query[Any]]] = {
    "where": lambda row, other: query(row).where(row.n >= 0),
    "select": lambda row, other: query(row).select(id=row.id, n=row.n + 1),
    "map": lambda row, other: query(row).map(lambda found: found["n"]),
    "distinct": lambda row, other: query(row).select(n=row.n).distinct(),
    "join": lambda row, other: query(row).join(other, on=row.group == other.id).select(n=row.n),
    "left join": lambda row, other: (
        query(row).join(other, on=row.group == other.id, how="left").select(n=row.n)
    ),
    "semi join": lambda row, other: query(row).join(other, on=row.group == other.id, how="semi"),
    "group, sum": lambda row, other: query(row).group_by(row.group).select(total=sum_(row.n)),
    "group, count and max": lambda row, other: (
        query(row).group_by(row.group).select(high=max_(row.n), many=count_())
    ),
    "group, collect": lambda row, other: query(row).group_by(row.group).select(all=collect(row.n)),
    "order": lambda row, other: query(row).order_by(row.n.desc()),
    "top 100": lambda row, other: query(row).order_by(row.n.desc()).limit(100),
    "nested": lambda row, other: query(other).select(
        id=other.id, rows=nested(query(row).where(row.group == other.id))
    ),
}


def table(name: str, rows: int) -> Collection[Row]:
    """Return a collection of rows in groups of ten."""
    made = Collection(name, key="id")
    with made.sync() as write:
        for number in range(rows):
            write.insert({"id": number, "group": number // 10, "n": number})
    return made


@pytest.mark.parametrize("name", QUERIES)
def test_one_update(benchmark: BenchmarkFixture, name: str) -> None:
    rows, others = table("rows", ROWS), table("others", ROWS // 10)
    heard: list[int] = []
    result = live(QUERIES[name](rows.alias("row"), others.alias("other")))
    result.subscribe(lambda changes: heard.append(len(changes)))
    numbers = count(ROWS)

    def update() -> None:
        number = next(numbers)
        with rows.sync() as write:
            write.update({"id": number % ROWS, "group": number % ROWS // 10, "n": number})

    benchmark(update)
    assert heard


def test_one_update_without_a_query(benchmark: BenchmarkFixture) -> None:
    rows = table("rows", ROWS)
    numbers = count(ROWS)

    def update() -> None:
        number = next(numbers)
        with rows.sync() as write:
            write.update({"id": number % ROWS, "group": number % ROWS // 10, "n": number})

    benchmark(update)
    assert len(rows) == ROWS
