"""Distinct against its definition."""

from __future__ import annotations

from hypothesis import given

from tests.dataflow.operators.definitions import as_set
from tests.dataflow.operators.running import Epoch, assert_incremental, histories


@given(histories())
def test_distinct_keeps_each_row_of_positive_weight_once(history: list[Epoch]) -> None:
    assert_incremental(lambda source: source.distinct(), as_set, history)
