"""The rules of null, equality, order and normal form, as the oracle has them, case by case."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from dataflow.values.null import ABSENT
from tests.oracle.semantics import by_total_order, comparable, field_of, normal, same


@dataclass
class Point:
    x: int
    y: int | None = None


ASCENDING: list[Any] = [
    ABSENT,
    None,
    False,
    True,
    -math.inf,
    -1,
    0.5,
    1,
    10**20,
    math.inf,
    math.nan,
    "",
    "B",
    "a",
    b"a",
    datetime(2026, 1, 1),  # noqa: DTZ001 - naive on purpose
    datetime(2026, 1, 1, tzinfo=UTC),
    timedelta(1),
    (1, 2),
    (2,),
    [],
    [None],
    [1],
    {},
    {"a": 1},
    Point(1),
]


def test_total_order_ranks_kinds_and_sorts_within_them() -> None:
    shuffled = ASCENDING.copy()
    random.Random(7).shuffle(shuffled)
    assert sorted(shuffled, key=by_total_order) == ASCENDING


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (1, "1", False),
        (-0.0, 0.0, True),
        (math.nan, -math.nan, True),
        (math.nan, math.inf, False),
        (None, None, True),
        (None, ABSENT, False),
        ([1, None], [1.0, None], True),
        ([1], (1,), False),
        ({"a": 1, "b": None}, {"a": 1.0}, True),
        ({"a": True}, {"a": 1}, False),
        (Point(1), Point(1, None), True),
        (Point(1), {"x": 1}, False),
        (
            datetime(2026, 1, 1, 12, tzinfo=UTC),
            datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=1))),
            True,
        ),
    ],
)
def test_equality_by_contract(a: Any, b: Any, equal: bool) -> None:
    assert same(a, b) is equal
    assert same(b, a) is equal


@pytest.mark.parametrize(
    ("a", "b", "answer"),
    [
        (1, 2.5, True),
        (1, math.nan, True),
        ("a", "b", True),
        ([1], [2], True),
        (1, "2", False),
        (1, True, False),
        (None, None, False),
        (None, 1, False),
        ({"a": 1}, {"a": 2}, False),
    ],
)
def test_ordering_comparison_has_an_answer_within_one_ordered_kind(
    a: Any, b: Any, answer: bool
) -> None:
    assert comparable(a, b) is answer


def test_normal_form_makes_integral_floats_ints_inside_containers_too() -> None:
    value = normal([1.0, -0.0, 0.5, True, {"a": (2.0, None)}])
    assert value == [1, 0, 0.5, True, {"a": (2, None)}]
    assert [type(part) for part in value[:4]] == [int, int, float, bool]
    assert type(value[4]["a"][0]) is int


def test_a_missing_field_is_null_in_every_kind_of_row() -> None:
    assert [field_of(row, "y") for row in ({"x": 1}, {"y": None}, Point(1), None)] == [None] * 4
