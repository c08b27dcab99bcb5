"""Arithmetic by contract: what has no answer is null, and no value raises.

Operands that are null, bools, or of kinds that do not compute give null. Division is true division;
dividing by zero gives null, and so does what Python refuses (infinite durations, dates outside the
calendar). `floordiv` and `mod` round down for all numbers, Decimals included, so that equal
operands give equal results. An int too large for a float counts as infinite beside one, as a float
too large for itself does; so does a quotient of ints that no float holds.

Decimal combined with float is the one error: the result would depend on which was rounded first.

Times add up by instants: an aware datetime keeps its zone, and an hour is an hour when clocks
change. Naive and aware ones do not mix. A date moves by whole days.

    datetime - datetime, date - date        duration
    datetime ± duration, date ± duration    datetime, date
    duration ± duration, ± duration         duration
    duration * number, duration / number     duration
    duration / duration, //, %              number, number, duration
"""

from __future__ import annotations

import operator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from math import inf
from typing import TYPE_CHECKING, Any, Final

from dataflow.errors import QueryError
from dataflow.values import kinds
from dataflow.values.kinds import kind_of, plain
from dataflow.values.normal import normal
from dataflow.values.temporal import instant, is_aware

if TYPE_CHECKING:
    from collections.abc import Callable

_FAST: Final[frozenset[Any]] = frozenset((int, float))


def add(a: Any, b: Any) -> Any:
    """Return a + b: of numbers, of durations, or of a date or datetime and a duration."""
    if a.__class__ in _FAST and b.__class__ in _FAST:
        try:
            return a + b
        except OverflowError:
            return _compute_infinite(operator.add, a, b)
    return _compute("add", a, b)


def sub(a: Any, b: Any) -> Any:
    """Return a - b: of numbers, of durations, of two dates or datetimes, or one and a duration."""
    if a.__class__ in _FAST and b.__class__ in _FAST:
        try:
            return a - b
        except OverflowError:
            return _compute_infinite(operator.sub, a, b)
    return _compute("subtract", a, b)


def mul(a: Any, b: Any) -> Any:
    """Return a * b: of numbers, or of a number and a duration."""
    if a.__class__ in _FAST and b.__class__ in _FAST:
        try:
            return a * b
        except OverflowError:
            return _compute_infinite(operator.mul, a, b)
    return _compute("multiply", a, b)


def div(a: Any, b: Any) -> Any:
    """Return a / b, never rounded down; null if b is zero."""
    if a.__class__ in _FAST and b.__class__ in _FAST:
        try:
            return a / b
        except ZeroDivisionError:
            return None
        except OverflowError:
            return _compute_infinite(operator.truediv, a, b)
    return _compute("divide", a, b)


def floordiv(a: Any, b: Any) -> Any:
    """Return a // b, rounded down; null if b is zero."""
    return _compute("floor-divide", a, b)


def mod(a: Any, b: Any) -> Any:
    """Return the remainder of a // b, which has the sign of b; null if b is zero."""
    return _compute("take the remainder of", a, b)


def neg(a: Any) -> Any:
    """Return -a, of a number or a duration."""
    kind = kind_of(a)
    if kind == kinds.NUMBER:
        number = plain(a)
        return number.copy_negate() if isinstance(number, Decimal) else -number
    return sub(timedelta(), a) if kind == kinds.DURATION else None


def _compute(verb: str, a: object, b: object) -> Any:
    function = _FUNCTIONS.get((verb, kind_of(a), kind_of(b)))
    if function is None:
        return None
    left, right = plain(a), plain(b)
    if isinstance(left, Decimal | float) and isinstance(right, Decimal | float):
        _refuse_mixing(verb, left, right)
    try:
        return function(left, right)
    except OverflowError:
        return _compute_infinite(function, left, right)
    except (ArithmeticError, ValueError):  # by zero, a signal of the decimal context, NaN durations
        return None


