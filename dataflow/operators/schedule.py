"""The schedule: runs the operators of a circuit, one atomic step per epoch.

Law    after every epoch each operator's integrated delta is its definition applied to its integrated inputs
Law    an epoch that raises changes nothing: no state, no output, no epoch number
Epoch  stage deltas of sources -> step what they reach, in rank order -> commit all of it -> publish
Cost   operators with a non-empty input delta; the others are never visited
Edges  deltas that sum up to nothing are no epoch. An exception in a function of a user discards the epoch and names the
       operator; one in a function given to `inspect` surfaces when everything is committed. While an epoch runs nothing
       can be pushed. The first epoch seals the circuit: an operator added later would have missed rows

Operators are numbered in the order in which they are added, after their inputs, so the number serves as the rank.
"""

from __future__ import annotations

from contextlib import contextmanager
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from dataflow.errors import CollectionError
from dataflow.operators.operator import EMPTY, Inlet, Operator, run
from dataflow.zset import ZSet

if TYPE_CHECKING:
    from collections.abc import Generator


class Schedule:
    """The operators of one circuit, its staged deltas and its clock.

    Args:
        name: of the circuit, for errors.

    Attributes:
        epoch: number of the last epoch, 0 before the first.
        operators: those outside of loops, in rank order.
        members: all of them, in the order in which they were built.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.epoch: int = 0
        self.operators: list[Operator[Any]] = []
        self.members: list[Operator[Any]] = []
        self._staged: dict[Inlet[Any], ZSet[Any]] = {}
        self._batches = 0
        self._busy = False
        self._torn = False

    # -- building --------------------------------------------------------------------------------------------------

    def add(self, operator: Operator[Any]) -> None:
        """Add an operator whose inputs have been added before."""
        self.christen(operator)
        rank = len(self.operators)
        self.operators.append(operator)
        for source in dict.fromkeys(operator.inputs):
            source.consumers.append(rank)

    def christen(self, operator: Operator[Any]) -> None:
        """Give a new operator, of the circuit or of a loop in it, its name.

        Raises:
            CollectionError: the circuit has run already.
        """
        if self.epoch or self._busy:
            error = CollectionError(f"circuit {self.name!r} has run: it takes no new operator")
            error.add_note("build the whole circuit, its outputs included, before the first push")
            raise error
        self.members.append(operator)
        operator.name = f"{operator.name} {len(self.members)}"

    # -- running ---------------------------------------------------------------------------------------------------

    def push(self, inlet: Inlet[Any], delta: object) -> None:
        """Stage a delta of a source for the running batch; without a batch it is an epoch of its own."""
        if not isinstance(delta, ZSet):
            error = CollectionError(f"{inlet.name!r} takes a ZSet, not a {type(delta).__name__}")
            error.add_note("ZSet.from_rows(rows) counts each row once")
            raise error
        with self.batch():
            staged = self._staged.setdefault(inlet, ZSet())
            for row, weight in delta.items():
                staged.add(row, weight)

    @contextmanager
    def batch(self) -> Generator[None]:
        """Run what is pushed inside the outermost `with` as one epoch, or discard it if an exception leaves it."""
        if self._busy:
            raise CollectionError(
                f"cannot push into circuit {self.name!r} inside a function that it calls"
            )
        self._batches += 1
        try:
            yield
        except BaseException:
            if self._batches == 1:
                self._staged = {}
            raise
        finally:
            self._batches -= 1
        if not self._batches:
            staged, self._staged = self._staged, {}
            self._run(staged)

    def _run(self, staged: dict[Inlet[Any], ZSet[Any]]) -> None:
        if self._torn:
            raise CollectionError(
                f"circuit {self.name!r} was interrupted while it applied an epoch: its state is lost"
            )
        changed = [inlet for inlet, delta in staged.items() if delta]
        if not changed:
            return
        self._busy = True
        stepped: list[Operator[Any]] = []
        try:
            for inlet in changed:
                inlet.delta = staged[inlet]
            self._compute(changed, stepped)
            self._commit(stepped)
            self._publish(stepped)
        finally:
            for operator in (*changed, *stepped):
                operator.delta = EMPTY
            self._busy = False

    def _compute(self, changed: list[Inlet[Any]], stepped: list[Operator[Any]]) -> None:
        """Step what the changed sources reach; collect it, in rank order."""
        waiting: list[int] = []
        queued: set[int] = set()
        try:
            for inlet in changed:
                run(inlet)
                _wake(inlet, waiting, queued)
            while waiting:
                operator = self.operators[heappop(waiting)]
                stepped.append(operator)  # before it runs, as it may have to undo half a step
                run(operator)
                if operator.delta:
                    _wake(operator, waiting, queued)
        except BaseException as error:
            self._torn = True
            for operator in stepped:
                operator.discard()
            self._torn = False
            error.add_note(f"circuit {self.name!r} is as it was after epoch {self.epoch}")
            raise

    def _commit(self, stepped: list[Operator[Any]]) -> None:
        self._torn = True  # only an interrupt can get between
        self.epoch += 1
        for operator in stepped:
            operator.commit()
        self._torn = False

    def _publish(self, stepped: list[Operator[Any]]) -> None:
        errors: list[Exception] = []
        for operator in stepped:
            try:
                operator.publish()
            except Exception as error:  # noqa: BLE001 - one function must not starve the next
                error.add_note(f"raised by operator {operator.name!r}")
                errors.append(error)
        if errors:
            raise ExceptionGroup("functions given to inspect raised", errors)


def _wake(operator: Operator[Any], waiting: list[int], queued: set[int]) -> None:
    for rank in operator.consumers:
        if rank not in queued:
            queued.add(rank)
            heappush(waiting, rank)
