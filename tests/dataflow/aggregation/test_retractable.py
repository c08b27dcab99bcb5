from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.aggregation.retractable import Retractable

Calls = list[tuple[str, Any]]


def counting(calls: Calls) -> Retractable[int]:
    def add(state: int, value: int) -> int:
        calls.append(("add", value))
        return state + value

    def retract(state: int, value: int) -> int:
        calls.append(("retract", value))
        return state - value

    def finish(state: int) -> str:
        calls.append(("finish", state))
        return f"total {state}"

    return Retractable(0, add, retract, finish)


def test_functions_run_once_for_a_value_that_came_or_went_and_only_for_a_result() -> None:
    calls: Calls = []
    state = counting(calls)
    state.add(1)
    state.add(2)
    assert calls == []
    assert state.result() == "total 3"
    assert calls == [("add", 1), ("add", 2), ("finish", 3)]
    calls.clear()
    state.remove(1)
    state.add(5)
    assert state.result() == "total 7"
    assert state.result() == "total 7"
    assert calls == [("retract", 1), ("add", 5), ("finish", 7)]


def test_with_nothing_left_the_state_begins_anew_without_a_call() -> None:
    calls: Calls = []
    state = counting(calls)
    assert state.result() == "total 0"
    state.add(1)
    state.result()
    calls.clear()
    state.remove(1)
    assert state.result() == "total 0"
    assert calls == [("finish", 0)]


def test_every_state_that_a_function_makes_is_fresh() -> None:
    made: list[list[int]] = []

    def fresh() -> list[int]:
        made.append([])
        return made[-1]

    states = [
        Retractable[int](fresh, lambda state, value: [*state, value], lambda state, _: state[1:])
        for _ in range(2)
    ]
    for number, state in enumerate(states):
        state.add(number)
    assert [state.result() for state in states] == [[0], [1]]
    assert made == [[], []]


@given(st.lists(st.integers()), st.data())
def test_the_result_is_that_of_the_values_held(values: list[int], data: st.DataObject) -> None:
    state = Retractable[int](
        0, lambda total, value: total ^ value, lambda total, value: total ^ value
    )
    held: list[int] = []
    for value in values:
        state.add(value)
        held.append(value)
        if data.draw(st.booleans()):
            state.remove(held.pop(data.draw(st.integers(0, len(held) - 1))))
        expected = 0
        for each in held:
            expected ^= each
        assert state.result() == expected


def test_an_exception_of_a_function_passes_through() -> None:
    def fail(state: int, value: int) -> int:
        raise ZeroDivisionError

    state = Retractable(0, fail, fail)
    state.add(1)
    with pytest.raises(ZeroDivisionError):
        state.result()
