"""Join against its definition."""

from __future__ import annotations

from hypothesis import given

from tests.dataflow.operators.definitions import join
from tests.dataflow.operators.running import (
    Epoch,
    assert_incremental,
    histories,
    key_of,
    value_of,
)


@given(histories(sources=2))
def test_join_pairs_rows_of_equal_keys_and_multiplies_weights(history: list[Epoch]) -> None:
    assert_incremental(
        lambda left, right: left.join(right, left_key=key_of, right_key=key_of),
        lambda left, right: join(left, right, key_of, key_of),
        history,
    )


@given(histories())
def test_a_relation_joins_with_itself(history: list[Epoch]) -> None:
    assert_incremental(
        lambda source: source.join(source, left_key=key_of, right_key=value_of),
        lambda bag: join(bag, bag, key_of, value_of),
        history,
    )


@given(histories(sources=2))
def test_joined_rows_are_what_into_makes_of_them(history: list[Epoch]) -> None:
    assert_incremental(
        lambda left, right: left.join(
            right, left_key=key_of, right_key=key_of, into=lambda a, b: [a[1], b[1]]
        ),
        lambda left, right: [
            ([a[1], b[1]], weight) for (a, b), weight in join(left, right, key_of, key_of)
        ],
        history,
    )


@given(histories(sources=3))
def test_changed_inputs_that_come_from_one_source_meet_once(history: list[Epoch]) -> None:
    assert_incremental(
        lambda one, two, three: one.concat(two).join(
            one.concat(three), left_key=key_of, right_key=key_of
        ),
        lambda one, two, three: join(one + two, one + three, key_of, key_of),
        history,
    )
