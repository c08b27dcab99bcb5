"""Extremes against sorting what is held from scratch."""

import math
import random
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.aggregation import blocks
from dataflow.aggregation.extremes import Extremes
from dataflow.values.equality import equal
from dataflow.values.order import sort_key

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOON_IN_ROME = NOON.astimezone(timezone(timedelta(hours=1)))

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([1.0, -0.0, 0.0, 2.5, math.nan, math.inf, Decimal("1.00"), Decimal("NaN")])
    | st.text("ab", max_size=2)
    | st.sampled_from([NOON, NOON_IN_ROME, NOON.replace(tzinfo=None)])
)
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text("ab"), SCALARS)


class Color(StrEnum):
    RED = "red"


class Unordered:
    __hash__ = None  # type: ignore[assignment]  # the hardest case: neither ordered nor hashable


def look(*results: object) -> list[tuple[type, str]]:
    return [(type(result), repr(result)) for result in results]


def assert_ends(extremes: Extremes, held: list[object]) -> None:
    present = sorted([value for value in held if value is not None], key=sort_key)
    assert equal(extremes.minimum(), present[0] if present else None)
    assert equal(extremes.maximum(), present[-1] if present else None)


@given(
    st.lists(VALUES, max_size=5) | st.lists(st.integers(-3, 3), max_size=20),
    st.lists(st.tuples(VALUES, st.integers(0, 50)), max_size=80),
    st.integers(0, 3),
)
def test_any_history_equals_sorting_what_is_held(
    loaded: list[object], history: list[tuple[object, int]], read_every: int
) -> None:
    with mock.patch.object(blocks, "CAPACITY", 8):
        extremes = Extremes()
        extremes.load(loaded.copy())
        extremes._check()
        held = loaded.copy()
        assert_ends(extremes, held)
        for turn, (value, place) in enumerate(history):
            if place < len(held):
                extremes.remove(held.pop(place))
            else:
                held.append(value)
                extremes.add(value)
            extremes._check()
            if read_every and turn % read_every == 0:
                assert_ends(extremes, held)
        assert_ends(extremes, held)
        for value in held:
            extremes.remove(value)
            extremes._check()
        assert_ends(extremes, [])


@given(st.lists(SCALARS), st.lists(SCALARS), st.randoms(use_true_random=False))
def test_the_look_of_a_result_depends_on_the_values_held_alone(
    values: list[object], noise: list[object], shuffler: random.Random
) -> None:
    plain = Extremes()
    for value in values:
        plain.add(value)
    shuffled = Extremes()
    mixed = values + noise
    shuffler.shuffle(mixed)
    for value in mixed:
        shuffled.add(value)
        shuffled.minimum()
    shuffler.shuffle(noise)
    for value in noise:
        shuffled.remove(value)
        shuffled.maximum()
    assert look(shuffled.minimum(), shuffled.maximum()) == look(plain.minimum(), plain.maximum())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, Decimal("1.00")),
        (1.0, Decimal(1)),
        (0.0, -0.0),
        (NOON, NOON_IN_ROME),
        ("red", Color.RED),
    ],
)
def test_equal_values_of_two_looks_come_out_as_they_went_in(one: object, other: object) -> None:
    assert equal(one, other)
    extremes = Extremes()
    extremes.add(one)
    extremes.add(other)
    extremes.remove(one)
    extremes._check()
    assert look(extremes.minimum(), extremes.maximum()) == look(other, other)
    extremes.add(one)
    extremes.remove(other)
    assert look(extremes.minimum(), extremes.maximum()) == look(one, one)


def test_a_value_stays_until_its_last_occurrence_is_removed() -> None:
    extremes = Extremes()
    for value in (5, 1, 1):
        extremes.add(value)
    extremes.remove(1)
    assert extremes.minimum() == 1
    extremes.remove(1)
    assert extremes.minimum() == 5


def test_a_value_that_went_unseen_can_come_back() -> None:
    extremes = Extremes()
    for value in ("a", "b", "c"):
        extremes.add(value)
    extremes.remove("b")
    extremes.add("b")
    extremes.remove("a")
    extremes.remove("c")
    extremes._check()
    assert (extremes.minimum(), extremes.maximum()) == ("b", "b")


def test_places_of_values_that_went_do_not_pile_up() -> None:
    extremes = Extremes()
    extremes.add(-1)
    extremes.add(0)
    extremes.add(10_000)
    extremes.remove(-1)  # an end goes: from now on there is an order
    for value in range(1, 5_000):
        extremes.add(value)
        extremes.remove(value)
        assert len(extremes._order) < 30
    extremes._check()
    assert (extremes.minimum(), extremes.maximum()) == (0, 10_000)


def test_no_order_is_kept_while_both_ends_stay() -> None:
    extremes = Extremes()
    for value in (0, 10_000, *range(1, 100)):
        extremes.add(value)
    for value in range(1, 100):
        extremes.remove(value)
    extremes._check()
    assert extremes._tally is not None
    assert (extremes.minimum(), extremes.maximum()) == (0, 10_000)


def test_loaded_values_are_counted_when_the_first_one_comes_or_goes() -> None:
    extremes = Extremes()
    extremes.load([3, 1, 1, 2])
    assert (extremes.minimum(), extremes.maximum()) == (1, 3)
    extremes.remove(1)
    extremes._check()
    assert extremes._tally == {3: 1, 1: 1, 2: 1}
    extremes.load([0, None])
    assert (extremes.minimum(), extremes.maximum()) == (0, 3)


def test_objects_without_order_or_hash_are_told_apart() -> None:
    first, second = Unordered(), Unordered()
    extremes = Extremes()
    extremes.add(first)
    extremes.add(second)
    extremes.remove(first)
    extremes._check()
    assert extremes.minimum() is extremes.maximum() is second


def test_removing_a_value_that_is_not_held_raises() -> None:
    extremes = Extremes()
    extremes.add(True)
    with pytest.raises(KeyError):
        extremes.remove(1)
    extremes._check()
    assert extremes.minimum() is True
