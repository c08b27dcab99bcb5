"""Equality by contract: total, and blind to the == of the values' own classes.

Null equals null, NaN equals NaN, 1 equals 1.0 and Decimal(1) but neither True nor "1"; containers
are equal element by element, a mapping's null field is a missing one, and a list is never a tuple.
Aware datetimes are equal if they name one instant. Instances of a class that declares fields are
equal if their class is the same and their fields are. Anything else is asked for its own ==, and
counts as different if that raises.

The identity test and the test for two values of one plain class come first: nearly every call ends
there. Mappings and instances have loops of their own, as rows are one or the other.

Law   equal is an equivalence relation (as far as opaque objects' own == is one)
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from dataflow.values import kinds
from dataflow.values.fields import compared_fields
from dataflow.values.frozen import same_opaque
from dataflow.values.kinds import kind_of, plain
from dataflow.values.normal import normal
from dataflow.values.null import is_null
from dataflow.values.temporal import instant, is_aware

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EXACT: Final[frozenset[type]] = frozenset((str, int, bool, bytes, date, timedelta, UUID))
"""The classes of which two instances are equal exactly if Python's == says so."""

_COMPARED: Final = EXACT | {float}
_MACHINE_NUMBERS: Final[frozenset[type]] = frozenset((int, float))
_TEXT: Final = frozenset((str,))


def equal(a: object, b: object) -> bool:
    """Tell whether two values are equal by contract; never raises.

    >>> equal(1, 1.0), equal(1, True), equal({"a": None}, {}), equal(None, None)
    (True, False, True, True)

    Complexity: O(1) for scalars but texts, O(size) otherwise, stopping at the first difference.
    """
    if a is b:
        return True
    cls = a.__class__
    if cls is b.__class__:
        if cls in EXACT:
            return a == b
        if cls is float:
            return a == b or (a != a and b != b)
        if cls is dict:
            return equal_mappings(a, b)  # type: ignore[arg-type]  # both are dicts
    elif a is None or b is None:
        return is_null(a) and is_null(b)
    elif cls in _MACHINE_NUMBERS and b.__class__ in _MACHINE_NUMBERS:
        return a == b  # an int and a float, so not two NaNs
    kind = kind_of(a)
    return kind == kind_of(b) and _EQUAL[kind](plain(a), plain(b))


def equal_mappings(a: Mapping[Any, Any], b: Mapping[Any, Any]) -> bool:
    """Tell whether two mappings are equal by contract, a null field being a missing one.

    Complexity: O(fields), about 30 ns each, stopping at the first difference.
    """
    if a.__class__ is not dict or b.__class__ is not dict:  # only a dict's [] is free of effects
        return _equal_fields(a, b)
    try:
        for name, value in a.items():
            other = b[name]
            if value is not other:
                cls = value.__class__
                if cls is other.__class__ and cls in _COMPARED:
                    if value != other and (value == value or other == other):  # two NaNs are equal
                        return False
                elif not equal(value, other):
                    return False
    except KeyError:
        return _equal_fields(a, b)
    return _same_names(a, b) or _equal_fields(a, b)


def _same_names(a: Mapping[Any, Any], b: Mapping[Any, Any]) -> bool:
    """Tell whether b, which has all of a's names, has no other, and all are texts.

    A dict takes the names 1 and True for one; equality does not.
    """
    if len(a) != len(b):
        return False
    for name in a:  # noqa: SIM110 - all() takes three times as long
        if name.__class__ is not str:
            return False
    return True


def _equal_fields(a: Mapping[Any, Any], b: Mapping[Any, Any]) -> bool:
    if not (_TEXT.issuperset(map(type, a)) and _TEXT.issuperset(map(type, b))):
        return normal(a) == normal(b)
    return all(equal(value, b.get(name)) for name, value in a.items()) and all(
        name in a or is_null(value) for name, value in b.items()
    )


def _equal_numbers(a: Any, b: Any) -> bool:
    if _is_nan(a) or _is_nan(b):
        return _is_nan(a) and _is_nan(b)
    return bool(a == b)


def _is_nan(value: int | float | Decimal) -> bool:
    return value.is_nan() if isinstance(value, Decimal) else value != value


def _equal_datetimes(a: Any, b: Any) -> bool:
    if is_aware(a):
        return is_aware(b) and instant(a) == instant(b)
    return not is_aware(b) and bool(a.replace(tzinfo=None) == b.replace(tzinfo=None))


def _equal_sequences(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all(map(equal, a, b))


def _equal_sets(a: Any, b: Any) -> bool:
    return len(a) == len(b) and normal(a) == normal(b)


def _equal_objects(a: Any, b: Any) -> bool:
    if a.__class__ is not b.__class__:
        return False
    for name in compared_fields(a.__class__) or ():
        value, other = getattr(a, name, None), getattr(b, name, None)
        if value is not other:
            cls = value.__class__
            if cls is other.__class__ and cls in _COMPARED:
                if value != other and (value == value or other == other):  # two NaNs are equal
                    return False
            elif not equal(value, other):
                return False
    return True


def _same(a: Any, b: Any) -> bool:
    return bool(a == b)


_EQUAL: Final[dict[int, Callable[[Any, Any], bool]]] = {
    kinds.ABSENT_RANK: lambda a, b: a is b,
    kinds.NULL: lambda _a, _b: True,
    kinds.BOOL: _same,
    kinds.NUMBER: _equal_numbers,
    kinds.TEXT: _same,
    kinds.BYTES: _same,
    kinds.DATE: _same,
    kinds.DATETIME: _equal_datetimes,
    kinds.TIME: _same,
    kinds.DURATION: _same,
    kinds.IDENTIFIER: _same,
    kinds.TUPLE: _equal_sequences,
    kinds.LIST: _equal_sequences,
    kinds.SET: _equal_sets,
    kinds.MAPPING: equal_mappings,
    kinds.OBJECT: _equal_objects,
    kinds.OPAQUE: same_opaque,
}
