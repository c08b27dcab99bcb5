"""Aggregates of a live query while rows come, change and go."""

from __future__ import annotations

from typing import Any

import pytest

from dataflow import (
    Collection,
    InvariantError,
    aggregate,
    all_,
    any_,
    collect,
    count_distinct,
    fn,
    live,
    median,
    query,
    stddev,
    string_agg,
    variance,
)
from dataflow.testing import strict

Row = dict[str, Any]
ROWS: list[Row] = [
    {"id": 1, "n": 3, "s": "c", "ok": True},
    {"id": 2, "n": 1.0, "s": "a", "ok": None},
    {"id": 3, "n": 1, "s": None, "ok": False},
    {"id": 4, "n": None, "s": 2.0, "ok": True},
    {"id": 5, "n": "x", "s": [1], "ok": 1},
]


def source(*rows: Row) -> Collection[Row]:
    found = Collection("rows", key="id")
    with found.sync() as write:
        for row in rows:
            write.insert(row)
    return found


def added(state: list[Any], value: Any) -> list[Any]:
    return [*state, value]


def taken(state: list[Any], value: Any) -> list[Any]:
    place = state.index(value)
    return state[:place] + state[place + 1 :]


@pytest.mark.parametrize(
    ("expr", "of_all", "of_ok", "of_two", "of_none"),
    [
        (lambda x: count_distinct(x.n), 3, 1, 2, 0),
        (lambda x: median(x.n), 1, 3, 2, None),
        (lambda x: variance(x.n), 4 / 3, None, 2, None),
        (lambda x: stddev(x.n), (4 / 3) ** 0.5, None, 2**0.5, None),
        (lambda x: any_(x.ok), True, True, True, None),
        (lambda x: all_(x.ok), False, True, True, None),
        (lambda x: string_agg(x.s, "+"), "c+a+2", "c+2", "c+a", None),
        (lambda x: string_agg(x.s, "+", order_by=x.s.desc()), "c+a+2", "c+2", "c+a", None),
        (lambda x: string_agg(x.s, order_by=x.n), "2ac", "2c", "ac", None),
        (lambda x: aggregate(x.id, 0, int.__add__, int.__sub__), 15, 5, 3, 0),
        (lambda x: aggregate(x, 0, lambda n, row: n + 1, lambda n, row: n - 1), 5, 2, 2, 0),
        (lambda x: aggregate(x.s, list, added, taken, finish=len), 4, 2, 2, 0),
    ],
)
def test_an_aggregate_follows_the_rows_of_its_group(
    expr: Any, of_all: Any, of_ok: Any, of_two: Any, of_none: Any
) -> None:
    given = source(*ROWS)
    x = given.alias("x")
    result = live(query(x).select(all=expr(x), ok=expr(x).where(x.ok)))
    assert result.rows() == [{"all": pytest.approx(of_all), "ok": pytest.approx(of_ok)}]
    with given.sync() as write:
        for row in ROWS[2:]:
            write.delete(row["id"])
    assert result[()]["all"] == pytest.approx(of_two)
    with given.sync() as write:
        write.truncate()
    assert result.rows() == [{"all": of_none, "ok": of_none}]
    with given.sync() as write:
        for row in reversed(ROWS):
            write.insert(row)
    assert result.rows() == [{"all": pytest.approx(of_all), "ok": pytest.approx(of_ok)}]


def test_functions_of_an_aggregate_are_called_once_for_each_row_that_comes_or_goes() -> None:
    calls: list[tuple[str, int]] = []

    def add(total: int, n: int) -> int:
        calls.append(("add", n))
        return total + n

    def retract(total: int, n: int) -> int:
        calls.append(("retract", n))
        return total - n

    given = source({"id": 1, "g": "a", "n": 1}, {"id": 2, "g": "a", "n": 2})
    x = given.alias("x")
    result = live(query(x).group_by(x.g).select(n=aggregate(x.n, 0, add, retract)))
    assert sorted(calls) == [("add", 1), ("add", 2)]
    calls.clear()
    with given.sync() as write:
        write.update({"id": 1, "g": "b", "n": 10})
        write.insert({"id": 3, "g": "a", "n": 3})
    assert dict(result) == {"a": {"n": 5}, "b": {"n": 10}}
    assert sorted(calls) == [("add", 3), ("add", 10), ("retract", 1)]


def test_a_separator_survives_a_function_call_beside_it() -> None:
    given = source(*ROWS[:2])
    x = given.alias("x")
    loud = string_agg(fn(str.upper, x.s), ", ", order_by=x.s)
    assert live(query(x).select(s=loud, all=collect(x.s))).rows() == [
        {"s": "A, C", "all": ["c", "a"]}
    ]


def test_strict_mode_names_an_add_that_changes_its_state() -> None:
    def add(state: list[int], value: int) -> list[int]:
        state.append(value)
        return state

    def watch() -> None:
        with strict():
            given = source(*ROWS[:2])
            x = given.alias("x")
            live(query(x).select(n=aggregate(x.id, list, add, taken)))

    with pytest.raises(InvariantError, match=r"aggregate add function .* changed the state"):
        watch()
