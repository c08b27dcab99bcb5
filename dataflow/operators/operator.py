"""Operators: what the nodes of a circuit have in common.

An operator reads the deltas of its inputs, all Z-sets, and answers with its own. Its contract with whoever runs it:

- `step()` runs at most once per epoch, after every input is final. It computes the delta of the epoch from the inputs'
  deltas and the state as of the previous epoch, and changes no state: here functions of users run, and may raise.
- Then either `commit()` follows, which takes over into the state what `step` computed and calls no function of a user,
  or `discard()`, which makes the step undone. So an epoch is all or nothing without a log of what to undo.
- `delta` is the change of the running epoch and empty between epochs.

These are not the nodes of `dataflow.circuit`. Those carry keyed deltas, publish inside `step` and fail one by one, each
keeping its last good rows, as live queries want it; here deltas are Z-sets and an epoch fails as a whole. Adapting either
contract to the other would be longer than the loop in `schedule`.

Source  Budiu et al., DBSP: Automatic Incremental View Maintenance, VLDB 2023
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from dataflow.zset import ZSet

R = TypeVar("R")

EMPTY: Final[ZSet[Any]] = ZSet()
"""The delta of an operator whose inputs did not change; never written to."""


@dataclass(frozen=True, slots=True)
class OperatorStatistics:
    """A snapshot of one operator.

    Attributes:
        name: kind and number of the operator, as errors name it.
        steps: how often it ran: at most once per epoch, inside a loop once per round.
        rows_held: rows in its state.
        rows_touched: rows it has read or written so far, those of discarded epochs included.
    """

    name: str
    steps: int
    rows_held: int
    rows_touched: int


class Operator(Generic[R]):
    """A node of a circuit. Subclasses implement `step`; those with state implement the rest too.

    Args:
        inputs: what it reads.
        label: the kind of operator, for errors and statistics.

    Attributes:
        delta: the change of the running epoch, empty between epochs.
        consumers: the operators that read it, as positions in their schedule.
        name: the label with a number that is unique in the circuit; set when the operator is added.
        touched: rows read or written so far.
    """

    __slots__ = ("consumers", "delta", "inputs", "name", "steps", "touched")

    def __init__(self, inputs: tuple[Operator[Any], ...], *, label: str) -> None:
        self.inputs: tuple[Operator[Any], ...] = inputs
        self.name: str = label
        self.delta: ZSet[R] = EMPTY
        self.consumers: list[int] = []
        self.touched: int = 0
        self.steps: int = 0

    def step(self) -> ZSet[R]:
        """Return the delta of this epoch; change no state."""
        raise NotImplementedError

    def commit(self) -> None:
        """Take over into the state what the last `step` computed. Operators without state have nothing to do."""

    def discard(self) -> None:
        """Make the last `step` undone. What changes its state in `commit` alone has nothing to do."""

    def publish(self) -> None:
        """Tell the outside world; called when the whole epoch is committed."""

    def rows_held(self) -> int:
        """Count the rows in the state."""
        return 0

    def statistics(self) -> OperatorStatistics:
        """Return a snapshot of the counters."""
        return OperatorStatistics(
            name=self.name,
            steps=self.steps,
            rows_held=self.rows_held(),
            rows_touched=self.touched,
        )

    def _check(self) -> None:
        """Raise an InvariantError if the state breaks an invariant."""


class Inlet(Operator[R]):
    """Where deltas come in from outside: the caller of a source, or the rounds of a loop set its `delta`."""

    __slots__ = ()

    def __init__(self, *, label: str) -> None:
        super().__init__((), label=label)

    def step(self) -> ZSet[R]:
        """Return the delta that was set."""
        self.touched += len(self.delta)
        return self.delta


def run(operator: Operator[Any]) -> None:
    """Step an operator; an exception leaves with a note that names the operator."""
    operator.steps += 1
    try:
        operator.delta = operator.step()
    except Exception as error:
        error.add_note(f"raised by operator {operator.name!r}")
        raise
