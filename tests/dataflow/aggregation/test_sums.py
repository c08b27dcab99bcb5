"""Total against fractions.Fraction over the numbers held, rounded once."""

import decimal
import math
import random
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.aggregation.sums import Total
from dataflow.errors import QueryError

IGNORED = st.sampled_from([None, True, False, "1", [1], {"a": 1}])
INTS = st.integers(-5, 5) | st.integers()
FLOATS = st.sampled_from([0.1, -0.0, 1e308, -1e308, 5e-324]) | st.floats()
DECIMALS = st.sampled_from([Decimal("1.10"), Decimal("-0.00"), Decimal("1E+40")]) | st.decimals()

WITH_FLOATS = st.lists(INTS | FLOATS | IGNORED, max_size=30)
WITH_DECIMALS = st.lists(INTS | DECIMALS.filter(lambda d: not d.is_snan()) | IGNORED, max_size=30)


class Level(IntEnum):
    LOW = 1


class Price(Enum):
    CHEAP = 2.5


class Meters(float):
    pass


def numbers(values: list[object]) -> list[int | float | Decimal]:
    return [v for v in values if isinstance(v, int | float | Decimal) and not isinstance(v, bool)]


def rounded(exact: Fraction) -> float:
    try:
        return exact.numerator / exact.denominator
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def expected(values: list[object]) -> tuple[object, object]:
    """Return total and mean of values without Decimals, by their definition."""
    held = numbers(values)
    if not held:
        return None, None
    unbounded = {str(v) for v in held if isinstance(v, float) and not math.isfinite(v)}
    if unbounded:
        result = float(unbounded.pop()) if len(unbounded) == 1 else math.nan
        return result, result
    exact = sum(map(Fraction, held), Fraction())
    total = rounded(exact) if any(isinstance(v, float) for v in held) else int(exact)
    return total, rounded(exact / len(held))


def look(*results: object) -> list[tuple[type, str]]:
    """Tell results apart as users would: 1 from 1.0, 0.0 from -0.0, 1.10 from 1.1, NaN from none."""
    return [(type(result), str(result)) for result in results]


def held_after_noise(values: list[object], noise: list[object], seed: int) -> Total:
    """Add the values and add and remove the noise, in an order that depends on the seed."""
    shuffler = random.Random(seed)
    changes = [(shuffler.random(), True, value) for value in values]
    for value in noise:
        added = shuffler.random()
        changes += [(added, True, value), (shuffler.uniform(added, 1), False, value)]
    total = Total()
    for _, is_added, value in sorted(changes, key=lambda change: change[0]):
        (total.add if is_added else total.remove)(value)
        total._check()
    return total


@given(WITH_FLOATS, WITH_FLOATS, st.integers())
def test_results_are_exact_whatever_came_and_went(
    values: list[object], noise: list[object], seed: int
) -> None:
    total = held_after_noise(values, noise, seed)
    assert look(total.total(), total.mean()) == look(*expected(values))
    assert total.count == len(numbers(values))


@given(WITH_FLOATS | st.lists(FLOATS), WITH_FLOATS | st.lists(FLOATS))
def test_loaded_values_count_like_added_ones(loaded: list[object], later: list[object]) -> None:
    total = Total()
    total.load(loaded)
    total._check()
    assert look(total.total(), total.mean()) == look(*expected(loaded))
    total.load(later)
    for value in loaded:
        total.remove(value)
    total._check()
    assert look(total.total(), total.mean()) == look(*expected(later))
    assert total.count == len(numbers(later))


@given(st.lists(st.floats(-1e300, 1e300), min_size=1))
def test_finite_floats_add_up_as_fsum_says(values: list[float]) -> None:
    total = Total()
    for value in values:
        total.add(value)
    assert total.total() == math.fsum(values)


@given(st.lists(st.integers(-(2**53), 2**53), min_size=1))
def test_a_mean_of_ints_is_a_float(values: list[int]) -> None:
    total = Total()
    for value in values:
        total.add(value)
    assert type(total.mean()) is float
    assert total.mean() == pytest.approx(fmean(values), rel=1e-9)
    assert total.mean() == rounded(Fraction(sum(values), len(values)))


@given(WITH_DECIMALS, WITH_FLOATS, WITH_DECIMALS, st.integers())
def test_decimals_are_exact_whatever_came_and_went(
    values: list[object], floats: list[object], decimals: list[object], seed: int
) -> None:
    """Floats may come and go meanwhile: the mixture is refused only while it lasts."""
    held = numbers(values)
    total = held_after_noise(values, floats + decimals, seed)
    result = total.total()
    assert look(result, total.mean()) == look(
        held_after_noise(values, [], seed=0).total(), held_after_noise(values, [], seed=0).mean()
    )
    if not any(isinstance(v, Decimal) for v in held):
        assert look(result, total.mean()) == look(*expected(values))
    elif all(math.isfinite(v) for v in held):
        assert isinstance(result, Decimal)
        assert Fraction(result) == sum(map(Fraction, held), Fraction())
        exponents = [int(Decimal(v).as_tuple().exponent) for v in held]
        assert result.as_tuple().exponent == min(exponents)


