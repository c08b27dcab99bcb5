"""Partitions: after any edits their values are those of the rows they hold, at the cost they promise."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.aggregation.partitions import Sequence, Unordered
from dataflow.aggregation.positions import (
    Member,
    Rank,
    RowNumber,
    RunningCount,
    RunningExtreme,
    RunningTotal,
    Shift,
    Whole,
)
from dataflow.values.order import sort_key

if TYPE_CHECKING:
    from collections.abc import Callable

VALUES = (None, 0, 1, 2, 0.5, 0.1, 1e100)
ROWS = 1_000


def member(key: int, order: int, value: Any) -> Member:
    return Member(key, (), (sort_key(order), key), (value, key))


def ranked() -> Sequence:
    return Sequence([RowNumber(0), Rank(1, dense=False), Rank(2, dense=True), Shift(0, 1, 2)])


def running() -> Sequence:
    return Sequence(
        [
            RunningTotal(0, mean=False),
            RunningTotal(0, mean=True),
            RunningCount(2, 0),
            RunningExtreme(3, 0, largest=False),
            RunningExtreme(4, 0, largest=True),
            Shift(0, 1, -3),
        ]
    )


def shifted() -> Sequence:
    return Sequence([Shift(0, 1, 2), Shift(0, 1, -1)])


def unordered() -> Unordered:
    return Unordered([Whole(0, kind) for kind in ("count", "sum", "avg", "min", "max")])


@pytest.mark.parametrize("make", [ranked, running, shifted, unordered])
@given(seed=st.integers(0, 2**32))
def test_edits_end_where_the_rows_alone_would(
    make: Callable[[], Sequence | Unordered], seed: int
) -> None:
    rng = random.Random(seed)
    partition = make()
    held: dict[int, Member] = {}
    shown: dict[int, Any] = {}
    for _ in range(6):
        touched = rng.sample(range(12), rng.randint(1, 4))
        gone = [held.pop(key) for key in touched if key in held]
        come = [member(key, rng.randrange(3), rng.choice(VALUES)) for key in touched[::2]]
        if not gone and not come:
            continue
        held |= {each.key: each for each in come}
        for each in gone:
            del shown[each.key]
        shown |= {each.key: each.values for each in partition.edit(gone, come)}
        fresh = [
            Member(each.key, (), each.place, each.arguments)
            for each in rng.sample(list(held.values()), len(held))
        ]
        if fresh:
            make().edit([], fresh)
        assert shown == {each.key: each.values for each in fresh}
        assert len(partition) == len(held)


@pytest.mark.parametrize(
    ("make", "order", "walked"),
    [
        (ranked, ROWS, 1),
        (ranked, ROWS // 2, ROWS // 2),
        (running, ROWS, 4),
        (shifted, ROWS // 2, 4),
        (shifted, -1, 3),
    ],
)
def test_an_edit_walks_from_the_place_touched_and_no_further_than_it_matters(
    make: Callable[[], Sequence], order: int, walked: int
) -> None:
    partition = make()
    partition.edit([], [member(key, key, 1) for key in range(ROWS)])
    before = partition.walked
    partition.edit([], [member(ROWS, order, 2)])
    assert partition.walked - before == walked


def test_rows_without_order_are_looked_at_when_their_value_changes() -> None:
    partition = unordered()
    partition.edit([], [member(key, 0, 1) for key in range(ROWS)])
    held = partition.walked
    row = member(ROWS, 0, None)
    assert partition.edit([], [row]) == [row]
    assert partition.walked - held == 1
    assert len(partition.edit([row], [member(ROWS, 0, 9)])) == ROWS + 1
