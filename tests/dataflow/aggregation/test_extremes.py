"""Extremes against sorting what is held from scratch."""

import math
import random
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dataflow.aggregation import blocks
from dataflow.aggregation import extremes as ends
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

ONE_CLASS = (
    st.lists(st.integers(-3, 3), max_size=20)
    | st.lists(st.text("ab", max_size=2), max_size=20)
    | st.lists(st.sampled_from([1.0, 2.5, 0.0, -0.0, math.inf, -math.inf, math.nan]), max_size=20)
    | st.lists(st.floats(-2.0, 2.0), max_size=20)
)


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


@example([math.inf, -math.inf], [], 0)
@given(
    st.lists(VALUES, max_size=5) | ONE_CLASS,
    st.lists(st.tuples(VALUES, st.integers(0, 50)), max_size=80),
    st.integers(0, 3),
)
def test_any_history_equals_sorting_what_is_held(
    loaded: list[object], history: list[tuple[object, int]], read_every: int
) -> None:
    with mock.patch.object(blocks, "CAPACITY", 8), mock.patch.object(ends, "LONGEST", 4):
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
    extremes.add(0)
    extremes.add(10_000.5)  # of another class: from now on there is an order
    for value in range(1, 5_000):
        extremes.add(value)
        extremes.remove(value)
        assert len(extremes._order) < 30
    extremes._check()
    assert (extremes.minimum(), extremes.maximum()) == (0, 10_000.5)


def test_a_long_run_is_kept_in_pieces_and_ends_like_a_short_one() -> None:
    extremes = Extremes()
    extremes.load([value % 1_000 for value in range(ends.LONGEST)])
    held: list[object] = [*sorted(value % 1_000 for value in range(ends.LONGEST))]
    for value in (7, -1, 2_000):
        extremes.add(value)
        held.append(value)
        extremes._check()
        assert_ends(extremes, held)
    assert not isinstance(extremes._run, list)
    extremes.remove(-1)
    held.remove(-1)
    extremes.add("text")
    held.append("text")
    extremes._check()
    assert_ends(extremes, held)


@pytest.mark.parametrize("value", [math.nan, -0.0])
def test_floats_that_are_not_known_by_their_value_end_the_run(value: float) -> None:
    extremes = Extremes()
    extremes.load([0.0, 1.5])
    extremes.add(value)
    extremes._check()
    assert extremes._run is None
    extremes.remove(0.0)
    extremes.remove(1.5)
    assert look(extremes.minimum(), extremes.maximum()) == look(value, value)


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
