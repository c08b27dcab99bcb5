import math
from decimal import Decimal
from statistics import variance
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dataflow.aggregation.moments import Moments
from tests.dataflow.aggregation.histories import follow, histories
from tests.oracle import aggregates
from tests.oracle.semantics import same


@given(histories)
def test_the_variance_is_that_of_the_numbers_held(history: list[tuple[Any, float]]) -> None:
    state = Moments()

    def look(held: list[Any]) -> None:
        state._check()
        assert same(state.variance(), aggregates.variance(held))
        assert same(state.deviation(), aggregates.deviation(held))

    follow(history, state, look)


def test_a_deviation_half_way_between_two_floats_is_rounded_to_even() -> None:
    state = Moments()
    for value in (0, 0, 0, 5e-324):
        state.add(value)
    assert (state.deviation(), aggregates.deviation([0, 0, 0, 5e-324])) == (0.0, 0.0)


@given(st.lists(st.integers(-100, 100), min_size=2))
def test_it_is_the_variance_of_statistics(numbers: list[int]) -> None:
    state = Moments()
    for number in numbers:
        state.add(number)
    assert math.isclose(state.variance() or 0, variance(numbers), abs_tol=1e-12)


def test_the_deviation_is_finite_where_the_variance_is_not() -> None:
    state = Moments()
    state.add(-1e300)
    state.add(1e300)
    assert (state.variance(), state.deviation()) == (math.inf, 1.4142135623730952e300)


def test_decimals_count_as_floats_and_infinities_leave_no_trace() -> None:
    state = Moments()
    for value in (Decimal("1.5"), Decimal("1E+999"), 2.5, Decimal("NaN")):
        state.add(value)
    assert math.isnan(state.variance() or 0)
    state.remove(Decimal("1E+999"))
    state.remove(Decimal("NaN"))
    assert state.variance() == 0.5
