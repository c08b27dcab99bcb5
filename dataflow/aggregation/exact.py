"""Exact sums of floats and of Decimals: what is added can be subtracted without a trace.

Law    the sum is that of fractions.Fraction, after any history of changes
State  FloatSum: one int scaled by a power of two; O(range of exponents) bits
       DecimalSum: exponent -> [values held, sum of their coefficients]; O(distinct exponents)
Cost   O(size of the scaled int) per change, in practice constant: two or three machine words
Edges  finite values only; one rounding, when the result is asked for

Every finite float is an integer times a power of two, so the sum of floats is an int over the
largest of their denominators. A Decimal sum keeps its exponents apart, because the result has to
have as many places as the values held (1.10 + 2.20 = 3.30), also after 0.001 came and went, and
because 1E+999999 and 1E-999999 must not meet before somebody asks for their sum.

Source Kulisch's exact accumulator, with Python's ints for the register
"""

from __future__ import annotations

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, Rounded
from math import fsum, inf, isfinite, ldexp, nan
from typing import Final

from dataflow.errors import QueryError

MAX_DIGITS: Final = 100_000
"""Decimal digits of the longest sum; a longer one is refused, as it would fill the memory."""

MAX_EXPONENT: Final = 1024
"""The smallest power of two that is too large for a float."""

_SHIFTING: Final = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])
_SUMMING: Final = Context(prec=MAX_DIGITS, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Rounded])


class FloatSum:
    """The exact sum of finite floats.

    >>> total = FloatSum()
    >>> for value in (1e16, 1.0, -1e16): total.change(value, 1)
    >>> numerator, denominator = total.ratio(0)
    >>> numerator / denominator
    1.0
    """

    __slots__ = ("_scale", "_scaled", "_shift")

    def __init__(self) -> None:
        self._scaled = 0
        self._shift = 0
        self._scale = 1.0  # 2 ** shift, NaN if no float holds that

    def change(self, value: float, sign: int) -> None:
        """Add (`sign` 1) or subtract (-1) a finite value.

        Times a power of two a float loses no bit, so the product tells whether the scale is fine enough, unless it is too large.
        """
        product = value * self._scale
        try:
            numerator = int(product)
        except (OverflowError, ValueError):
            numerator = self._scaled_exactly(value)
        else:
            if numerator != product:
                numerator = self._scaled_exactly(value)
        self._scaled += numerator if sign > 0 else -numerator

    def _scaled_exactly(self, value: float) -> int:
        """Return a value times the scale, which is made fine enough for it."""
        numerator, denominator = value.as_integer_ratio()
        shift = denominator.bit_length() - 1
        if shift > self._shift:
            self._scaled <<= shift - self._shift
            self._shift = shift
            self._scale = ldexp(1.0, shift) if shift < MAX_EXPONENT else nan
        return numerator << (self._shift - shift)

    def total(self, integer: int) -> float:
        """Return the exact sum plus `integer`, correctly rounded; infinite if no float holds it."""
        try:
            return (self._scaled + (integer << self._shift)) / (1 << self._shift)
        except OverflowError:
            return quotient(*self.ratio(integer))

    def load(self, values: list[float]) -> bool:
        """Add many values, unless that might overflow or some are not finite; return whether it did.

        `fsum` rounds the exact sum once, so what it leaves of the values less that sum is what the rounding took away. A few
        passes in C get all of it.
        """
        found: list[float] = []
        try:
            while rest := fsum((*values, *found)):
                if not isfinite(rest):
                    return False
                found.append(-rest)
        except (OverflowError, ValueError):  # of infinities of both signs, too
            return False
        for part in found:
            self.change(part, -1)
        return True

    def ratio(self, integer: int) -> tuple[int, int]:
        """Return the exact sum plus `integer` as (numerator, denominator)."""
        return self._scaled + (integer << self._shift), 1 << self._shift


class DecimalSum:
    """The exact sum of finite Decimals, with as many places as the values have.

    >>> total = DecimalSum()
    >>> for text in ("1.10", "2.2"): total.change(Decimal(text), 1)
    >>> total.total(None)
    Decimal('3.30')
    """

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: dict[int, list[int]] = {}

    def change(self, value: Decimal, sign: int) -> None:
        """Add (`sign` 1) or subtract (-1) a finite value."""
        exponent = int(value.as_tuple().exponent)
        coefficient = int(value.scaleb(-exponent, _SHIFTING))
        part = self._parts.setdefault(exponent, [0, 0])
        part[0] += sign
        part[1] += sign * coefficient
        if not part[0]:
            del self._parts[exponent]

    def total(self, integer: int | None) -> Decimal:
        """Return the exact sum plus `integer`, if there is one to add.

        Raises:
            QueryError: The sum has more than `MAX_DIGITS` digits.
        """
        terms = {exponent: coefficient for exponent, (_, coefficient) in self._parts.items()}
        if integer is not None:
            terms[0] = terms.get(0, 0) + integer
        try:
            shifted = [
                Decimal(coefficient).scaleb(exponent, _SUMMING)
                for exponent, coefficient in sorted(terms.items())
            ]
            total = shifted[0]
            for term in shifted[1:]:
                total = _SUMMING.add(total, term)
        except Rounded as error:
            refusal = QueryError(f"sum of decimals has more than {MAX_DIGITS} digits")
            refusal.add_note("values of such different magnitudes have no exact sum of a sane size")
            raise refusal from error
        return total

    def _check(self) -> None:
        """Assert every invariant of the state."""
        assert all(count > 0 for count, _ in self._parts.values())


def quotient(numerator: int, denominator: int) -> float:
    """Divide two ints, correctly rounded; a quotient that no float holds is infinite."""
    try:
        return numerator / denominator
    except OverflowError:
        return inf if numerator > 0 else -inf
