"""Fold against functools.reduce over the sorted rows, and the number of steps it may take."""

import math
from dataclasses import dataclass, field
from functools import reduce
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.aggregation import blocks
from dataflow.aggregation.folding import Fold, FoldStatistics

BAD = 13


def step(state: int, row: int) -> int:
    """Mix a row into the state, so that neither order nor repetition goes unnoticed."""
    if row == BAD:
        raise ValueError("bad row")
    return (state * 31 + row + 7) % 1_000_003


@dataclass
class Model:
    """The rows as they are, row key -> (order key, row), and the fold under test."""

    fold: Fold[int] = field(default_factory=lambda: Fold(1, step, str))
    rows: dict[int, tuple[int, int]] = field(default_factory=dict)
    lowest: float = math.inf

    def ordered(self) -> list[int]:
        places = sorted((order, key) for key, (order, _) in self.rows.items())
        return [self.rows[key][1] for _, key in places]

    def touch(self, order: int, key: int) -> None:
        before = sum((o, k) < (order, key) for k, (o, _) in self.rows.items())
        self.lowest = min(self.lowest, before)

    def put(self, key: int, order: int, row: int) -> None:
        if key in self.rows and self.rows[key][0] != order:
            self.delete(key)
        self.fold.add(order, key, row)
        self.rows[key] = order, row
        self.touch(order, key)

    def delete(self, key: int) -> None:
        if key in self.rows:
            order, _ = self.rows.pop(key)
            self.fold.remove(order, key)
            self.touch(order, key)


def numbered(count: int) -> Model:
    model = Model()
    for seq in range(count):
        model.put(seq, seq, seq % 11)
    model.fold.result()
    return model


def steps(model: Model) -> int:
    return model.fold.statistics().steps


CHANGES = st.tuples(st.integers(0, 40), st.none() | st.integers(0, 60), st.integers(0, BAD - 1))
CHANGES_WITH_BAD_ROWS = st.tuples(
    st.integers(0, 40), st.none() | st.integers(0, 60), st.integers(BAD - 2, BAD + 1)
)


def apply(model: Model, epoch: list[tuple[int, int | None, int]]) -> None:
    for key, order, row in epoch:
        if order is None:
            model.delete(key)
        else:
            model.put(key, order, row)


@given(st.integers(0, 70), st.lists(st.lists(CHANGES, max_size=5), max_size=25))
def test_any_history_equals_reduce_over_the_sorted_rows(
    count: int, history: list[list[tuple[int, int | None, int]]]
) -> None:
    with mock.patch.object(blocks, "CAPACITY", 8):
        model = numbered(count)
        budget = count
        for epoch in history:
            held, model.lowest = len(model.rows), math.inf
            apply(model, epoch)
            assert model.fold.result() == str(reduce(step, model.ordered(), 1))
            model.fold._check()
            statistics = model.fold.statistics()
            assert statistics.rows == len(model.rows)
            assert statistics.checkpoints <= len(model.rows).bit_length() + 1
            largest = max(held, len(model.rows))
            if model.lowest < largest:
                distance = int(largest - model.lowest)
                budget += 4 * distance * (1 + largest.bit_length())
            assert statistics.steps <= budget


@given(st.lists(st.lists(CHANGES_WITH_BAD_ROWS, max_size=4), max_size=25))
def test_a_failing_row_can_be_changed_and_the_fold_goes_on(
    history: list[list[tuple[int, int | None, int]]],
) -> None:
    model = Model()
    for epoch in history:
        apply(model, epoch)
        rows = model.ordered()
        if BAD in rows:
            for _ in range(2):
                with pytest.raises(ValueError, match="bad row"):
                    model.fold.result()
                model.fold._check()
        else:
            assert model.fold.result() == str(reduce(step, rows, 1))
        model.fold._check()


@given(st.integers(1, 300), st.data())
def test_editing_costs_steps_in_proportion_to_the_distance_from_the_end(
    count: int, data: st.DataObject
) -> None:
    model = numbered(count)
    for _ in range(5):
        distance = data.draw(st.integers(1, count), label="distance")
        before = steps(model)
        model.put(count - distance, count - distance, data.draw(st.integers(0, 9), label="row"))
        assert model.fold.result() == str(reduce(step, model.ordered(), 1))
        assert distance <= steps(model) - before <= 4 * distance


