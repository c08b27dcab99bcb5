"""Concat against its definition."""

from __future__ import annotations

from hypothesis import given

from tests.dataflow.operators.running import Epoch, assert_incremental, histories


@given(histories(sources=3))
def test_concat_adds_up_weights(history: list[Epoch]) -> None:
    assert_incremental(
        lambda one, two, three: one.concat(two, three),
        lambda one, two, three: one + two + three,
        history,
    )


@given(histories())
def test_a_stream_given_twice_counts_twice(history: list[Epoch]) -> None:
    assert_incremental(lambda one: one.concat(one), lambda one: one + one, history)
