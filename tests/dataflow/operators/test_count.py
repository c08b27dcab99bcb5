"""Count against its definition."""

from __future__ import annotations

from hypothesis import given

from tests.dataflow.operators.definitions import Bag, groups
from tests.dataflow.operators.running import Epoch, assert_incremental, histories, key_of


def counts(bag: Bag) -> Bag:
    sums = [(key, sum(weight for _, weight in rows)) for key, rows in groups(bag, key_of)]
    return [((key, total), 1) for key, total in sums if total]


@given(histories())
def test_count_sums_up_the_weights_of_each_key(history: list[Epoch]) -> None:
    assert_incremental(lambda source: source.count(key=key_of), counts, history)


@given(histories())
def test_without_a_key_all_rows_are_one_group(history: list[Epoch]) -> None:
    def total(bag: Bag) -> Bag:
        found = sum(weight for _, weight in bag)
        return [(((), found), 1)] if found else []

    assert_incremental(lambda source: source.count(), total, history)
