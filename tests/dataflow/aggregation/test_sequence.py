"""OrderedRows against sorting the rows from scratch."""

from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.aggregation import blocks
from dataflow.aggregation.sequence import OrderedRows
from dataflow.values.order import Direction, order_key, row_sort_key

OBJECTS = st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=2)
BY_VALUE = order_key([Direction(descending=True)])


def sorted_rows(model: dict[int, object]) -> list[tuple[int, object]]:
    return sorted(model.items(), key=lambda item: (BY_VALUE([item[1]]), row_sort_key(item[0])))


@given(st.lists(st.tuples(st.integers(0, 40), OBJECTS, st.booleans()), max_size=80))
def test_rows_stay_in_order_of_order_key_then_row_key(
    history: list[tuple[int, object, bool]],
) -> None:
    with mock.patch.object(blocks, "CAPACITY", 8):
        rows: OrderedRows[tuple[int, object]] = OrderedRows()
        model: dict[int, object] = {}
        for key, value, delete in history:
            if key in model:
                old = key, model.pop(key)
                before = sorted_rows({**model, key: old[1]})
                position = rows.remove(BY_VALUE([old[1]]), row_sort_key(key))
                assert before[position][0] == key
            if not delete:
                model[key] = value
                row = key, value
                position = rows.add(BY_VALUE([value]), row_sort_key(key), row)
                assert sorted_rows(model)[position][0] == key
            rows._check()
            assert [key for key, _ in rows.rows()] == [key for key, _ in sorted_rows(model)]


def test_a_row_with_the_same_keys_is_replaced_in_place() -> None:
    rows: OrderedRows[str] = OrderedRows()
    for key in "abc":
        rows.add(1, key, f"old {key}")
    assert rows.add(1, "b", "new b") == 1
    assert rows.rows() == ["old a", "new b", "old c"]


def test_the_list_of_rows_is_a_new_one_each_time() -> None:
    rows: OrderedRows[str] = OrderedRows()
    rows.add(1, "a", "row")
    rows.rows().clear()
    assert rows.rows() == ["row"]


def test_no_rows_have_neither_first_nor_last() -> None:
    rows: OrderedRows[str] = OrderedRows()
    assert (rows.first(), rows.last(), rows.rows(), len(rows)) == (None, None, [], 0)


def test_removing_a_missing_row_raises_and_changes_nothing() -> None:
    rows: OrderedRows[str] = OrderedRows()
    rows.add(1, "a", "row")
    with pytest.raises(KeyError):
        rows.remove(1, "b")
    rows._check()
    assert rows.rows() == ["row"]
