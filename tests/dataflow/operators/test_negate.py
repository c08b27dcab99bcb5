"""Negate against its definition."""

from __future__ import annotations

from hypothesis import given

from tests.dataflow.operators.running import Epoch, assert_incremental, histories


@given(histories())
def test_negate_turns_the_sign_of_weights(history: list[Epoch]) -> None:
    assert_incremental(
        lambda source: source.negate(),
        lambda bag: [(row, -weight) for row, weight in bag],
        history,
    )


@given(histories(sources=2))
def test_with_concat_it_subtracts(history: list[Epoch]) -> None:
    assert_incremental(
        lambda one, two: one.concat(two.negate()),
        lambda one, two: one + [(row, -weight) for row, weight in two],
        history,
    )
