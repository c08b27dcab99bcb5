"""Output: the integral of a stream, to be read between epochs.

Law        rows == the sum of all deltas so far; delta == the change of the last epoch of the circuit
Delta rule none: nothing reads it
State      one ZSet, the integrated input;  O(rows)
Cost       O(delta) per epoch; reading `rows` makes a copy, O(rows)
Edges      an epoch that did not reach the output leaves an empty delta; a discarded epoch leaves both as they were
Source     Budiu et al., DBSP, VLDB 2023 (integration)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dataflow.operators.operator import EMPTY, Operator
from dataflow.zset import ZSet

if TYPE_CHECKING:
    from dataflow.operators.operator import OperatorStatistics
    from dataflow.operators.schedule import Schedule

R = TypeVar("R")


class Integrate(Operator[R]):
    """Keeps the sum of its input's deltas, and the latest of them.

    Attributes:
        total: the sum.
        latest: (number of the epoch, its delta) of the last epoch that changed something.
    """

    __slots__ = ("_schedule", "latest", "total")

    def __init__(self, source: Operator[R], schedule: Schedule) -> None:
        super().__init__((source,), label="output")
        self._schedule = schedule
        self.total: ZSet[R] = ZSet()
        self.latest: tuple[int, ZSet[R]] = (0, EMPTY)

    def step(self) -> ZSet[R]:
        """Return the input's delta."""
        delta: ZSet[Any] = self.inputs[0].delta
        self.touched += len(delta)
        return delta

    def commit(self) -> None:
        """Add the delta to the sum."""
        self.latest = self._schedule.epoch, self.delta
        for row, weight in self.delta.items():
            self.total.add(row, weight)

    def rows_held(self) -> int:
        """Count the rows of the sum."""
        return len(self.total)

    def _check(self) -> None:
        self.total._check()  # noqa: SLF001 - a check asks its parts


class Output(Generic[R]):
    """What a circuit computes at one place; made by `DeltaStream.output`."""

    __slots__ = ("_operator", "_schedule")

    def __init__(self, operator: Integrate[R], schedule: Schedule) -> None:
        self._operator = operator
        self._schedule = schedule

    @property
    def delta(self) -> ZSet[R]:
        """The change of the last epoch; a copy of its own."""
        epoch, delta = self._operator.latest
        return delta.copy() if epoch == self._schedule.epoch else ZSet()

    @property
    def rows(self) -> ZSet[R]:
        """All rows as of the last epoch; a copy that no later epoch changes.

        Complexity: O(rows).
        """
        return self._operator.total.copy()

    def statistics(self) -> OperatorStatistics:
        """Return a snapshot of the counters."""
        return self._operator.statistics()