def test_each_row_at_the_end_costs_exactly_one_step() -> None:
    model = Model()
    for seq in range(300):
        model.put(seq, seq, seq % 11)
        model.fold.result()
        model.fold._check()
        assert model.fold.statistics() == FoldStatistics(
            rows=seq + 1, checkpoints=(seq + 1).bit_length() + 1, steps=seq + 1
        )


def test_a_bulk_load_and_single_appends_keep_the_same_states() -> None:
    loaded = Model()
    for seq in range(200):
        loaded.put(seq, seq, seq % 11)
    loaded.fold.result()
    appended = Model()
    for seq in range(200):
        appended.put(seq, seq, seq % 11)
        appended.fold.result()
    assert loaded.fold._states == appended.fold._states
    assert steps(loaded) == steps(appended) == 200


def test_taking_all_rows_away_from_the_end_costs_n_log_n_steps() -> None:
    count = 1000
    model = numbered(count)
    for key in reversed(range(count)):
        model.delete(key)
        assert model.fold.result() == str(reduce(step, model.ordered(), 1))
        model.fold._check()
    assert steps(model) - count <= count * count.bit_length()


@settings(max_examples=settings().max_examples // 2)
@given(st.integers(0, 40), st.integers(0, 39))
def test_the_steps_before_a_failing_row_are_not_repeated(count: int, place: int) -> None:
    model = Model()
    for seq in range(count):
        model.put(seq, seq, BAD if seq == place else 1)
    if place < count:
        with pytest.raises(ValueError, match="bad row"):
            model.fold.result()
        assert steps(model) == place
        model.put(place, place, 1)
    assert model.fold.result() == str(reduce(step, model.ordered(), 1))
    assert steps(model) == count


def test_an_epoch_that_nets_to_nothing_at_the_end_takes_no_step() -> None:
    model = numbered(20)
    before = model.fold.result()
    model.put(99, 99, 5)
    model.delete(99)
    assert model.fold.result() == before
    assert steps(model) == 20


def test_step_sees_current_rows_only_and_starts_at_the_nearest_state() -> None:
    seen: list[str] = []

    def record(state: str, row: str) -> str:
        seen.append(row)
        return state + row

    fold: Fold[str] = Fold("", record)
    for seq, letter in enumerate("abcdefgh"):
        fold.add(seq, 0, letter)
    fold.result()
    seen.clear()
    fold.add(7, 0, "H")
    assert (fold.result(), seen) == ("abcdefgH", ["H"])
    seen.clear()
    fold.add(5, 0, "F")
    fold.remove(6, 0)
    assert (fold.result(), seen) == ("abcdeFH", ["e", "F", "H"])


def test_finish_is_called_once_per_change_and_again_after_it_raised() -> None:
    calls: list[int] = []

    def finish(state: int) -> str:
        calls.append(state)
        if state == 3:
            raise ZeroDivisionError("three")
        return f"<{state}>"

    fold: Fold[int] = Fold(0, lambda state, row: state + row, finish)
    assert (fold.result(), fold.result(), calls) == ("<0>", "<0>", [0])
    fold.add(1, 0, 3)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fold.result()
    fold.add(2, 0, 4)
    assert (fold.result(), fold.result()) == ("<7>", "<7>")
    assert (calls, fold.statistics().steps) == ([0, 3, 3, 7], 2)


def test_without_finish_the_state_itself_is_the_result() -> None:
    state = object()
    assert Fold(state, step).result() is state


def test_a_factory_makes_the_initial_state_of_each_fold() -> None:
    def grow(state: list[int], row: int) -> list[int]:
        return [*state, row]

    first: Fold[int] = Fold(list, grow)
    second: Fold[int] = Fold(list, grow)
    first.add(1, 0, 5)
    assert (first.result(), second.result()) == ([5], [])


def test_a_failing_factory_leaves_the_fold_usable() -> None:
    attempts = iter([ValueError("not yet"), None])

    def initial() -> int:
        error = next(attempts)
        if error is not None:
            raise error
        return 1

    fold: Fold[int] = Fold(initial, step)
    fold.add(1, 0, 4)
    with pytest.raises(ValueError, match="not yet"):
        fold.result()
    fold._check()
    assert fold.result() == step(1, 4)


def test_removing_a_missing_row_raises_and_changes_nothing() -> None:
    model = numbered(5)
    before = model.fold.result()
    with pytest.raises(KeyError):
        model.fold.remove(99, 99)
    assert (model.fold.result(), len(model.fold), steps(model)) == (before, 5, 5)
