"""The contract of values in its plainest words: an oracle that shares no code with the engine.

`canonical` spells out what a value is, exactly (numbers as fractions, times as microseconds), so
that equality is that of two spellings and order that of two ranks. It knows the classes in
`samples.py` and nothing else, and is as slow as it likes.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from fractions import Fraction
from typing import Any
from uuid import UUID

import msgspec

from tests.dataflow.values.samples import Color, Point

ORDERED: tuple[str, ...] = ("bool", "number", "text", "bytes", "date", "naive", "aware")
ORDERED += ("naive time", "aware time", "duration", "uuid", "tuple", "list")

Spelling = tuple[str, Any]


def canonical(value: Any) -> Spelling:
    """Spell out a value as (kind, content); equal values have equal spellings."""
    if value is None or value is msgspec.UNSET:
        return ("null", None)
    if isinstance(value, Enum) and value in (Color.NONE, Color.PAIR):
        return ("opaque", value.name)
    if isinstance(value, Enum):
        return canonical(value.value)
    for kind, classes, spell in _SCALARS:
        if isinstance(value, classes):
            return (kind, spell(value))
    return _canonical_time(value) or _canonical_container(value)


_SCALARS: tuple[tuple[str, Any, Any], ...] = (
    ("bool", bool, bool),
    ("number", (int, float, Decimal), lambda number: number_rank(number)),
    ("text", str, lambda text: tuple(map(ord, text))),
    ("bytes", (bytes, bytearray), tuple),
    ("duration", timedelta, lambda duration: duration // timedelta(microseconds=1)),
    ("uuid", UUID, lambda uuid: uuid.int),
)


def _canonical_time(value: Any) -> Spelling | None:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return ("aware", (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))
    if isinstance(value, datetime):
        return ("naive", value.isoformat())
    if isinstance(value, date):
        return ("date", value.isoformat())
    if isinstance(value, time):
        wall = timedelta(hours=value.hour, minutes=value.minute)
        offset = value.utcoffset()
        return ("naive time", wall) if offset is None else ("aware time", wall - offset)
    return None


def _canonical_container(value: Any) -> Spelling:
    if isinstance(value, list | tuple):
        return (type(value).__name__, tuple(canonical(item) for item in value))
    if isinstance(value, set | frozenset):
        return ("set", frozenset(canonical(item) for item in value))
    if isinstance(value, Mapping):
        fields = {(canonical(k), canonical(v)) for k, v in value.items()}
        return ("mapping", frozenset(f for f in fields if f[1][0] != "null"))
    if isinstance(value, Point):
        return ("point", (canonical(value.x), canonical(value.y)))
    return ("opaque", id(value))


def number_rank(number: float | Decimal) -> tuple[int, Fraction]:
    """Place a number exactly: -inf, then the finite ones, then inf, then NaN."""
    if isinstance(number, int):
        return (0, Fraction(number))
    if math.isnan(number):
        return (2, Fraction())
    if math.isinf(number):
        return (1 if number > 0 else -1, Fraction())
    return (0, Fraction(number))


def is_less(a: object, b: object) -> bool | None:
    """Compare two values as a query does: unknown unless both are of one ordered kind."""
    (kind, content), (other_kind, other) = canonical(a), canonical(b)
    if kind != other_kind or kind not in ORDERED:
        return None
    if kind in ("tuple", "list"):
        return list_is_less(content, other)
    return bool(content < other)


def list_is_less(a: tuple[Spelling, ...], b: tuple[Spelling, ...]) -> bool:
    """Compare element by element; the samples' elements differ in kind or are both ordered."""
    kinds = ("null", "bool", "number", "text")
    left = [(kinds.index(kind), content) for kind, content in a]
    right = [(kinds.index(kind), content) for kind, content in b]
    return left < right


def computed(symbol: str, a: Any, b: Any) -> Any:
    """Compute a <symbol> b for numbers by the contract; `"error"` for decimal with float."""
    kinds = (canonical(a)[0], canonical(b)[0])
    if kinds != ("number", "number"):
        return None
    a, b = _number(a), _number(b)
    classes = {type(a), type(b)}
    if classes == {float, Decimal}:
        return "error"
    if symbol in ("/", "//", "%") and b == 0:
        return None
    if Decimal in classes:
        return _computed_decimal(symbol, Decimal(a), Decimal(b))
    if float in classes:
        return _IEEE[symbol](_rounded(a), _rounded(b))
    if symbol == "/":
        return _rounded(Fraction(a, b))
    return _IEEE[symbol](a, b)


def _number(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _rounded(number: float | Fraction) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _computed_decimal(symbol: str, a: Decimal, b: Decimal) -> Decimal | None:
    if symbol not in ("//", "%"):
        try:
            return Decimal(_IEEE[symbol](a, b))
        except InvalidOperation:
            return None
    if a.is_nan() or b.is_nan():
        return Decimal("NaN")
    if a.is_infinite():
        return None
    quotient, remainder = _divided(a, b)
    if abs(quotient) >= 10**28:  # more digits than the decimal context allows
        return None
    return Decimal(quotient) if symbol == "//" else remainder


def _divided(a: Decimal, b: Decimal) -> tuple[int, Decimal]:
    if b.is_infinite():
        return (0, a) if a == 0 or (a > 0) == (b > 0) else (-1, b)
    quotient = Fraction(a) // Fraction(b)
    remainder = Fraction(a) - quotient * Fraction(b)
    return quotient, Decimal(remainder.numerator) / Decimal(remainder.denominator)


_IEEE: dict[str, Any] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}
