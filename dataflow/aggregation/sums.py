"""The sum and the mean of numbers that come and go, as if computed at once and exactly.

Law    total() and mean() depend on the values held alone, and are those of fractions.Fraction,
       rounded once
State  counters, the sum of the ints, and exact sums of floats and Decimals while there are any
Cost   O(1) per change and per result: two additions for an int, one scaled int for a float
Edges  nulls, bools and whatever is no number do not contribute; nothing contributes: null;
       subclasses of int and float, and enum members, count as the number they are;
       beyond the largest float: infinite; NaN, or inf and -inf together: NaN

    held                        total                               mean
    ints                        int                                 float, correctly rounded
    floats, perhaps ints        float, correctly rounded            float, correctly rounded
    Decimals, perhaps ints      Decimal, exact                      Decimal, correctly rounded
    floats and Decimals         QueryError, until one kind is gone  QueryError

A Decimal mean has 28 digits, or as many as the exact sum if those are more; the decimal context of
the thread has no say.

Source Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997, for the problem; a scaled int
       for the answer, because compensated sums are exact in one direction only
"""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from math import isfinite, nan
from typing import Any

from dataflow.aggregation.exact import DecimalSum, FloatSum, quotient
from dataflow.errors import QueryError
from dataflow.values.kinds import NUMBER, kind_of, plain

_MEAN_DIGITS = 28


class Total:
    """Exact sum and mean of the numbers added and not removed.

    Args:
        integers: Sum of ints that were counted elsewhere and are taken over.
        count: How many those were.

    Attributes:
        count: Number of values that contribute; read-only.

    >>> total = Total()
    >>> for value in (0.1, 1e100, True, None, 2): total.add(value)
    >>> total.remove(1e100)
    >>> total.total(), total.mean(), total.count
    (2.1, 1.05, 2)
    """

    __slots__ = (
        "_decimal_count",
        "_decimals",
        "_float_count",
        "_floats",
        "_integers",
        "_unbounded",
        "count",
    )

    def __init__(self, integers: int = 0, count: int = 0) -> None:
        self.count: int = count
        self._integers = integers
        self._float_count = 0  # finite or not
        self._decimal_count = 0
        self._floats: FloatSum | None = None
        self._decimals: DecimalSum | None = None
        self._unbounded: dict[str, int] | None = None  # "inf", "-inf", "nan" -> how many

    def add(self, value: Any) -> None:  # Any: whatever a row holds
        """Add one occurrence of `value`; what is no number is ignored."""
        if value.__class__ is int:
            self._integers += value
            self.count += 1
        elif value.__class__ is float and self._floats is not None and isfinite(value):
            self._floats.change(value, 1)
            self._float_count += 1
            self.count += 1
        elif value.__class__ is float or kind_of(value) == NUMBER:
            self._change(plain(value), 1)

    def remove(self, value: Any) -> None:  # Any: whatever a row holds
        """Remove one occurrence of a value that was added; what is no number is ignored."""
        if value.__class__ is int:
            self._integers -= value
            self.count -= 1
        elif value.__class__ is float and self._floats is not None and isfinite(value):
            self._floats.change(value, -1)
            self._float_count -= 1
            self.count -= 1
            if not self._float_count:
                self._floats = None  # the next ones may need fewer bits
        elif value.__class__ is float or kind_of(value) == NUMBER:
            self._change(plain(value), -1)

    def load(self, values: list[Any]) -> None:
        """Add many values; what is no number is ignored."""
        if set(map(type, values)) == {float}:
            floats = self._floats or FloatSum()
            if floats.load(values):
                self._floats = floats
                self._float_count += len(values)
                self.count += len(values)
                return
        for value in values:
            self.add(value)

    def total(self) -> int | float | Decimal | None:
        """Return the exact sum, rounded once if it is a float; null if nothing contributes.

        Raises:
            QueryError: Floats and Decimals are held, or the sum has too many digits.
        """
        if not self._decimal_count and not self._unbounded:
            if self._floats is not None:
                return self._floats.total(self._integers)
            return self._integers if self.count else None
        self._refuse_mixture()
        if self._unbounded:
            return self._unbounded_total()
        return self._decimal_total()

    def mean(self) -> float | Decimal | None:
        """Return the exact mean, rounded once; null if nothing contributes.

        Raises:
            QueryError: As for `total`.
        """
        if not self.count:
            return None
        self._refuse_mixture()
        if self._unbounded:
            return self._unbounded_total()
        if self._decimal_count:
            total = self._decimal_total()
            digits = max(_MEAN_DIGITS, len(total.as_tuple().digits))
            context = Context(prec=digits, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])
            return context.divide(total, Decimal(self.count))
        numerator, denominator = self._finite_ratio()
        return quotient(numerator, denominator * self.count)

    def _change(self, value: int | float | Decimal, sign: int) -> None:
        self.count += sign
        if isinstance(value, int):
            self._integers += sign * value
        elif isinstance(value, float):
            self._float_count += sign
            if not isfinite(value):
                self._change_unbounded(value, sign)
            else:
                if self._floats is None:
                    self._floats = FloatSum()
                self._floats.change(value, sign)
            if not self._float_count:
                self._floats = None  # the next ones may need fewer bits
        else:
            self._decimal_count += sign
            if not value.is_finite():
                self._change_unbounded(nan if value.is_nan() else float(value), sign)
            else:
                if self._decimals is None:
                    self._decimals = DecimalSum()
                self._decimals.change(value, sign)

    def _change_unbounded(self, value: float, sign: int) -> None:
        if self._unbounded is None:
            self._unbounded = {}
        name = str(value)
        held = self._unbounded.pop(name, 0) + sign
        if held:
            self._unbounded[name] = held

    def _refuse_mixture(self) -> None:
        if self._float_count and self._decimal_count:
            error = QueryError("cannot add up decimals and floats in one sum")
            error.add_note("convert one of the two, so that it is clear which rounding is meant")
            raise error

    def _unbounded_total(self) -> float | Decimal:
        names = self._unbounded or {}
        total = nan if len(names) > 1 else float(next(iter(names)))
        return Decimal(total) if self._decimal_count else total

    def _finite_ratio(self) -> tuple[int, int]:
        return (self._integers, 1) if self._floats is None else self._floats.ratio(self._integers)

    def _decimal_total(self) -> Decimal:
        assert self._decimals is not None
        integers_held = self.count > self._decimal_count
        return self._decimals.total(self._integers if integers_held else None)

    def _check(self) -> None:
        """Assert every invariant of the state."""
        integer_count = self.count - self._float_count - self._decimal_count
        assert min(integer_count, self._float_count, self._decimal_count) >= 0
        assert integer_count or not self._integers
        assert self._float_count or self._floats is None
        unbounded = (self._unbounded or {}).values()
        assert all(held > 0 for held in unbounded)
        assert sum(unbounded) <= self._float_count + self._decimal_count
        if self._decimals is not None:
            self._decimals._check()  # noqa: SLF001 - a part of this state
