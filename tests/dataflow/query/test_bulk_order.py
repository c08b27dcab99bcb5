"""Rows put in order before entries are made of them: a hint that must leave nothing out."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow import Collection, live, query, run
from dataflow.query.compiler import bulk_order
from dataflow.query.compiler.bulk_order import Leading, first_rows, places_of
from dataflow.values.order import Direction, column_key

COLUMNS = st.one_of(
    st.lists(st.integers(-3, 3), max_size=30),
    st.lists(st.integers(-(2**70), 2**70), max_size=30),
    st.lists(st.text("ab", max_size=2), max_size=30),
    st.lists(st.sampled_from([None, True, 1, 2.5, float("nan"), "a"]), max_size=30),
)


def leading(*, descending: bool) -> Leading:
    return Leading(lambda rows: [row["x"] for row in rows], descending)


def in_order(values: list[Any], *, descending: bool) -> list[int]:
    key = column_key(Direction(descending))
    return sorted(range(len(values)), key=lambda place: (key(values[place]), place))


@given(COLUMNS, st.booleans(), st.integers(1, 12))
def test_nothing_of_the_head_is_left_out(values: list[Any], descending: bool, wanted: int) -> None:
    rows = {key: {"x": value} for key, value in enumerate(values)}
    expected = in_order(values, descending=descending)
    head, found = first_rows(rows, leading(descending=descending), wanted)
    assert set(expected[:wanted]) <= set(head)
    assert [rows[key] for key in head] == found


@given(COLUMNS, st.booleans(), st.sampled_from([1, 1_000]))
def test_places_are_those_of_all_entries(values: list[Any], descending: bool, many: int) -> None:
    key = column_key(Direction(descending))
    entries = [(*key(value), 2, place, place) for place, value in enumerate(values)]
    with mock.patch.object(bulk_order, "MANY", many):
        places = places_of(entries)
    assert places is None or [entries[place] for place in places] == sorted(entries)


@given(COLUMNS, st.booleans(), st.none() | st.integers(0, 5), st.sampled_from([1, 1_000]))
def test_a_query_starts_in_order(
    values: list[Any], descending: bool, limit: int | None, many: int
) -> None:
    items = Collection("items", key="id")
    with items.sync() as write:
        write.insert_all([{"id": key, "x": value} for key, value in enumerate(values)])
    item = items.alias()
    ordered = query(item).order_by(item.x.desc() if descending else item.x)
    with mock.patch.object(bulk_order, "MANY", many):
        rows = run(ordered if limit is None else ordered.limit(limit))
    assert [row["id"] for row in rows] == in_order(values, descending=descending)[:limit]


@pytest.mark.parametrize("descending", [True, False])
def test_rows_that_lack_the_column_are_ordered_all_the_same(descending: bool) -> None:
    items = Collection("items", key="id")
    with items.sync() as write:
        write.insert_all([{"id": 1, "x": 2}, {"id": 2}, {"id": 3, "x": 1}])
    item = items.alias()
    result = live(query(item).order_by(item.x.desc() if descending else item.x))
    assert [row["id"] for row in result.rows()] == ([2, 1, 3] if descending else [2, 3, 1])
