"""Incremental iterate: a recursive relation, kept at its least fixpoint.

Law        integrate(iterate(d)) == the least set X with X = distinct(seed + step(X)), over the integrated relations that
           step reads, each taken as a set; after every epoch
Delta rule first losses, then gains:
           delete     feed what seed and relations lost; every row that lost a derivation leaves X, whether or not it has
                      others (they may lead back to itself), and is fed as lost, until nothing more is lost
           re-derive  what has left but still has a derivation comes back; feed it with what seed and relations gained, and
                      then each row that is new in X, until no row is new
State      X; the derivations of each row, seed included; the arrangements of the joins in the body
Cost       the derivations of rows that leave, come back or are new; what hangs on a lost derivation in any way leaves
           first, so in a strongly connected graph one lost edge may move nearly all of X
Edges      set semantics; cycles in the data are fine. What is not monotone in X (negate, antijoin, reduce, count, topk) is
           refused when the circuit is built. More than max_rounds rounds in one epoch discard the epoch
Source     Gupta, Mumick, Subrahmanian: Maintaining Views Incrementally, SIGMOD 1993 (delete and re-derive); semi-naive
           evaluation of Datalog for the gains

A round has to see the state that the round before left, so the state changes while the step runs; a journal makes it undone
if the epoch is discarded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dataflow.errors import CollectionError, InvariantError
from dataflow.operators.join import Join
from dataflow.operators.operator import EMPTY, Inlet, Operator, run
from dataflow.zset import ZSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataflow.operators.loop import Loop

R = TypeVar("R")


class Iterate(Operator[R]):
    """Runs the body of a loop to its fixpoint.

    Args:
        seed: where the seed enters the loop.
        loop: the body.
        result: what the step function returned, inside the loop.
        max_rounds: rounds per epoch after which it gives up.
    """

    __slots__ = (
        "_derived",
        "_entrances",
        "_found",
        "_journal",
        "_loop",
        "_max_rounds",
        "_net",
        "_result",
        "_rounds",
        "_seed",
        "_support",
    )

    def __init__(self, seed: Inlet[R], loop: Loop, result: Operator[R], *, max_rounds: int) -> None:
        self._entrances = list(loop.entrances.values())
        super().__init__(tuple(relation for relation, _ in self._entrances), label="iterate")
        self._seed = seed
        self._loop = loop
        self._result = result
        self._max_rounds = max_rounds
        self._rounds = 0
        self._found: ZSet[R] = ZSet()
        self._support: ZSet[R] = ZSet()
        self._net: ZSet[R] = ZSet()
        self._derived: ZSet[R] = ZSet()
        self._journal: list[tuple[Join[Any, Any, Any], Any]] = []

    def step(self) -> ZSet[R]:
        """Return the rows that came into the fixpoint or left it."""
        self._rounds = 0
        self._net, self._derived, self._journal = ZSet(), ZSet(), []
        self._enter(-1)
        self._delete(self._round(EMPTY))
        left = [row for row, _ in self._net.items()]
        self._enter(1)
        self._insert(left)
        self._rest()
        return self._net

    def _enter(self, sign: int) -> None:
        """Let the losses or the gains of the relations outside into the next round."""
        for relation, inlet in self._entrances:
            inlet.delta = ZSet(each for each in relation.delta.items() if each[1] == sign)
            self.touched += len(relation.delta)

    def _delete(self, lost: ZSet[R]) -> None:
        while lost:
            lost = self._round(
                self._move((row for row, _ in lost.items() if row in self._found), -1)
            )

    def _insert(self, left: Iterable[R]) -> None:
        gained = self._round(self._move((row for row in left if row in self._support), 1))
        while gained:
            gained = self._round(
                self._move((row for row, _ in gained.items() if row not in self._found), 1)
            )

    def _move(self, rows: Iterable[R], sign: int) -> ZSet[R]:
        """Put rows into the fixpoint or take them out; return them as a delta."""
        moved = ZSet((row, sign) for row in rows)
        _add(self._found, moved)
        _add(self._net, moved)
        return moved

    def _round(self, frontier: ZSet[R]) -> ZSet[R]:
        """Feed a change of the variable, and what enters; return the change in the derivations of rows."""
        self._loop.variable.delta = frontier
        if not frontier and not any(inlet.delta for _, inlet in self._entrances):
            return EMPTY
        self._rounds += 1
        if self._rounds > self._max_rounds:
            raise self._endless()
        for operator in self._loop.body:
            self._run(operator)
        derived = self._result.delta + self._seed.delta
        for _, inlet in self._entrances:
            inlet.delta = EMPTY
        _add(self._support, derived)
        _add(self._derived, derived)
        self.touched += len(frontier) + len(derived)
        return derived

    def _run(self, operator: Operator[Any]) -> None:
        if not any(source.delta for source in operator.inputs):
            operator.delta = EMPTY
            return
        run(operator)
        if isinstance(operator, Join):  # of what a loop may hold, only joins have state
            self._journal.append((operator, operator.pending))
        operator.commit()

    def _endless(self) -> CollectionError:
        error = CollectionError(
            f"operator {self.name!r} found no fixpoint within {self._max_rounds} rounds"
        )
        error.add_note("if the step can only ever make a finite number of rows, raise max_rounds")
        return error

    def _rest(self) -> None:
        """Leave no delta in the loop."""
        self._loop.variable.delta = EMPTY
        for _, inlet in self._entrances:
            inlet.delta = EMPTY
        for operator in self._loop.body:
            operator.delta = EMPTY

    def commit(self) -> None:
        """Forget how to undo the step, which has changed the state already."""
        self._net, self._derived, self._journal = ZSet(), ZSet(), []

    def discard(self) -> None:
        """Put the state back to what it was before the step, however far that came."""
        self._rest()
        for join, pending in reversed(self._journal):
            join.apply(pending, sign=-1)
        _add(self._found, -self._net)
        _add(self._support, -self._derived)
        self.commit()

    def rows_held(self) -> int:
        """Count the rows of the fixpoint and those with derivations; they are the same between epochs."""
        return len(self._found) + len(self._support)

    def _check(self) -> None:
        self._found._check()  # noqa: SLF001 - a check asks its parts
        self._support._check()  # noqa: SLF001 - as above
        for operator in self._loop.body:
            operator._check()  # noqa: SLF001 - as above
        if self._support.distinct() != self._found or len(self._support) != len(self._found):
            raise InvariantError("a row is found without a derivation", operator=self.name)


def _add(total: ZSet[R], delta: ZSet[R]) -> None:
    for row, weight in delta.items():
        total.add(row, weight)
