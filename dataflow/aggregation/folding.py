"""A user's left fold over ordered rows that replays from the edit point only.

Law    result() == finish(functools.reduce(step, rows in order, initial)), after any history
State  the rows, and the states after some of the first n of them: after all K, and, for every j,
       after the last but one multiple of 2**j up to K;  O(K) rows, K.bit_length() + 1 states
Cost   a change only lowers the mark up to which states are valid; result() replays once from the
       last state before it. A row added at the end: one step. Editing at distance d from the end:
       at most 4 d steps, because a state is kept at a distance between d and 4 d. Taking rows away
       from the end: O(log K) steps each, amortised, as states near the new end have to be made
Edges  `step` sees current rows only, and of those in front of all changes only the ones after the
       state it resumes from; if nothing changed, no function is called at all; an exception of
       `step` or `finish` passes through and loses nothing: the states of the rows before the
       failing one are kept, and the next result() resumes there

Which states to keep depends on K alone. When row K arrives, the state after row K - 2 * (K & -K)
is the one to drop, since K & -K is the highest power of two that divides K: O(1), no search.

`step` must return a new state and leave its argument as it was; nothing here copies a state.

Source checkpoints at exponentially growing distances, as in the logarithmic method of Bentley and
       Saxe, 1980
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from dataflow.aggregation.sequence import OrderedRows

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")

_STALE: Final = object()


@dataclass(frozen=True, slots=True)
class FoldStatistics:
    """What a fold holds and has done.

    Attributes:
        rows: Rows held.
        checkpoints: States held.
        steps: Calls of `step` that returned, ever.
    """

    rows: int
    checkpoints: int
    steps: int


class Fold(Generic[R]):
    """The fold of a group's rows, in order of (order key, row key).

    Args:
        initial: The state before the first row: an immutable value, or a function without
            arguments that makes one.
        step: (state, row) -> new state; must not change its arguments.
        finish: state -> visible result; None shows the state itself.

    >>> fold = Fold[str]("", lambda text, chunk: text + chunk)
    >>> for seq, chunk in enumerate(["in", "cremen", "tal"]): _ = fold.add(seq, 0, chunk)
    >>> fold.result()
    'incremental'
    """

    __slots__ = (
        "_appended",
        "_finish",
        "_initial",
        "_result",
        "_rows",
        "_states",
        "_step",
        "_steps",
        "_valid",
    )

    def __init__(
        self,
        initial: Any,  # Any: the state is the user's
        step: Callable[[Any, R], Any],
        finish: Callable[[Any], Any] | None = None,
    ) -> None:
        self._initial = initial
        self._step = step
        self._finish = finish
        self._rows: OrderedRows[R] = OrderedRows()
        self._states: dict[int, Any] = {}  # rows folded -> state, in ascending order
        self._valid = 0  # how many first rows are as they were when the states were made
        self._steps = 0
        self._appended: Any = _STALE  # the one row behind those that the last state is of
        self._result: Any = _STALE

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, order_key: Any, row_key: Any, row: R) -> None:
        """Insert a row, or replace the one in its place. Calls no function of the user.

        Complexity: O(1) amortised at the end, O(log n) comparisons otherwise.
        """
        position = self._rows.put((order_key, row_key), row)
        if position == self._valid and self._result is not _STALE:
            self._appended = row  # to rows that are all in the state
        else:
            self._appended = _STALE
            if position < self._valid:
                self._valid = position
        self._result = _STALE

    def remove(self, order_key: Any, row_key: Any) -> None:
        """Delete a row. Calls no function of the user.

        Complexity: O(log n) comparisons.

        Raises:
            KeyError: There is no row in that place.
        """
        position = self._rows.discard((order_key, row_key))
        if position < self._valid:
            self._valid = position
        self._appended = self._result = _STALE

    def result(self) -> Any:
        """Return the finished fold of all rows; calls `finish` once after every change.

        Complexity: O(1) steps after an append, O(d) after an edit at distance d from the end.
        """
        if self._result is _STALE:
            appended, self._appended = self._appended, _STALE
            state = self._replay() if appended is _STALE else self._follow(appended)
            self._result = state if self._finish is None else self._finish(state)
        return self._result

    def statistics(self) -> FoldStatistics:
        """Return a snapshot of what is held and was done."""
        return FoldStatistics(
            rows=len(self._rows), checkpoints=len(self._states), steps=self._steps
        )

    def _follow(self, row: R) -> Any:
        """Take in the one row behind those that the last state is of; return the new state."""
        states, before = self._states, self._valid
        state = self._step(states[before], row)
        count = self._valid = before + 1
        states[count] = state
        self._steps += 1
        states.pop(count - 2 * (count & -count), None)
        return state

    def _replay(self) -> Any:
        """Bring the states up to date with the rows; return the last one."""
        states = self._states
        if not states:
            states[0] = self._initial() if callable(self._initial) else self._initial
        while (start := next(reversed(states))) > self._valid:
            states.popitem()
        count = len(self._rows)
        if start == count - 1:
            self._valid = start
            row: Any = self._rows.last()
            return self._follow(row)
        self._valid = count
        return self._resume(start) if start < count else states[count]

    def _resume(self, start: int) -> Any:
        """Replay all rows from position `start`, whose state is held; return the last state."""
        state, position, step = self._states[start], start, self._step
        kept = _kept(len(self._rows))
        self._states = states = {n: self._states[n] for n in kept if n in self._states}
        rows = self._rows.starting_at(start)
        try:
            for mark in kept:
                for row in islice(rows, max(mark - position, 0)):
                    state = step(state, row)
                    position += 1
                if mark == position:
                    states[mark] = state
        finally:
            states[position] = state  # also if a step failed: the next replay starts at its row
            self._steps += position - start
        return state

    def _check(self) -> None:
        """Assert every invariant of the state, calling no function of the user."""
        self._rows._check()  # noqa: SLF001 - a part of this state
        held = list(self._states)
        assert held == sorted(held)
        assert 0 <= self._valid <= len(self._rows)
        if held:
            assert held[0] == 0
            assert set(held) <= set(_kept(held[-1]))
            assert len(held) <= held[-1].bit_length() + 1


def _kept(count: int) -> list[int]:
    """Return after how many rows, in ascending order, the states of `count` rows are kept.

    >>> _kept(1000)
    [0, 512, 768, 896, 960, 976, 992, 996, 998, 999, 1000]
    """
    return [*(((count >> j) - 1) << j for j in reversed(range(count.bit_length()))), count]