def _refuse_mixing(verb: str, a: Decimal | float, b: Decimal | float) -> None:
    if isinstance(a, Decimal) != isinstance(b, Decimal):
        error = QueryError(f"cannot {verb} decimal and float: {a!r} and {b!r}")
        error.add_note("convert one of the two, so that it is clear which rounding is meant")
        raise error


def _compute_infinite(function: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    """Compute what overflowed once more, an int that no float holds being infinite."""
    if not (isinstance(a, int | float) and isinstance(b, int | float)):
        return None
    if isinstance(a, int) and isinstance(b, int):  # a quotient out of range: only / gets here
        return inf if (a < 0) == (b < 0) else -inf
    try:
        return function(_as_float(a), _as_float(b))
    except ZeroDivisionError:
        return None


def _as_float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def _div(a: Any, b: Any) -> Any:
    if not b:  # a decimal context may be set up not to raise
        raise ZeroDivisionError
    return a / b


def _floordiv(a: Any, b: Any) -> Any:
    return _decimal_divmod(a, b)[0] if _either_decimal(a, b) else a // b


def _mod(a: Any, b: Any) -> Any:
    return _decimal_divmod(a, b)[1] if _either_decimal(a, b) else a % b


def _either_decimal(a: object, b: object) -> bool:
    return isinstance(a, Decimal) or isinstance(b, Decimal)


def _decimal_divmod(a: Decimal | int, b: Decimal | int) -> tuple[Decimal, Decimal]:
    """Divide rounding down, as ints do; Decimal's own division rounds towards zero."""
    if not b:
        raise ZeroDivisionError
    divisor = Decimal(b)
    quotient, remainder = divmod(Decimal(a), divisor)
    if remainder and remainder.is_signed() != divisor.is_signed():
        return quotient - 1, remainder + divisor
    return quotient, remainder


def _scaled(duration: timedelta, number: Any) -> timedelta:
    return duration * _factor(number)


def _shortened(duration: timedelta, number: Any) -> timedelta:
    return duration / _factor(number)


def _factor(number: Any) -> int | float:
    form = normal(number)
    return form if isinstance(form, int) else float(number)


def _later(moment: datetime, duration: timedelta) -> datetime:
    if moment.tzinfo is None or isinstance(moment.tzinfo, timezone) or not is_aware(moment):
        return moment + duration
    return (moment.astimezone(UTC) + duration).astimezone(moment.tzinfo)


def _between(a: datetime, b: datetime) -> timedelta | None:
    if is_aware(a) != is_aware(b):
        return None
    if is_aware(a):
        return instant(a) - instant(b)
    return a.replace(tzinfo=None) - b.replace(tzinfo=None)


def _moved(day: date, duration: timedelta) -> date:
    return day + duration


_N, _D, _T, _S = kinds.NUMBER, kinds.DATE, kinds.DATETIME, kinds.DURATION

_FUNCTIONS: Final[dict[tuple[str, int, int], Callable[[Any, Any], Any]]] = {
    ("add", _N, _N): operator.add,
    ("add", _S, _S): operator.add,
    ("add", _T, _S): _later,
    ("add", _S, _T): lambda a, b: _later(b, a),
    ("add", _D, _S): _moved,
    ("add", _S, _D): lambda a, b: _moved(b, a),
    ("subtract", _N, _N): operator.sub,
    ("subtract", _S, _S): operator.sub,
    ("subtract", _T, _T): _between,
    ("subtract", _T, _S): lambda a, b: _later(a, -b),
    ("subtract", _D, _D): operator.sub,
    ("subtract", _D, _S): lambda a, b: _moved(a, -b),
    ("multiply", _N, _N): operator.mul,
    ("multiply", _S, _N): _scaled,
    ("multiply", _N, _S): lambda a, b: _scaled(b, a),
    ("divide", _N, _N): _div,
    ("divide", _S, _S): operator.truediv,
    ("divide", _S, _N): _shortened,
    ("floor-divide", _N, _N): _floordiv,
    ("floor-divide", _S, _S): operator.floordiv,
    ("take the remainder of", _N, _N): _mod,
    ("take the remainder of", _S, _S): operator.mod,
}
