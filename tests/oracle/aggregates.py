"""Aggregates by recomputation over all rows of a group; sums through exact fractions.

Rows come as (key, environment) pairs. An aggregate looks at them in the order of its `order_by`,
ties and everything else by ascending row key.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from tests.oracle.library import is_number, shown
from tests.oracle.scalars import Env, is_true, value_of
from tests.oracle.semantics import by_total_order, compare, kind, same

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dataflow.query.scalar import Aggregate, Ordering

Entry = tuple[Any, Env]


def ordered(entries: Sequence[Entry], by: Sequence[Ordering]) -> list[Entry]:
    """Sort (key, environment) pairs by the parts of an order, ties by ascending key."""

    def compare_entries(left: Entry, right: Entry) -> int:
        return compare_orders(left, right, by) or compare(left[0], right[0])

    return sorted(entries, key=cmp_to_key(compare_entries))


def compare_orders(left: Entry, right: Entry, by: Sequence[Ordering]) -> int:
    """Compare two rows by the parts of an order; 0 if they are peers."""
    for part in by:
        a, b = value_of(part.by, left[1]), value_of(part.by, right[1])
        found = _compare_part(part, a, b)
        if found:
            return found
    return 0


def _compare_part(part: Ordering, a: Any, b: Any) -> int:
    if (a is None) != (b is None):
        first = -1 if a is None else 1
        return -first if part.nulls_last else first
    found = compare(a, b)
    return -found if part.descending else found


def aggregate(spec: Aggregate, entries: Sequence[Entry]) -> Any:
    """Compute one aggregate over the rows of one group."""
    if spec.where is not None:
        entries = [entry for entry in entries if is_true(spec.where, entry[1])]
    entries = ordered(entries, spec.order_by)
    if not spec.args:
        return len(entries)
    values = [value_of(spec.args[0], env) for _, env in entries]
    if spec.kind == "fold":
        return _fold(values, *spec.options)
    if spec.kind == "aggregate":
        initial, add, _, finish = spec.options
        return _fold(values, initial, add, finish)
    if spec.kind == "string_agg":
        return _joined(values, *spec.options)
    return AGGREGATES[spec.kind]([value for value in values if value is not None])


def _fold(values: list[Any], initial: Any, step: Callable[..., Any], finish: Any = None) -> Any:
    state = initial() if callable(initial) else initial
    for value in values:
        if value is not None:
            state = step(state, value)
    return state if finish is None else finish(state)


def _joined(values: list[Any], separator: str) -> str | None:
    texts = [shown(value) for value in values if value is not None]
    known = [text for text in texts if text is not None]
    return separator.join(known) if known else None


def total(values: list[Any]) -> Any:
    """Sum the numbers among the values: exact, and a float as soon as one float takes part."""
    numbers = [value for value in values if kind(value) in ("number", "nan")]
    if not numbers:
        return None
    if any(isinstance(value, Decimal) for value in numbers):
        return sum(numbers)
    if not any(isinstance(value, float) for value in numbers):
        return sum(numbers)
    special = _special([value for value in numbers if not math.isfinite(value)])
    if special is not None:
        return special
    exact = sum(map(Fraction, numbers), Fraction())
    return _to_float(exact)


def average(values: list[Any]) -> Any:
    """Divide the exact sum by the count of numbers, rounding once."""
    numbers = [value for value in values if kind(value) in ("number", "nan")]
    if not numbers:
        return None
    if any(isinstance(value, Decimal) for value in numbers):
        return sum(numbers) / len(numbers)
    special = _special([value for value in numbers if not math.isfinite(value)])
    if special is not None:
        return special
    exact = sum(map(Fraction, numbers), Fraction())
    return _to_float(exact / len(numbers))


def distinct(values: list[Any]) -> int:
    """Count the values that equal none before them."""
    found: list[Any] = []
    for value in values:
        if not any(same(value, known) for known in found):
            found.append(value)
    return len(found)


def median(values: list[Any]) -> Any:
    """Return the middle number, or the exact mean of the two in the middle."""
    numbers = sorted([value for value in values if is_number(value)], key=by_total_order)
    middle = len(numbers) // 2
    return average(numbers[middle - 1 : middle + 1]) if not len(numbers) % 2 else numbers[middle]


def variance(values: list[Any]) -> Any:
    """Return the mean square distance from the mean, for a sample, rounded once."""
    exact = _variance(values)
    return _to_float(exact) if isinstance(exact, Fraction) else exact


def _variance(values: list[Any]) -> Fraction | float | None:
    numbers = [value for value in values if is_number(value)]
    if len(numbers) < 2:
        return None
    if not all(map(math.isfinite, numbers)):
        return math.nan
    exact = [Fraction(float(n) if isinstance(n, Decimal) else n) for n in numbers]
    mean = sum(exact, Fraction()) / len(exact)
    return sum([(n - mean) ** 2 for n in exact], Fraction()) / (len(exact) - 1)


def deviation(values: list[Any]) -> Any:
    """Return the square root of the variance."""
    exact = _variance(values)
    if not isinstance(exact, Fraction):
        return exact
    context = Context(
        prec=2_000
    )  # the square of the smallest float has 1,500 digits, and ties count
    square = context.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    return float(context.sqrt(square))


def any_true(values: list[Any]) -> Any:
    """Tell whether one of the bools is true; null without any."""
    known = [value for value in values if isinstance(value, bool)]
    return True in known if known else None


def all_true(values: list[Any]) -> Any:
    """Tell whether none of the bools is false; null without any."""
    known = [value for value in values if isinstance(value, bool)]
    return False not in known if known else None


def _special(values: list[float]) -> float | None:
    if not values:
        return None
    return values[0] if len({str(value) for value in values}) == 1 else math.nan


def _to_float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "sum": total,
    "avg": average,
    "min": lambda values: min(values, key=by_total_order, default=None),
    "max": lambda values: max(values, key=by_total_order, default=None),
    "collect": lambda values: values or None,
    "first": lambda values: values[0] if values else None,
    "count_distinct": distinct,
    "median": median,
    "variance": variance,
    "stddev": deviation,
    "any": any_true,
    "all": all_true,
    "last": lambda values: values[-1] if values else None,
}
"""Aggregates over the non-null values of a group, by their name in the IR."""
