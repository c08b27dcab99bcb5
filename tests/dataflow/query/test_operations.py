from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, StrEnum
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.query.operations.registry import OPERATIONS
from dataflow.values.equality import equal


class Role(StrEnum):
    USER = "user"


class Level(Enum):
    HIGH = 3


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def compute(name: str, *args: Any) -> Any:
    function = OPERATIONS[name].function
    assert function is not None
    return function(*args)


@pytest.mark.parametrize(
    ("name", "args", "value"),
    [
        ("in", (1, (1.0, 2)), True),
        ("in", (3, (1, None)), None),
        ("in", (None, (1,)), None),
        ("in", (True, (1,)), False),
        ("in_any", (1, 2, 1), True),
        ("in_any", (1, 2, None), None),
        ("is_null", (None,), True),
        ("is_not_null", (0,), True),
        ("is_not_null", (None,), False),
        ("like", ("a\nb.c", "a%c"), True),
        ("like", ("abc", "a_c"), True),
        ("like", ("abc", "A_C"), False),
        ("like", ("a.c", "a\\.c"), False),
        ("like", (Role.USER, "us%"), True),
        ("like", (1, "1"), None),
        ("like", ("a", None), None),
        ("ilike", ("ABC", "a_c"), True),
        ("ilike", (None, "a"), None),
        ("contains", ("hello", "ell"), True),
        ("contains", ("hello", "x"), False),
        ("contains", ("1", 1), None),
        ("contains", ([1, None, "a"], 1.0), True),
        ("contains", ((1, None), 2), False),
        ("contains", ({1, 2}, 2), True),
        ("contains", ([None], None), None),
        ("contains", (None, 1), None),
        ("contains", ({"a": 1}, "a"), True),
        ("starts_with", ("hello", "he"), True),
        ("starts_with", ("hello", None), None),
        ("ends_with", ("hello", "lo"), True),
        ("ends_with", (1, "lo"), None),
        ("upper", ("straße",), "STRASSE"),
        ("upper", (1,), None),
        ("lower", ("ABC",), "abc"),
        ("lower", (None,), None),
        ("trim", (" a \n",), "a"),
        ("trim", ([],), None),
        ("length", ("äöü",), 3),
        ("length", ([1, None],), 2),
        ("length", ({"a": 1},), 1),
        ("length", (3,), None),
        ("concat", ("a", None, "b"), "ab"),
        ("concat", (None,), ""),
        ("concat", ("n", 1, ":", 2.0, ":", 0.5), "n1:2:0.5"),
        ("concat", (Role.USER, Level.HIGH, True), "user3True"),
        ("concat", ("a", [1]), None),
        ("concat", ("a", b"b"), None),
        ("substring", ("hello", 1), "ello"),
        ("substring", ("hello", 1, 2), "el"),
        ("substring", ("hello", -3, 2), "ll"),
        ("substring", ("hello", -9, 2), "he"),
        ("substring", ("hello", 9), ""),
        ("substring", ("hello", 1.0, 2.0), "el"),
        ("substring", ("hello", 1, None), "ello"),
        ("substring", ("hello", 1, -1), ""),
        ("substring", ("hello", None), None),
        ("substring", ("hello", 1.5), None),
        ("substring", (1, 1), None),
        ("abs", (-2,), 2),
        ("abs", (-0.5,), 0.5),
        ("abs", (Decimal("-1.5"),), Decimal("1.5")),
        ("abs", (timedelta(-1),), timedelta(1)),
        ("abs", (timedelta.min,), -timedelta.min),
        ("abs", (True,), None),
        ("abs", ("a",), None),
        ("round", (2.5,), 2),
        ("round", (3.14159, 2), 3.14),
        ("round", (1234, -2), 1200),
        ("round", (Decimal("2.345"), 2), Decimal("2.34")),
        ("round", (inf, 2), inf),
        ("round", (Decimal("inf"), 2), Decimal("inf")),
        ("round", (nan,), nan),
        ("round", (1.5, 0.5), None),
        ("round", (True,), None),
        ("round", (None,), None),
    ],
)
def test_an_operation_follows_the_contract(name: str, args: tuple[Any, ...], value: Any) -> None:
    found = compute(name, *args)
    assert equal(found, value), found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (Decimal("1.50"), 1.5),
        (Decimal("1E+2"), 100),
        (-0.0, 0),
        (NOON, NOON.astimezone(timezone(timedelta(hours=2)))),
        (Role.USER, "user"),
    ],
)
def test_equal_values_are_one_text_in_concat(one: Any, other: Any) -> None:
    assert equal(one, other)
    assert compute("concat", one) == compute("concat", other)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(max_size=5),
    st.binary(max_size=3),
    st.datetimes(),
    st.timedeltas(),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.just(object()),
)
ARITHMETIC = {"add", "sub", "mul", "div", "floordiv", "mod"}  # Decimal beside float is an error
EAGER = sorted(
    operation.name
    for operation in OPERATIONS.values()
    if not operation.lazy and operation.name not in ARITHMETIC | {"in"}
)


@given(st.sampled_from(EAGER), st.data())
def test_no_operation_raises_for_any_value(name: str, data: st.DataObject) -> None:
    operation = OPERATIONS[name]
    most = operation.least + 2 if operation.most is None else operation.most
    args = data.draw(st.lists(VALUES, min_size=operation.least, max_size=most))
    compute(name, *args)


NULL_TOLERANT = {"in", "in_any", "is_null", "is_not_null", "concat", "least", "greatest"} | {
    name for name in EAGER if name.startswith("is_")
}


@given(st.sampled_from(sorted(set(EAGER) - NULL_TOLERANT)), st.data())
def test_null_in_the_first_place_gives_null(name: str, data: st.DataObject) -> None:
    rest = OPERATIONS[name].least - 1
    args = data.draw(st.lists(VALUES, min_size=rest, max_size=rest))
    assert compute(name, None, *args) is None


def test_the_registry_says_which_operations_are_lazy() -> None:
    lazy = {name for name, operation in OPERATIONS.items() if operation.lazy}
    assert lazy == {"and", "or", "case", "coalesce"}
    assert {name for name, operation in OPERATIONS.items() if operation.name != name} == set()
