"""Representative values of every kind, and a strategy that draws values likely to be equal.

`SAMPLES` holds at least one value for every distinction the contract makes; the exhaustive tests
run over all pairs of them.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from types import MappingProxyType
from uuid import UUID

import msgspec
from hypothesis import strategies as st


class Color(Enum):
    RED = "red"
    NONE = None
    PAIR = (1, 2)


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Role(StrEnum):
    USER = "user"


class Text(str):
    """A str subclass whose == lies."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


class Hostile:
    """An object whose ==, < and hash raise."""

    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError

    def __lt__(self, other: object) -> bool:
        raise ZeroDivisionError

    def __hash__(self) -> int:
        raise TypeError


@dataclasses.dataclass(frozen=True)
class Point:
    x: object
    y: object = None

    def __eq__(self, other: object) -> bool:
        raise AssertionError("the own == of a class with declared fields is never asked")

    __hash__ = None  # type: ignore[assignment]  # not hashable either


BERLIN_SUMMER = timezone(timedelta(hours=2))
HOSTILE = Hostile()
NAN = float("nan")

SCALARS: tuple[object, ...] = (
    None,
    msgspec.UNSET,
    True,
    False,
    0,
    1,
    -7,
    2,
    2**53 - 1,
    2**53,
    2**53 + 1,
    10**400,
    -(10**400),
    -0.0,
    1.0,
    0.5,
    -7.0,
    float(2**53),
    1e308,
    NAN,
    float("inf"),
    float("-inf"),
    Decimal(1),
    Decimal("1.0"),
    Decimal("0.5"),
    Decimal("0.1"),
    Decimal(-7),
    Decimal("-0"),
    Decimal("NaN"),
    Decimal("Infinity"),
    "",
    "1",
    "user",
    "red",
    Text("user"),
    b"",
    b"user",
    bytearray(b"user"),
    Color.RED,
    Color.NONE,
    Color.PAIR,
    Level.LOW,
    Level.HIGH,
    Role.USER,
    date(2026, 1, 1),
    datetime(2026, 1, 1),  # noqa: DTZ001 - naive on purpose
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 1, 2, tzinfo=BERLIN_SUMMER),
    datetime(2026, 1, 1, 2, tzinfo=UTC),
    time(12, 30),
    time(12, 30, tzinfo=UTC),
    time(14, 30, tzinfo=BERLIN_SUMMER),
    timedelta(),
    timedelta(hours=2),
    timedelta(days=-1),
    UUID(int=1),
    UUID(int=2),
)

CONTAINERS: tuple[object, ...] = (
    [],
    [1],
    [True],
    [1.0, NAN],
    [1, NAN],
    [None],
    (),
    (1,),
    (True,),
    ("a", None),
    {},
    {"a": None},
    {"a": 1},
    {"a": 1.0, "b": None},
    {"a": True},
    {1: "x"},
    {True: "x"},
    {1.0: "x"},
    {"a": [{"b": NAN, "c": None}]},
    {"a": [{"b": NAN}]},
    MappingProxyType({"a": 1}),
    {1, 2},
    frozenset((1.0, 2)),
    frozenset((True,)),
    Point(1),
    Point(1.0, None),
    Point(True),
    Point([1], {"a": None}),
    Point([1], {}),
    object,
    HOSTILE,
)

SAMPLES = SCALARS + CONTAINERS

PAIRS = [(a, b) for a in SAMPLES for b in SAMPLES]

_leaves = st.sampled_from(SCALARS) | st.floats() | st.decimals(allow_nan=False) | st.integers()
_leaves |= st.datetimes(timezones=st.sampled_from((UTC, BERLIN_SUMMER))) | st.text(max_size=2)


def values() -> st.SearchStrategy[object]:
    """Return a strategy for values of every kind, nested, many of them equal to each other."""
    return st.recursive(
        _leaves | st.sampled_from(CONTAINERS),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.lists(inner, max_size=3).map(tuple)
            | st.dictionaries(st.sampled_from(("a", "b", 1, True, 1.5)), inner, max_size=3)
            | st.builds(Point, inner, inner)
        ),
        max_leaves=6,
    )
