import re
from datetime import UTC, date, datetime, timedelta, timezone
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
NEW_YEAR = NOON.replace(hour=0, tzinfo=None)
B = re.compile("b")
DIGIT = re.compile(r"(?P<letter>[a-z])(\d)")


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
        ("nullif", (1, 1.0), None),
        ("nullif", (1, None), 1),
        ("least", (None, 2, 1.0), 1),
        ("least", (None, None), None),
        ("greatest", (1, "a", nan), "a"),
        ("greatest", (1, nan, inf), nan),
        ("floor", (-2.5,), -3),
        ("floor", (Decimal("2.9"),), 2),
        ("floor", (Decimal("1E+999999"),), Decimal("1E+999999")),
        ("ceil", (2.1,), 3),
        ("ceil", (-inf,), -inf),
        ("ceil", (True,), None),
        ("sign", (-0.5,), -1),
        ("sign", (-0.0,), 0),
        ("sign", (nan,), nan),
        ("power", (2, 10), 1024),
        ("power", (2, -1), 0.5),
        ("power", (-8, 1 / 3), None),
        ("power", (0, -1), None),
        ("power", (-10, 309), -inf),
        ("power", (10**400, 1), inf),
        ("sqrt", (9,), 3),
        ("sqrt", (Decimal("0.25"),), 0.5),
        ("sqrt", (-1,), None),
        ("exp", (1000,), inf),
        ("ln", (0,), None),
        ("ltrim", (" a ",), "a "),
        ("rtrim", (" a ",), " a"),
        ("pad_start", ("7", 3, "0"), "007"),
        ("pad_start", ("long", 3, "0"), "long"),
        ("pad_start", ("a", 3, "ab"), None),
        ("pad_end", ("a", 3), "a  "),
        ("pad_end", ("a", 10**12), None),
        ("replace", ("a-b-c", "-", "+"), "a+b+c"),
        ("replace", ("ab", "", "x"), "ab"),
        ("position", ("hello", "l"), 2),
        ("position", ("hello", "x"), None),
        ("position", ("hello", ""), 0),
        ("split", ("a,b,,", ","), ["a", "b", "", ""]),
        ("split", ("", ","), [""]),
        ("split", ("a", ""), None),
        ("regexp_matches", ("abc", B), True),
        ("regexp_matches", ("acc", B), False),
        ("regexp_matches", (1, B), None),
        ("regexp_matches", ("abc", "b"), None),
        ("regexp_extract", ("a1 b2", DIGIT), "a1"),
        ("regexp_extract", ("a1 b2", DIGIT, 2), "1"),
        ("regexp_extract", ("a1 b2", DIGIT, "letter"), "a"),
        ("regexp_extract", ("a1 b2", DIGIT, 9), None),
        ("regexp_extract", ("none", DIGIT), None),
        ("regexp_replace", ("a1 b2", DIGIT, r"\2\g<letter>"), "1a 2b"),
        ("regexp_replace", ("a1", DIGIT, r"\9"), None),
        ("parse_datetime", ("2026-01-01T12:00Z",), NOON),
        ("parse_datetime", (" 2026-01-01T14:00+02:00 ",), NOON),
        ("parse_datetime", ("2026-01-01",), NEW_YEAR),
        ("parse_datetime", ("20260101T12",), NEW_YEAR + timedelta(hours=12)),
        ("parse_datetime", (date(2026, 1, 1),), NEW_YEAR),
        ("parse_datetime", ("2026-02-30",), None),
        ("parse_datetime", (2026,), None),
        ("date_part", (NOON, "hour"), 12),
        ("date_part", (NOON.astimezone(timezone(timedelta(hours=13))), "day"), 1),
        ("date_part", (NEW_YEAR, "weekday"), 4),
        ("date_part", (date(2027, 1, 1), "week"), 53),
        ("date_part", (date(2027, 1, 1), "isoyear"), 2026),
        ("date_part", (date(2024, 12, 31), "dayofyear"), 366),
        ("date_part", (NOON, "fortnight"), None),
        ("date_part", ("2026-01-01", "year"), None),
        ("date_trunc", (NOON, "day"), NOON - timedelta(hours=12)),
        ("date_trunc", (NEW_YEAR, "week"), NEW_YEAR - timedelta(days=3)),
        ("date_trunc", (date(2026, 12, 31), "quarter"), date(2026, 10, 1)),
        ("date_trunc", (date(2026, 12, 31), "hour"), date(2026, 12, 31)),
        ("date_trunc", (None, "day"), None),
        ("date_diff", (date(2026, 1, 31), date(2026, 2, 28), "month"), 1),
        ("date_diff", (date(2026, 1, 31), date(2026, 2, 27), "month"), 0),
        ("date_diff", (date(2026, 2, 28), date(2026, 1, 31), "month"), -1),
        ("date_diff", (date(2024, 2, 29), date(2025, 2, 28), "year"), 1),
        ("date_diff", (NEW_YEAR, NEW_YEAR - timedelta(hours=47), "day"), -1),
        ("date_diff", (NEW_YEAR, NOON, "day"), None),
        ("date_diff", (NEW_YEAR, date(2026, 1, 1), "day"), None),
        ("date_diff", (timedelta(1), timedelta(2), "day"), None),
        ("date_add", (date(2024, 1, 31), 1, "month"), date(2024, 2, 29)),
        ("date_add", (date(2024, 2, 29), -1, "year"), date(2023, 2, 28)),
        ("date_add", (date(2024, 1, 1), 25, "hour"), date(2024, 1, 2)),
        ("date_add", (NOON, 90, "minute"), NOON + timedelta(minutes=90)),
        ("date_add", (NOON, 1.5, "hour"), None),
        ("date_add", (NOON, 10**30, "year"), None),
        ("date_add", (NOON, 10**30, "second"), None),
        ("to_local", (NOON, "Asia/Tokyo"), NEW_YEAR + timedelta(hours=21)),
        ("to_local", (NEW_YEAR, "Asia/Tokyo"), None),
        ("to_local", (NOON, "Asia"), None),
        ("to_local", (NOON, "../etc"), None),
        ("from_local", (NEW_YEAR + timedelta(hours=21), "Asia/Tokyo"), NOON),
        ("from_local", (date(2026, 1, 2), "UTC"), NOON + timedelta(hours=12)),
        ("from_local", (NOON, "UTC"), None),
        ("timestamp", (NOON,), 1767268800),
        ("timestamp", (NEW_YEAR,), None),
        ("from_timestamp", (1767268800.0,), NOON),
        ("from_timestamp", (nan,), None),
        ("from_timestamp", (1e300,), None),
        ("cast_int", ("-2.9",), None),
        ("cast_int", (-2.9,), -2),
        ("cast_int", (" +42 ",), 42),
        ("cast_int", ("1_000",), None),
        ("cast_int", ("9" * 5000,), None),
        ("cast_int", (True,), 1),
        ("cast_int", (inf,), None),
        ("cast_int", (Decimal("1E+999999"),), None),
        ("cast_float", ("1e3",), 1000),
        ("cast_float", ("-Infinity",), -inf),
        ("cast_float", ("0x10",), None),
        ("cast_float", (10**400,), inf),
        ("cast_float", (Decimal("sNaN"),), nan),
        ("cast_decimal", (0.1,), Decimal("0.1")),
        ("cast_decimal", ("1.50",), Decimal("1.50")),
        ("cast_decimal", ("1e99999999999999999999",), None),
        ("cast_decimal", (b"1",), None),
        ("cast_str", (2.0,), "2"),
        ("cast_str", (True,), "True"),
        ("cast_str", (None,), None),
        ("cast_str", ([1],), None),
        ("cast_bool", (" True ",), True),
        ("cast_bool", ("yes",), None),
        ("cast_bool", (0.0,), False),
        ("cast_bool", (nan,), None),
        ("cast_date", ("2026-01-01T23:00-05:00",), date(2026, 1, 2)),
        ("cast_date", (NOON,), date(2026, 1, 1)),
        ("cast_date", ("today",), None),
        ("is_number", (Decimal(1),), True),
        ("is_number", (True,), False),
        ("is_number", (None,), False),
        ("is_text", (Role.USER,), True),
        ("is_bool", (0,), False),
        ("is_datetime", (date(2026, 1, 1),), False),
        ("is_list", ((1,),), True),
        ("is_dict", ({},), True),
        ("is_dict", ([],), False),
        ("length", ({"a": 1, "b": None},), 1),
        ("contains", ({"a": None}, "a"), False),
        ("keys", ({"b": 1, "a": 2, "c": None},), ["a", "b"]),
        ("keys", ([1],), None),
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