@given(st.lists(st.decimals(-1000, 1000, places=3), min_size=1))
def test_a_mean_of_decimals_is_rounded_to_28_digits(values: list[Decimal]) -> None:
    total = Total()
    for value in values:
        total.add(value)
    mean = total.mean()
    assert isinstance(mean, Decimal)
    exact = sum(map(Fraction, values), Fraction()) / len(values)
    assert abs(Fraction(mean) - exact) <= abs(exact) * Fraction(1, 2 * 10**27)


def test_the_decimal_context_of_the_thread_has_no_say() -> None:
    values = [Decimal("0.1234567890123456789"), Decimal(10) ** 30, 1]
    total = Total()
    with decimal.localcontext(decimal.Context(prec=3)):
        for value in values:
            total.add(value)
        assert str(total.total()) == "1000000000000000000000000000001.1234567890123456789"
        assert str(total.mean()) == "333333333333333333333333333333.70781892967078189297"


def test_a_digit_that_left_leaves_no_place_behind() -> None:
    total = Total()
    for text in ("1.10", "2.2", "0.001"):
        total.add(Decimal(text))
    total.remove(Decimal("0.001"))
    assert str(total.total()) == "3.30"


@pytest.mark.parametrize("read", [Total.total, Total.mean])
def test_decimals_with_floats_are_refused_until_one_kind_is_gone(read: object) -> None:
    assert callable(read)
    total = Total()
    for value in (1, Decimal("0.5"), 0.25):
        total.add(value)
    for _ in range(2):
        with pytest.raises(QueryError, match="cannot add up decimals and floats in one sum"):
            read(total)
    total.remove(0.25)
    assert (total.total(), total.mean()) == (Decimal("1.5"), Decimal("0.75"))
    total.add(math.inf)
    with pytest.raises(QueryError):
        read(total)
    total.remove(Decimal("0.5"))
    assert total.total() == math.inf


def test_a_sum_of_decimals_too_long_for_memory_is_refused_until_it_is_gone() -> None:
    total = Total()
    total.add(Decimal("1E+999999999"))
    assert str(total.total()) == "1E+999999999"
    total.add(1)
    with pytest.raises(QueryError, match="sum of decimals has more than 100000 digits"):
        total.total()
    total.remove(Decimal("1E+999999999"))
    total._check()
    assert look(total.total()) == look(1)


@pytest.mark.parametrize(
    ("values", "result"),
    [
        (["Infinity", "1"], "Infinity"),
        (["Infinity", "-Infinity"], "NaN"),
        (["-Infinity", "-Infinity", "2.5"], "-Infinity"),
        (["NaN", "1"], "NaN"),
        (["sNaN"], "NaN"),
    ],
)
def test_unbounded_decimals_stay_decimals(values: list[str], result: str) -> None:
    total = Total()
    for value in values:
        total.add(Decimal(value))
    assert look(total.total(), total.mean()) == look(Decimal(result), Decimal(result))
    for value in values:
        total.remove(Decimal(value))
    total._check()
    assert total.total() is None


def test_sums_beyond_the_largest_float_are_infinite_but_their_mean_is_not() -> None:
    total = Total()
    total.add(-1.7e308)
    total.add(-1.7e308)
    assert (total.total(), total.mean()) == (-math.inf, -1.7e308)
    total.add(1.7e308)
    assert total.total() == -1.7e308


def test_ints_stay_ints_beyond_the_range_of_floats() -> None:
    total = Total()
    total.add(10**400)
    total.add(-1)
    assert (total.total(), total.mean()) == (10**400 - 1, math.inf)


def test_subclasses_and_enum_members_count_as_the_number_they_are() -> None:
    total = Total()
    for value in (Level.LOW, Price.CHEAP, Meters(0.25)):
        total.add(value)
    assert look(total.total()) == look(3.75)
    for value in (Price.CHEAP, Meters(0.25)):
        total.remove(value)
    assert look(total.total(), total.mean()) == look(1, 1.0)


def test_ints_counted_elsewhere_are_taken_over() -> None:
    total = Total(integers=7, count=2)
    total.add(0.5)
    total.remove(3)
    total._check()
    assert (total.total(), total.mean(), total.count) == (4.5, 2.25, 2)
