"""Equality against the contract, over all pairs of samples and at random."""

from copy import deepcopy
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from dataflow.values.equality import equal, equal_mappings
from dataflow.values.null import ABSENT
from tests.dataflow.values.contract import canonical
from tests.dataflow.values.samples import HOSTILE, PAIRS, Hostile, Text, values


def test_every_pair_of_samples_is_equal_exactly_if_spelled_alike() -> None:
    wrong = [(a, b) for a, b in PAIRS if equal(a, b) != (canonical(a) == canonical(b))]
    assert wrong == []


@given(values(), values(), values())
def test_equality_is_an_equivalence(a: object, b: object, c: object) -> None:
    assert equal(a, a)
    assert equal(a, b) == equal(b, a)
    assert not (equal(a, b) and equal(b, c)) or equal(a, c)


@given(values(), values())
def test_random_values_are_equal_exactly_if_spelled_alike(a: object, b: object) -> None:
    assert equal(a, b) == (canonical(a) == canonical(b))


def test_a_copy_with_other_identities_is_equal() -> None:
    row = {"id": "m" * 9, "score": 0.1, "nan": float("nan"), "meta": {"tags": ["a", {"b": None}]}}
    assert equal(row, deepcopy(row))


def test_an_eq_that_raises_means_different() -> None:
    assert not equal(HOSTILE, Hostile())
    assert equal(HOSTILE, HOSTILE)
    assert not equal([HOSTILE], [Hostile()])


def test_a_text_is_compared_as_text_whatever_its_class_says() -> None:
    assert equal(Text("a"), "a")
    assert equal({"name": Text("a")}, {"name": "a"})


def test_both_readings_of_a_repeated_hour_are_different_instants() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 2, 30, tzinfo=berlin)
    second = first.replace(fold=1)
    assert first == second  # what Python says
    assert not equal(first, second)


def test_absent_equals_itself_alone() -> None:
    assert equal(ABSENT, ABSENT)
    assert not equal(ABSENT, None)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1, "b": None}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": None}, True),
        ({"a": 1}, {"a": 1, "b": 0}, False),
        ({"a": None}, {"b": 1}, False),
        ({"a": None}, {"b": None}, True),
        ({"a": 1, 1: None}, {"a": 1, True: None}, True),
        ({1: "x", "a": 1}, {True: "x", "a": 1}, False),
        (MappingProxyType({"a": 1.0}), {"a": 1}, True),
    ],
)
def test_a_null_field_of_a_mapping_is_a_missing_one(
    a: dict[object, object], b: dict[object, object], same: bool
) -> None:
    assert equal_mappings(a, b) is same
    assert equal_mappings(b, a) is same
