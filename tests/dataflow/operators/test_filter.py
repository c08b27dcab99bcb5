"""Filter against its definition."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from tests.dataflow.operators.running import Epoch, assert_incremental, histories


def has_value(row: Any) -> Any:
    return row[1]


@given(histories())
def test_filter_keeps_rows_that_are_true_to_python(history: list[Epoch]) -> None:
    assert_incremental(
        lambda source: source.filter(has_value),
        lambda bag: [(row, weight) for row, weight in bag if has_value(row)],
        history,
    )
