import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from dataflow.aggregation.median import Median
from dataflow.errors import QueryError
from tests.dataflow.aggregation.histories import follow, histories
from tests.oracle.aggregates import median
from tests.oracle.semantics import same


@given(histories)
def test_the_median_is_that_of_the_numbers_held(history: list[tuple[Any, float]]) -> None:
    state = Median()

    def look(held: list[Any]) -> None:
        state._check()
        assert same(state.median(), median(held))

    follow(history, state, look)
    assert len(state) == 0


def test_which_of_two_equal_numbers_comes_out_depends_on_the_numbers_held_alone() -> None:
    state = Median()
    for value in (1.0, 1, Decimal("1.00"), 0, 2):
        state.add(value)
    found = repr(state.median())
    state.remove(1)
    state.remove(1.0)
    state.add(1.0)
    state.add(1)
    assert repr(state.median()) == found


def test_the_mean_of_two_is_exact_and_stays_in_range() -> None:
    state = Median()
    for value in (1e308, 1.2e308):
        state.add(value)
    assert state.median() == 1.1e308
    state.remove(1e308)
    state.add(math.nan)
    assert math.isnan(state.median() or 0)


def test_a_float_beside_a_decimal_in_the_middle_is_refused() -> None:
    state = Median()
    state.add(1.5)
    state.add(Decimal(2))
    with pytest.raises(QueryError, match="decimals and floats"):
        state.median()
    state.add(Decimal(3))
    assert state.median() == Decimal(2)
