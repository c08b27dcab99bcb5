from typing import Any

import pytest
from hypothesis import given

from dataflow.aggregation.distinct import Distinct
from tests.dataflow.aggregation.histories import follow, histories
from tests.oracle.aggregates import distinct


@given(histories)
def test_the_count_is_that_of_the_different_values_held(history: list[tuple[Any, float]]) -> None:
    state = Distinct()

    def look(held: list[Any]) -> None:
        state._check()
        assert len(state) == distinct([value for value in held if value is not None])

    follow(history, state, look)


def test_a_value_that_is_not_held_cannot_go() -> None:
    state = Distinct()
    state.add(1)
    with pytest.raises(KeyError):
        state.remove(True)
