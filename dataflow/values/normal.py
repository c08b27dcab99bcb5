"""The normal form: one representative for all equal values, usable as a dict key.

Law   equal(a, b)  <=>  normal(a) and normal(b) are one key to a dict, or two equal parts of one
Law   equal(expose(normal(a)), a)

Group keys, distinct values, row keys and router keys are kept in normal form, so that a plain dict
finds them (and, as it looks at identity before ==, finds `NAN`). It undoes what Python's dicts do to values: they put True and 1 together, never find a
NaN again, and cannot hold lists and dicts. Strings, ints and a few others are their own normal form
(`PLAIN`), which is what makes keys cheap.

    number      an integral float or Decimal becomes an int (so does -0.0), NaN becomes `NAN`;
                a Decimal beyond the range of floats stays, as its int might not fit in memory
    bool        `TRUE` or `FALSE`, which no number equals
    datetime    an aware one moves to UTC
    containers  lists become FrozenList, mappings FrozenDict, of normal forms; tuples stay tuples
    subclass    of str, int, ..., and an enum member: the value of the built-in class
    null        None

`expose` turns a key back into what users see: bools, and the objects behind their stand-ins.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from dataflow.values import kinds
from dataflow.values.fields import compared_fields
from dataflow.values.frozen import FALSE, TRUE, FrozenDict, FrozenList, FrozenObject, Opaque, Truth
from dataflow.values.kinds import kind_of, plain
from dataflow.values.null import Absent
from dataflow.values.temporal import is_aware

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

NAN: Final = float("nan")
"""The normal form of every NaN; dicts find it, as they compare by identity first."""

PLAIN: Final[frozenset[type]] = frozenset(
    (str, int, type(None), bytes, date, time, timedelta, UUID, Absent, Truth, FrozenObject, Opaque)
)
"""The classes whose instances are all their own normal form; test this before calling `normal`."""

_MAX_DECIMAL_EXPONENT: Final = 308  # that of the largest float


def normal(value: object) -> Hashable:
    """Return the normal form of `value`.

    >>> normal(1.0), normal("a"), normal([1, 2.0]) == [1, 2]
    (1, 'a', True)

    Complexity: O(1) for scalars, O(size) for containers.
    """
    cls = value.__class__
    if cls in PLAIN:
        return value
    if cls is tuple:
        return _normal_tuple(value)  # type: ignore[arg-type]  # a tuple
    if cls is float:
        return _normal_float(value)  # type: ignore[arg-type]  # a float
    if cls is bool:
        return TRUE if value else FALSE
    value = plain(value)
    form = _NORMAL.get(kind_of(value))
    return value if form is None else form(value)


def expose(key: Hashable) -> Any:  # Any: users see the value as what it is
    """Return the value users see for a normal form; most are that value.

    Complexity: O(1) for scalars, O(size) for containers.
    """
    cls = key.__class__
    if cls in SEEN_AS_THEY_ARE:
        return key
    show = _EXPOSE.get(cls)
    return key if show is None else show(key)


def _normal_number(value: int | float | Decimal) -> Hashable:
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return _normal_float(value)
    if not value.is_finite():
        return NAN if value.is_nan() else float(value)
    if value.adjusted() <= _MAX_DECIMAL_EXPONENT and value == value.to_integral_value():
        return int(value)
    return value


def _normal_float(value: float) -> Hashable:
    if value.is_integer():
        return int(value)
    return value if value == value else NAN


def _normal_tuple(value: tuple[object, ...]) -> Hashable:
    if value.__class__ is tuple and PLAIN.issuperset(map(type, value)):
        return value
    return tuple(map(normal, value))


def _normal_datetime(value: datetime) -> datetime:
    if not is_aware(value):
        return value if value.tzinfo is None else value.replace(tzinfo=None)
    if value.tzinfo is UTC:
        return value
    try:
        return value.astimezone(UTC)
    except OverflowError:  # its instant lies before year 1 or after year 9999 in UTC
        return value


def _normal_mapping(value: Mapping[Any, Any]) -> FrozenDict:
    return FrozenDict({normal(name): normal(field) for name, field in value.items()})


def _normal_object(value: object) -> FrozenObject:
    fields = compared_fields(value.__class__) or ()
    return FrozenObject(value, tuple([normal(getattr(value, name, None)) for name in fields]))


def _expose_tuple(key: tuple[Hashable, ...]) -> tuple[Any, ...]:
    if SEEN_AS_THEY_ARE.issuperset(map(type, key)):
        return key
    return tuple(map(expose, key))


_NORMAL: Final[dict[int, Callable[[Any], Hashable]]] = {
    kinds.BOOL: lambda value: TRUE if value else FALSE,
    kinds.NUMBER: _normal_number,
    kinds.DATETIME: _normal_datetime,
    kinds.TUPLE: _normal_tuple,
    kinds.LIST: lambda value: FrozenList(map(normal, value)),
    kinds.SET: lambda value: frozenset(map(normal, value)),
    kinds.MAPPING: _normal_mapping,
    kinds.OBJECT: _normal_object,
    kinds.OPAQUE: Opaque,
}

SEEN_AS_THEY_ARE: Final[frozenset[type]] = frozenset(
    (str, int, float, type(None), bytes, date, datetime, time, timedelta, UUID, Decimal)
)
"""The classes of normal forms that users see as they are; test this before calling `expose`."""

_EXPOSE: Final[dict[type, Callable[[Any], object]]] = {
    Truth: lambda key: key.value,
    tuple: _expose_tuple,
    FrozenList: lambda key: FrozenList(map(expose, key)),
    frozenset: lambda key: frozenset(map(expose, key)),
    FrozenDict: lambda key: FrozenDict({expose(name): expose(key[name]) for name in key}),
    FrozenObject: lambda key: key.value,
    Opaque: lambda key: key.value,
}
