"""Numbers: arithmetic, rounding, powers.

Arithmetic is that of `dataflow.values.arithmetic`. Rounding gives an int for a float, and leaves
infinities and NaN as they are. `power`, `sqrt`, `exp` and `ln` compute with floats, whatever kind
of number they get: one too large is infinite, and what has no answer among the real numbers is
null.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any, Final

from dataflow.query.operations.operation import Operation
from dataflow.query.operations.reading import integer, machine_number
from dataflow.values import arithmetic, kinds
from dataflow.values.kinds import kind_of, plain

if TYPE_CHECKING:
    from collections.abc import Callable


def absolute(value: Any) -> Any:
    """Return a number or duration without its sign."""
    kind = kind_of(value)
    if kind == kinds.NUMBER:
        number = plain(value)
        return number.copy_abs() if isinstance(number, Decimal) else abs(number)
    return abs(plain(value)) if kind == kinds.DURATION else None


def round_(value: Any, digits: Any = 0) -> Any:
    """Round a number to decimal digits; halves go to the even neighbour, as in Python."""
    places = integer(digits)
    if places is None or kind_of(value) != kinds.NUMBER:
        return None
    number = plain(value)
    try:
        return round(number, places)
    except (ArithmeticError, ValueError):  # infinite or NaN Decimals, more digits than there are
        return number


def floor(value: Any) -> Any:
    """Return the largest whole number that is not above a number."""
    return _whole(value, math.floor, ROUND_FLOOR)


def ceil(value: Any) -> Any:
    """Return the smallest whole number that is not below a number."""
    return _whole(value, math.ceil, ROUND_CEILING)


def _whole(value: Any, of_float: Callable[[float], int], of_decimal: str) -> Any:
    if kind_of(value) != kinds.NUMBER:
        return None
    number = plain(value)
    if isinstance(number, Decimal):  # stays one: its int might not fit in memory
        return number if not number.is_finite() else number.to_integral_value(of_decimal)
    return of_float(number) if math.isfinite(number) else number


def sign(value: Any) -> Any:
    """Return -1, 0 or 1 as a number is below, at or above zero; NaN for NaN."""
    number = machine_number(value)
    if number is None or number != number:
        return number
    return int(number > 0) - int(number < 0)


def power(base: Any, exponent: Any) -> float | None:
    """Return a number to the power of another one, as a float."""
    x, y = machine_number(base), machine_number(exponent)
    if x is None or y is None:
        return None
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and y % 2 == 1 else math.inf
    except ValueError:  # a root of a negative number, zero to a negative power
        return None


def sqrt(value: Any) -> float | None:
    """Return the square root of a number, as a float; null of a negative one."""
    number = machine_number(value)
    return None if number is None or number < 0 else math.sqrt(number)


def exp(value: Any) -> float | None:
    """Return e to the power of a number."""
    number = machine_number(value)
    try:
        return None if number is None else math.exp(number)
    except OverflowError:
        return math.inf


def ln(value: Any) -> float | None:
    """Return the natural logarithm of a number; null unless it is positive."""
    number = machine_number(value)
    return None if number is None or number <= 0 else math.log(number)


OPERATIONS: Final = (
    Operation(
        "add", arithmetic.add, 2, 2, "sum of numbers or durations; a time moved by a duration"
    ),
    Operation("sub", arithmetic.sub, 2, 2, "difference of numbers, durations or times"),
    Operation("mul", arithmetic.mul, 2, 2, "product of numbers, or of a number and a duration"),
    Operation("div", arithmetic.div, 2, 2, "true quotient; null by zero"),
    Operation("floordiv", arithmetic.floordiv, 2, 2, "quotient rounded down; null by zero"),
    Operation("mod", arithmetic.mod, 2, 2, "remainder, with the sign of the divisor; null by zero"),
    Operation("neg", arithmetic.neg, 1, 1, "a number or duration with the opposite sign"),
    Operation("abs", absolute, 1, 1, "a number or duration without its sign"),
    Operation("round", round_, 1, 2, "a number rounded to decimal digits, halves to even"),
    Operation("floor", floor, 1, 1, "a number rounded down to a whole one"),
    Operation("ceil", ceil, 1, 1, "a number rounded up to a whole one"),
    Operation("sign", sign, 1, 1, "-1, 0 or 1: the sign of a number"),
    Operation("power", power, 2, 2, "a number to the power of another, as a float"),
    Operation("sqrt", sqrt, 1, 1, "the square root, as a float; null of a negative number"),
    Operation("exp", exp, 1, 1, "e to the power of a number"),
    Operation("ln", ln, 1, 1, "the natural logarithm; null unless the number is positive"),
)
