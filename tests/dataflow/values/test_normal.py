"""The normal form: its two laws, and what it shows."""

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from dataflow.values.equality import equal
from dataflow.values.frozen import FALSE, TRUE, FrozenDict, FrozenList
from dataflow.values.normal import NAN, PLAIN, expose, normal
from dataflow.values.null import ABSENT
from tests.dataflow.values.samples import PAIRS, SAMPLES, Color, Level, Role, Text, values


def is_one_key(a: object, b: object) -> bool:
    return len({normal(a): 1, normal(b): 2}) == 1


def test_samples_are_one_key_exactly_if_equal() -> None:
    wrong = [(a, b) for a, b in PAIRS if equal(a, b) != is_one_key(a, b)]
    assert wrong == []


@given(values(), values())
def test_random_values_are_one_key_exactly_if_equal(a: object, b: object) -> None:
    assert equal(a, b) == ((normal(a),) == (normal(b),)) == is_one_key(a, b)


@given(values())
def test_what_is_exposed_equals_what_was_normalised(a: object) -> None:
    assert equal(expose(normal(a)), a)
    assert is_one_key(expose(normal(a)), a)
    assert is_one_key(normal(a), a)


def test_plain_classes_are_their_own_normal_form() -> None:
    plain = [value for value in (*SAMPLES, ABSENT) if type(value) in PLAIN]
    assert [value for value in plain if normal(value) is not value] == []
    assert {type(value) for value in plain} > {str, int, type(None), bytes}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.0, 1),
        (-0.0, 0),
        (Decimal("2.50"), Decimal("2.5")),
        (Decimal("3.00"), 3),
        (Decimal("Infinity"), float("inf")),
        (Text("a"), "a"),
        (Level.HIGH, 2),
        (Role.USER, "user"),
        (Color.RED, "red"),
        (True, True),
        ((True, 1.0, "a"), (True, 1, "a")),
        ([1.0, [True]], [1, [True]]),
        ({"a": 1.0}, {"a": 1}),
        (bytearray(b"x"), b"x"),
    ],
)
def test_keys_are_shown_in_normal_form(value: object, shown: object) -> None:
    key = expose(normal(value))
    assert key == shown
    assert repr(key) == repr(shown) or isinstance(shown, Decimal)


def test_aware_datetimes_are_shown_in_utc() -> None:
    key = expose(normal(datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))))
    assert key == datetime(2026, 1, 1, tzinfo=UTC)
    assert key.tzinfo is UTC


def test_a_datetime_without_an_instant_in_the_calendar_is_a_key_all_the_same() -> None:
    last = datetime.max.replace(tzinfo=timezone(-timedelta(hours=2)))
    assert normal(last) == last


class NoOffset(tzinfo):
    """A zone that knows no offset, which leaves a datetime naive."""

    def utcoffset(self, _: datetime | None, /) -> None:
        return None

    def dst(self, _: datetime | None, /) -> None:
        return None

    def tzname(self, _: datetime | None, /) -> None:
        return None


def test_a_datetime_whose_zone_has_no_offset_is_naive() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - naive on purpose
    nowhere = naive.replace(tzinfo=NoOffset())
    assert is_one_key(nowhere, naive)
    assert equal(nowhere, naive)
    assert not equal(nowhere, naive.replace(tzinfo=UTC))
    assert expose(normal(nowhere)).tzinfo is None


def test_every_nan_is_one_object() -> None:
    assert normal(float("nan")) is normal(Decimal("NaN")) is normal(Decimal("sNaN")) is NAN
    assert {normal(float("nan")): "found"}[NAN] == "found"


def test_a_decimal_too_large_for_memory_stays_one() -> None:
    huge = Decimal("1E+999999")
    assert normal(huge) is huge


def test_bools_are_not_found_among_numbers() -> None:
    keys = {normal(1): "one", normal(True): "true", normal(0): "zero", normal(False): "false"}
    assert [keys[normal(value)] for value in (1, True, 0.0, False)] == [
        "one",
        "true",
        "zero",
        "false",
    ]


def test_stand_ins_of_containers_equal_what_they_stand_for() -> None:
    value = {"a": [True, {"b": None, "c": 1}], "n": None}
    key: Any = normal(value)
    assert key == value
    assert (key != value) is False
    assert value == key
    assert expose(key) == value
    assert key == {"a": [True, {"c": 1}]}
    assert key != {"a": []}
    assert key != 1


@pytest.mark.parametrize(
    "mutate",
    [
        lambda key: key["list"].append(1),
        lambda key: key["list"].__setitem__(0, 2),
        lambda key: key["list"].sort(),
        lambda key: key.update(a=1),
        lambda key: key.__setitem__("a", 1),
        lambda key: key.pop("list"),
    ],
)
def test_stand_ins_refuse_to_change(mutate: object) -> None:
    key: Any = normal({"list": [1]})
    with pytest.raises(TypeError, match="is immutable"):
        mutate(key)  # type: ignore[operator]  # a lambda
    assert key == {"list": [1]}


@pytest.mark.parametrize("key", [TRUE, FALSE, ABSENT, FrozenList([1]), FrozenDict({"a": 1})])
def test_stand_ins_survive_copying_and_pickling(key: object) -> None:
    for twin in (copy.copy(key), copy.deepcopy(key), pickle.loads(pickle.dumps(key))):
        assert twin == key
        assert type(twin) is type(key)
    assert copy.deepcopy(ABSENT) is pickle.loads(pickle.dumps(ABSENT)) is ABSENT
    assert copy.deepcopy(TRUE) is pickle.loads(pickle.dumps(TRUE)) is TRUE
