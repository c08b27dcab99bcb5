"""The variance of numbers that come and go, as if computed at once and exactly.

Law    variance() == statistics.variance of the numbers held as fractions, rounded once;
       deviation() == its square root, rounded once as well
State  how many, their sum and the sum of their squares, as ints scaled by powers of two
Cost   O(size of the scaled ints) per change and per result, in practice a few machine words
Edges  nulls, bools and whatever is no number do not count; a Decimal counts as the nearest float;
       fewer than two numbers: null; while an infinity or NaN is held: NaN

The variance is that of a sample: the squares of the distances from the mean, divided by n - 1. In
floats, n * sum(x**2) - sum(x)**2 cancels catastrophically; in exact ints it is as good as any formula.
"""

from __future__ import annotations

from decimal import Decimal
from math import isfinite, isqrt, nan
from typing import Any, Final

from dataflow.aggregation.exact import quotient
from dataflow.values.kinds import NUMBER, kind_of, plain

_ROOT_BITS: Final = 64  # more than a float has, so that the last one can stand for all that follow


class Moments:
    """The exact sums that variance and standard deviation follow from.

    >>> moments = Moments()
    >>> for value in (1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16): moments.add(value)
    >>> moments.variance()
    30.0
    """

    __slots__ = ("_count", "_shift", "_squares", "_sum", "_unbounded")

    def __init__(self) -> None:
        self._count = 0
        self._unbounded = 0  # infinities and NaN
        self._shift = 0
        self._sum = 0  # of x << shift
        self._squares = 0  # of (x << shift) ** 2

    def add(self, value: Any) -> None:  # Any: whatever a row holds
        """Add one occurrence of `value`; what is no number is ignored."""
        if value.__class__ is int or kind_of(value) == NUMBER:
            self._change(plain(value), 1)

    def remove(self, value: Any) -> None:  # Any: whatever a row holds
        """Remove one occurrence of a value that was added; what is no number is ignored."""
        if value.__class__ is int or kind_of(value) == NUMBER:
            self._change(plain(value), -1)

    def variance(self) -> float | None:
        """Return the variance of the sample; null of fewer than two numbers."""
        if self._count < 2:
            return None
        return nan if self._unbounded else quotient(*self._ratio())

    def deviation(self) -> float | None:
        """Return the standard deviation of the sample; null of fewer than two numbers."""
        if self._count < 2:
            return None
        return nan if self._unbounded else _root(*self._ratio())

    def _ratio(self) -> tuple[int, int]:
        """Return the exact variance as (numerator, denominator)."""
        count = self._count
        scaled = count * self._squares - self._sum * self._sum
        return scaled, count * (count - 1) << 2 * self._shift

    def _change(self, number: int | float | Decimal, sign: int) -> None:
        self._count += sign
        if not isinstance(number, int):
            number = nan if isinstance(number, Decimal) and number.is_nan() else float(number)
            if not isfinite(number):
                self._unbounded += sign
                return
        numerator, denominator = number.as_integer_ratio()
        shift = denominator.bit_length() - 1
        if shift > self._shift:
            self._sum <<= shift - self._shift
            self._squares <<= 2 * (shift - self._shift)
            self._shift = shift
        numerator <<= self._shift - shift
        self._sum += sign * numerator
        self._squares += sign * numerator * numerator
        if not self._count:
            self._shift = 0  # the next ones may need fewer bits

    def _check(self) -> None:
        """Assert every invariant of the state."""
        assert 0 <= self._unbounded <= self._count
        bounded = self._count - self._unbounded
        assert bounded * self._squares >= self._sum * self._sum
        assert bounded or (self._sum, self._squares) == (0, 0)


def _root(numerator: int, denominator: int) -> float:
    """Return the square root of a quotient of ints, correctly rounded."""
    bits = numerator.bit_length() - denominator.bit_length()
    shift = max(0, _ROOT_BITS - bits // 2)
    scaled = numerator << 2 * shift
    root = isqrt(scaled // denominator)
    return quotient(root | (root * root * denominator != scaled), 1 << shift)
