"""Values that are alike cannot be told apart."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from dataflow.values.equality import equal
from dataflow.values.identity import alike
from tests.dataflow.values.samples import PAIRS, SAMPLES

SUMMER = timezone(timedelta(hours=2))


def test_what_is_alike_is_equal_of_one_class_and_written_alike() -> None:
    found = [(a, b) for a, b in PAIRS if a is not b and alike(a, b)]
    assert [(a, b) for a, b in found if not equal(a, b)] == []
    assert [(a, b) for a, b in found if type(a) is not type(b) or repr(a) != repr(b)] == []


def test_every_value_is_like_itself() -> None:
    assert [value for value in SAMPLES if not alike(value, value)] == []


@pytest.mark.parametrize(
    "value",
    ["text" * 3, 12_345, 1.5, Decimal("1.50"), [1, "a", None, [2.5]], {"a": 1, "b": {"c": [True]}}],
)
def test_a_value_decoded_twice_is_like_itself(value: Any) -> None:
    assert alike(value, deepcopy(value))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 1.0),
        (0.0, -0.0),
        (Decimal("1.5"), Decimal("1.50")),
        ([1], [1.0]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": None}, {}),
        (datetime(2026, 1, 1, 2, tzinfo=SUMMER), datetime(2026, 1, 1, tzinfo=timezone.utc)),  # noqa: UP017 - beside another timezone
    ],
)
def test_equal_values_that_look_different_are_not_alike(a: Any, b: Any) -> None:
    assert equal(a, b)
    assert not alike(a, b)
