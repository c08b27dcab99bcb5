"""Fixpoint: the smallest relation that holds the seed and whatever the step derives from it.

Law         rows == the least set R with seed ⊆ R and step(R) ⊆ R, after every epoch
Delta rule  the step is a circuit of its own (`Loop`), which tells of every derivation that comes or goes. A value that lost one is
            taken out with all that was derived from it (over-deletion); then every value that still has a derivation, or a new one,
            is put in, round by round, until no round finds another
State       value -> row; value -> how many rows of the seed and how many derivations have it; the state of the loop. O(rows + derivations)
Cost        O(derivations that come or go); an over-deletion reaches everything derived from the value, though it may come back
Edges       a derivation count alone is no proof on a cycle (two values can keep each other alive), hence the over-deletion; a value
            that the seed has is never taken out. Values taken out and put back are no change. The other inputs of the step are
            seen changing in the first round and stand still in the rest
Source      Gupta, Mumick, Subrahmanian, SIGMOD 1993 (delete and rederive); Bancilhon, 1985 (semi-naive evaluation)
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

from dataflow.circuit.node import EMPTY, Delta, Node, Pairs, SourceNode, restore
from dataflow.errors import QueryError
from dataflow.values.normal import expose

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


SEEDED, DERIVED = 0, 1  # why a value is in the result: rows of the seed have it, or derivations


class Loop:
    """The circuit of a step: nodes that run once per round, fed by the rows so far.

    Attributes:
        reference: stands for the rows so far.
        nodes: what reads them, directly or not, inputs before consumers.
    """

    __slots__ = ("nodes", "reference")

    def __init__(self) -> None:
        self.reference: SourceNode = SourceNode(label="rows so far")
        self.nodes: dict[Node, None] = {}

    def reads(self, node: Node) -> bool:
        """Tell whether a node reads the rows so far."""
        return any(source is self.reference or source in self.nodes for source in node.inputs)

    def outside(self) -> dict[Node, None]:
        """Return the nodes that the loop reads and that are none of its own."""
        read = dict.fromkeys(source for node in self.nodes for source in node.inputs)
        return {
            node: None for node in read if node is not self.reference and node not in self.nodes
        }

    def run(self, delta: Delta, last: Node) -> Delta:
        """Run one round with a delta of the rows so far; return what it changes in the last node."""
        self.reference.out = delta
        try:
            for node in self.nodes:
                if any(source.out for source in node.inputs):
                    node.out = node.step()
            return last.out
        finally:
            self.reference.out = EMPTY
            for node in self.nodes:
                node.out = EMPTY

    def hydrate(self, rows: dict[Any, Any]) -> None:
        """Begin anew, over rows so far that are still empty."""
        self.reference.rows = rows
        for node in self.nodes:
            node.hydrate()

    def touched(self) -> int:
        """Count the rows that the nodes have read or written."""
        return sum(node.touched for node in self.nodes)


class Fixpoint(Node):
    """The rows of a recursive query, known under the tuple of their columns and shown in normal form.

    Args:
        seed: the rows to begin with.
        loop: the circuit of the step.
        last: the node of the loop whose rows are derived.
        value_of_seed, value_of_derived: row -> tuple of its columns, in normal form.
        columns: their names.
        max_rounds: how often the step may be applied to new rows in one epoch.
    """

    __slots__ = (
        "_before",
        "_columns",
        "_gained",
        "_last",
        "_loop",
        "_lost",
        "_max_rounds",
        "_supports",
        "_value_of_derived",
        "_value_of_seed",
    )

    def __init__(
        self,
        seed: Node,
        loop: Loop,
        last: Node,
        value_of_seed: Callable[[Any], Any],
        value_of_derived: Callable[[Any], Any],
        columns: tuple[str, ...],
        max_rounds: int,
    ) -> None:
        steps = ", ".join(node.label for node in loop.nodes) or "the rows so far"
        super().__init__((seed, *loop.outside()), label=f"recursive: {steps}")
        self.source: str = "\n".join(node.source for node in loop.nodes if node.source)
        self._loop = loop
        self._last = last
        self._value_of_seed = value_of_seed
        self._value_of_derived = value_of_derived
        self._columns = columns
        self._max_rounds = max_rounds
        self.rows = {}
        self._forget()

    def _forget(self) -> None:
        self._supports: dict[Any, list[int]] = {}
        self._before: dict[Any, Any] = {}
        self._gained: dict[Any, None] = {}
        self._lost: dict[Any, None] = {}

    @property
    def loop(self) -> Loop:
        """The circuit of the step."""
        return self._loop

    def step(self) -> Delta:
        touched = self._loop.touched()
        self._before = {}
        seed = self.inputs[0].out
        self._count(seed, self._value_of_seed, SEEDED)
        self._round(EMPTY)
        with self._inputs_held_still():
            self._retract()
            self._extend()
        changes = self._net()
        self.touched += len(seed) + self._loop.touched() - touched + len(changes)
        return changes

    def _round(self, delta: Delta) -> None:
        """Pass a change of the rows so far through the loop, and count what it derives."""
        derived = self._loop.run(delta, self._last)
        self._count(derived, self._value_of_derived, DERIVED)

    def _count(self, delta: Delta, value_of: Callable[[Any], Any], reason: int) -> None:
        supports = self._supports
        for _, old, new in delta:
            before = None if old is None else value_of(old)
            after = None if new is None else value_of(new)
            if before == after:
                continue
            if before is not None:
                supports[before][reason] -= 1
                self._lost[before] = None
            if after is not None:
                supports.setdefault(after, [0, 0])[reason] += 1
                self._gained[after] = None

    def _retract(self) -> None:
        """Take out the values that lost a derivation, and what was derived from them."""
        rows, supports = self._present(), self._supports
        while self._lost:
            lost, self._lost = self._lost, {}
            self._gained.update(lost)  # to be looked at again: some have other derivations
            doomed = [value for value in lost if value in rows and not supports[value][SEEDED]]
            for value in doomed:
                self._before.setdefault(value, rows[value])
            self._round([(value, rows.pop(value), None) for value in doomed])

    def _extend(self) -> None:
        """Put in the values that have a derivation and are not there, until there is none."""
        rows = self._present()
        for rounds in count():
            gained, self._gained = self._gained, {}
            fresh = [(value, None, self._row(value)) for value in gained if self._is_due(value)]
            if not fresh:
                return
            if rounds > self._max_rounds:
                raise too_many_rounds(self._max_rounds)
            rows.update((value, row) for value, _, row in fresh)
            self._round(fresh)

    def _is_due(self, value: Any) -> bool:
        """Tell whether a value belongs to the rows and is not there; forget one without any derivation."""
        if any(self._supports[value]):
            return value not in self._present()
        del self._supports[value]
        return False

    def _row(self, value: Any) -> Any:
        before = self._before.setdefault(value, None)
        if before is not None:
            return before
        return dict(zip(self._columns, map(expose, value), strict=True))

    def _present(self) -> dict[Any, Any]:
        rows = self.rows
        assert rows is not None
        return rows

    def _net(self) -> Delta:
        rows = self._present()
        return [
            (value, old, rows.get(value))
            for value, old in self._before.items()
            if (old is None) is (value in rows)
        ]

    @contextmanager
    def _inputs_held_still(self) -> Generator[None]:
        """Hide the deltas of the inputs from the loop, which has seen them."""
        outs = [node.out for node in self.inputs]
        for node in self.inputs:
            node.out = EMPTY
        try:
            yield
        finally:
            for node, out in zip(self.inputs, outs, strict=True):
                node.out = out

    def hydrate(self) -> None:
        self._forget()
        self.rows = {}
        with self._inputs_held_still():
            self._loop.hydrate(self.rows)
            seed, derived = self.inputs[0].scan(), self._last.scan()
            self._count(_inserts(seed), self._value_of_seed, SEEDED)
            self._count(_inserts(derived), self._value_of_derived, DERIVED)
            self._extend()
        self._before = {}

    def undo(self) -> None:
        restore(self._present(), self._before.items())
        self._forget()

    def state_rows(self) -> int:
        return len(self._present()) + sum(node.state_rows() for node in self._loop.nodes)


def _inserts(pairs: Pairs) -> Delta:
    return [(key, None, row) for key, row in pairs]


def too_many_rounds(limit: int) -> QueryError:
    """Return the error of a recursion that finds new rows in every round."""
    error = QueryError(f"recursion found new rows in more than max_rounds={limit} rounds")
    error.add_note(
        "a column computed from the row before, like a depth, never ends on a cycle: leave it out,"
        " or bound it in the step: .where(parent.depth < 100)"
    )
    return error
