"""The circuit: where a raw dataflow begins, is fed and is watched.

    circuit = Circuit()
    words = circuit.source("words")
    counts = words.count(key=lambda word: word).output()
    words.push(ZSet.from_rows(["to", "be", "or", "not", "to", "be"]))

A circuit is built first and then run; the first epoch seals it. Its epochs are totally ordered: every push, or every batch
of pushes, is one atomic step, at the end of which all outputs are up to date.

Law    after every epoch each output holds what its operators define over all that was pushed
Law    however the pushes are cut into epochs, the outputs end the same
Edges  an epoch that raises, or a batch left by an exception, changes nothing
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dataflow.operators.edge import Edge
from dataflow.operators.operator import Inlet
from dataflow.operators.schedule import Schedule
from dataflow.operators.stream import DeltaStream

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from dataflow.operators.operator import OperatorStatistics
    from dataflow.zset import ZSet

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class CircuitStatistics:
    """A snapshot of a circuit.

    Attributes:
        epochs: epochs that took place.
        rows_held: rows in the state of all operators.
        rows_touched: rows that all operators have read or written so far.
        operators: each of them, those inside loops included, in the order in which they were built.
    """

    epochs: int
    rows_held: int
    rows_touched: int
    operators: tuple[OperatorStatistics, ...]


class SourceStream(DeltaStream[R], Generic[R]):
    """A stream whose deltas are pushed by whoever holds it; made by `Circuit.source`."""

    __slots__ = ("_inlet",)

    def __init__(self, schedule: Schedule, inlet: Inlet[R]) -> None:
        super().__init__(Edge(schedule, inlet))
        self._inlet = inlet

    def push(self, delta: ZSet[R]) -> None:
        """Add a delta to the relation: at once as an epoch of its own, or inside `batch()` when that ends.

        Raises:
            CollectionError: it is no ZSet; or a function that the circuit calls tries to push.
            Exception: what a function given to an operator raised; the epoch is discarded.
            ExceptionGroup: what functions given to `inspect` raised; the epoch stands.
        """
        self.edge.schedule.push(self._inlet, delta)


class Circuit:
    """A raw incremental dataflow over Z-sets.

    >>> from dataflow.operators import ZSet
    >>> circuit = Circuit()
    >>> words = circuit.source("words")
    >>> counts = words.count(key=str.lower).output()
    >>> words.push(ZSet.from_rows(["To", "be", "to"]))
    >>> counts.rows
    ZSet({('to', 2): 1, ('be', 1): 1})

    Args:
        name: for error messages.
    """

    __slots__ = ("_schedule",)

    def __init__(self, name: str = "circuit") -> None:
        self._schedule = Schedule(name)

    @property
    def epoch(self) -> int:
        """The number of the last epoch, 0 before the first."""
        return self._schedule.epoch

    def source(self, name: str = "source") -> SourceStream[Any]:
        """Add a relation that is pushed from outside.

        Annotate what you keep it in (`edges: SourceStream[Edge] = circuit.source("edges")`) to have the rows type-checked.

        Args:
            name: for errors and statistics.
        """
        inlet: Inlet[Any] = Inlet(label=name)
        self._schedule.add(inlet)
        return SourceStream(self._schedule, inlet)

    def batch(self) -> AbstractContextManager[None]:
        """Make all pushes inside the `with` one epoch; nested ones join the outermost.

        An exception that leaves the outermost `with` discards everything pushed in it. Outputs show the last epoch until it ends.
        """
        return self._schedule.batch()

    def statistics(self) -> CircuitStatistics:
        """Return a snapshot of the counters.

        Complexity: O(rows held).
        """
        operators = tuple(operator.statistics() for operator in self._schedule.members)
        return CircuitStatistics(
            epochs=self.epoch,
            rows_held=sum(each.rows_held for each in operators),
            rows_touched=sum(each.rows_touched for each in operators),
            operators=operators,
        )

    def _check(self) -> None:
        """Raise an InvariantError if the state of any operator breaks an invariant."""
        for operator in self._schedule.members:
            operator._check()  # noqa: SLF001 - a check asks its parts
