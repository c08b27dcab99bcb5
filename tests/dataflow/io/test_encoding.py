import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dataflow.io.encoding import decode, encode

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes(timezones=st.none() | st.just(UTC) | st.just(timezone(timedelta(hours=-7))))
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.decimals(allow_nan=False)
    | st.uuids()
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text() | st.integers() | st.just("$dict"), inner, max_size=3)
        | st.frozensets(scalars, max_size=3)
        | st.sets(scalars, max_size=3)
    ),
    max_leaves=8,
)


def kinds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: (type(key), kinds(each)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [type(value), *map(kinds, value)]
    return type(value)


@given(values)
@example({"$date": "2026-01-01"})
@example({"$": 1})
@example({"$dict": [], "a": ()})
@example({(1, 2): {1: "a"}})
@example(datetime(2026, 1, 1, 12, 30, 0, 5, tzinfo=UTC))
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    found = decode(encode(value))
    assert found == value
    assert kinds(found) == kinds(value)


@pytest.mark.parametrize("number", [math.inf, -math.inf, -0.0, 5e-324, 10**400])
def test_numbers_at_the_edge_come_back(number: float) -> None:
    assert repr(decode(encode(number))) == repr(number)


def test_nan_comes_back() -> None:
    assert math.isnan(decode(encode([math.nan]))[0])


def test_an_enum_member_comes_back_as_its_value() -> None:
    class Colour(Enum):
        RED = (1, 0, 0)

    assert decode(encode({"colour": Colour.RED})) == {"colour": (1, 0, 0)}


def test_what_json_has_is_written_as_it_is() -> None:
    row = {"id": 1, "tags": ["a", None, True], "n": {"x": 1.5}, "$t": date(2026, 1, 2)}
    assert encode({key: row[key] for key in ("id", "tags", "n")}) == (
        '{"id":1,"tags":["a",null,true],"n":{"x":1.5}}'
    )
    assert decode(encode(row)) == row


def test_other_kinds_are_refused() -> None:
    with pytest.raises(TypeError, match="a value of type object cannot be written"):
        encode({"x": [object()]})


@pytest.mark.parametrize("text", ["", "{", '{"$date":1}', '{"$nothing":1}', '{"$dict":[1]}'])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a value|Expecting"):
        decode(text)


def test_all_kinds_at_once() -> None:
    row = {
        "decimal": Decimal("1.50"),
        "uuid": UUID(int=7),
        "time": time(1, 2, 3),
        "span": timedelta(days=-1, microseconds=5),
        "bytes": b"\x00\xff",
    }
    assert decode(encode(row)) == row


@pytest.mark.parametrize("text", ["\ud83d", "a\ude00b", "\U0001f600\ud83d"])
def test_half_a_surrogate_pair_can_be_written(text: str) -> None:
    value = {"id": text, text: [text]}
    written = encode(value)
    assert decode(written.encode().decode()) == value
