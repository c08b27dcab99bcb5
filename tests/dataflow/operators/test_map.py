"""Map against its definition."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from tests.dataflow.operators.running import Epoch, assert_incremental, histories


def swapped(row: Any) -> Any:
    return [row[1], row[0]]


@given(histories())
def test_map_makes_one_row_of_each(history: list[Epoch]) -> None:
    assert_incremental(
        lambda source: source.map(swapped),
        lambda bag: [(swapped(row), weight) for row, weight in bag],
        history,
    )


@given(histories())
def test_rows_that_become_equal_add_up(history: list[Epoch]) -> None:
    assert_incremental(
        lambda source: source.map(lambda _: "any"),
        lambda bag: [("any", weight) for _, weight in bag],
        history,
    )
