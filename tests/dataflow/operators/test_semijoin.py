"""Semijoin against its definition."""

from __future__ import annotations

from hypothesis import given

from tests.dataflow.operators.definitions import semijoin
from tests.dataflow.operators.running import (
    Epoch,
    assert_incremental,
    histories,
    key_of,
    value_of,
)


@given(histories(sources=2))
def test_semijoin_keeps_rows_whose_key_the_right_side_has(history: list[Epoch]) -> None:
    assert_incremental(
        lambda left, right: left.semijoin(right, left_key=key_of, right_key=key_of),
        lambda left, right: semijoin(left, right, key_of, key_of),
        history,
    )


@given(histories())
def test_both_sides_may_be_one_relation(history: list[Epoch]) -> None:
    assert_incremental(
        lambda source: source.semijoin(source, left_key=key_of, right_key=value_of),
        lambda bag: semijoin(bag, bag, key_of, value_of),
        history,
    )
