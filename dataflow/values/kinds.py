"""The kinds of values: which classes belong together, and in which order kinds sort.

Every value is of exactly one kind. Values of different kinds are never equal, and only values of
one kind have an order that a comparison in a query can ask for. The numbers are the ranks of the
total order (`dataflow.values.order`); a gap is left after those kinds that the order splits in two
(numbers and NaN, naive and aware times).

A subclass of a built-in class is its base: `plain` turns it into that. An enum member is its value
where that is a scalar, and an opaque object otherwise. The stand-ins of `dataflow.values.frozen`
are what they stand for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from dataflow.values.fields import compared_fields
from dataflow.values.frozen import FrozenObject, Opaque, Truth
from dataflow.values.individual import Individual
from dataflow.values.null import NULL_CLASSES, Absent

WRAPPED: Final = -2  # another value stands for it: see _unwrap
ABSENT_RANK: Final = -1
NULL: Final = 0
BOOL: Final = 1
NUMBER: Final = 2
TEXT: Final = 4
BYTES: Final = 5
DATE: Final = 6
DATETIME: Final = 7
TIME: Final = 9
DURATION: Final = 11
IDENTIFIER: Final = 12
TUPLE: Final = 13
LIST: Final = 14
SET: Final = 15
MAPPING: Final = 16
OBJECT: Final = 17
OPAQUE: Final = 18

SCALARS: Final = frozenset(range(BOOL, IDENTIFIER + 1))

_BASES: Final[tuple[tuple[type | tuple[type, ...], int], ...]] = (
    (Absent, ABSENT_RANK),
    (Individual, OPAQUE),  # before Mapping, which it may be too
    ((Enum, Truth, FrozenObject, Opaque), WRAPPED),  # before str and int: an enum may be both
    (bool, BOOL),
    ((int, float, Decimal), NUMBER),
    (str, TEXT),
    ((bytes, bytearray), BYTES),
    (datetime, DATETIME),  # before date, its base
    (date, DATE),
    (time, TIME),
    (timedelta, DURATION),
    (UUID, IDENTIFIER),
    (tuple, TUPLE),
    (list, LIST),
    ((set, frozenset), SET),
    (Mapping, MAPPING),
)


class _Kinds(dict[type, int]):
    """Class -> kind; learns each class once and keeps it for good."""

    def __missing__(self, cls: type) -> int:
        self[cls] = kind = _learn(cls)
        return kind


def _learn(cls: type) -> int:
    if NULL_CLASSES[cls]:
        return NULL
    for bases, kind in _BASES:
        if issubclass(cls, bases):
            return kind
    return OPAQUE if compared_fields(cls) is None else OBJECT


KINDS: Final = _Kinds()


def kind_of(value: object) -> int:
    """Return the kind of `value`; that of an enum member is the kind of its value."""
    kind = KINDS[value.__class__]
    if kind != WRAPPED:
        return kind
    inner = _unwrap(value)
    return OPAQUE if inner is value else kind_of(inner)


def plain(value: object) -> Any:  # Any: what comes out depends on the kind, which callers know
    """Return `value` as an instance of the built-in class of its kind.

    Containers, objects and opaque values are returned as they are.
    """
    cls = value.__class__
    if cls in _BUILT_IN:
        return value
    kind = KINDS[cls]
    if kind == WRAPPED:
        inner = _unwrap(value)
        return value if inner is value else plain(inner)
    convert = _CONVERT.get(kind)
    return value if convert is None else convert(value)


def _unwrap(value: Any) -> object:
    if not isinstance(value, Enum):
        return value.value
    inner = value._value_
    return inner if kind_of(inner) in SCALARS else value


def _plain_number(value: Any) -> int | float | Decimal:
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    return Decimal(value)


def _plain_datetime(value: datetime) -> datetime:
    return datetime.combine(
        date(value.year, value.month, value.day), _plain_time(value), tzinfo=value.tzinfo
    )


def _plain_time(value: datetime | time) -> time:
    return time(
        value.hour,
        value.minute,
        value.second,
        value.microsecond,
        tzinfo=value.tzinfo,
        fold=value.fold,
    )


_BUILT_IN: Final[frozenset[type]] = frozenset(
    (type(None), bool, int, float, Decimal, str, bytes, datetime, date, time, timedelta, UUID)
)
_CONVERT: Final[dict[int, Callable[[Any], Any]]] = {
    NULL: lambda _: None,
    NUMBER: _plain_number,
    TEXT: str.__str__,
    BYTES: lambda value: bytes(memoryview(value)),
    DATE: lambda value: date(value.year, value.month, value.day),
    DATETIME: _plain_datetime,
    TIME: _plain_time,
    DURATION: lambda value: timedelta(value.days, value.seconds, value.microseconds),
    IDENTIFIER: lambda value: UUID(int=value.int),
}
