"""Constants that Python takes for equal, True and 1 in a list, are different ones: no query answers for the other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from dataflow.collection.collection import Collection
from dataflow.live.live import live, run
from dataflow.query.builder import query
from dataflow.query.functions import coalesce, lit

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PAIRS = [
    ([1], [True]),
    ((1, (2,)), (True, (2.0,))),
    ({"a": 1}, {"a": True}),
    (0.0, -0.0),
    (Decimal(1), Decimal("1.00")),
    (NOON, NOON.astimezone(timezone(timedelta(hours=2)))),
]


def one_row(value: Any) -> Collection[dict[str, Any]]:
    rows: Collection[dict[str, Any]] = Collection("rows", key="id")
    with rows.sync() as write:
        write.insert({"id": 1, "x": value})
    return rows


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_constant_is_shown_as_it_was_written(one: Any, other: Any) -> None:
    row = one_row(1).alias("row")
    running = live(query(row).select(value=lit(one)))
    assert repr(run(query(row).select(value=lit(other)))) == repr([{"value": other}])
    both = query(row).select(one=lit(one), other=lit(other))
    assert repr(run(both)) == repr([{"one": one, "other": other}])
    assert repr(running.rows()) == repr([{"value": one}])


def test_a_list_with_true_is_not_the_list_with_one() -> None:
    row = one_row(1).alias("row")
    numbers, bools = row.x.in_([1, 2]), row.x.in_([True, 2])
    assert run(query(row).select(numbers=numbers, bools=bools)) == [
        {"numbers": True, "bools": False}
    ]
    found = [
        run(query(row).where(among | (row.id == 2)).select(id=row.id)) for among in (numbers, bools)
    ]
    assert found == [[{"id": 1}], []]


@pytest.mark.parametrize("write", [lambda: 0.0 * 1, lambda: Decimal("1.0"), lambda: [1, "a"]])
def test_a_constant_written_twice_is_one(write: Any) -> None:
    row = one_row(None).alias("row")
    grouped = query(row).group_by(coalesce(row.x, lit(write())))
    assert run(grouped.select(x=coalesce(row.x, lit(write())))) == [{"x": write()}]
