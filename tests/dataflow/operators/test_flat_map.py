"""Flat map against its definition."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from tests.dataflow.operators.running import Epoch, assert_incremental, histories


def parts(row: Any) -> list[Any]:
    return [] if row[0] == "a" else [row[0], row[1], row[1]]


@given(histories())
def test_flat_map_makes_any_number_of_rows_and_counts_repeated_ones(history: list[Epoch]) -> None:
    assert_incremental(
        lambda source: source.flat_map(parts),
        lambda bag: [(part, weight) for row, weight in bag for part in parts(row)],
        history,
    )
