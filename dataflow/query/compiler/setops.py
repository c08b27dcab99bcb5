"""Set operations: union, intersect, except; and union_all, which is none. With one input there is `distinct`.

Law         rows == the distinct values for which the rule holds of how often each input has them, after every epoch
Delta rule  counts follow the inputs' rows; a value comes or goes when the rule changes its mind at the end of the epoch
State       value -> a row that has it, count per input; value -> row shown. O(distinct values)
Cost        O(delta) per epoch, plus reading every column of a changed row
Edges       nulls are equal here; a value is known under the tuple of its columns and shown in normal form, so it does not depend on
            which of several equal rows came first; rows without known columns are known under their whole value
Source      DBSP, VLDB 2023 (distinct by sign of the weight); SQL:2016 set operators

operation   a value is in the result if
union       some input has it
intersect   every input has it
except      the first input has it, and no other
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.circuit.node import Delta, Node, Pairs, undo_changes

if TYPE_CHECKING:
    from collections.abc import Callable

RULES: dict[str, Callable[[list[int]], bool]] = {
    "union": any,
    "intersect": all,
    "except": lambda counts: counts[0] > 0 and not any(counts[1:]),
}


class Held:
    """A value: a row that has it, and how often each input does."""

    __slots__ = ("counts", "row")

    def __init__(self, row: Any, inputs: int) -> None:
        self.row: Any = row
        self.counts: list[int] = [0] * inputs


class SetOperation(Node):
    """Distinct values of its inputs, by a rule.

    Args:
        inputs: the operands.
        kind: a key of `RULES`.
        values_of: for each input, row -> its value.
        shown: value -> the row that is shown for it; None shows a row that has it as it came.
    """

    __slots__ = ("_held", "_net", "_rule", "_shown_for", "_values_of")

    def __init__(
        self,
        inputs: tuple[Node, ...],
        kind: str,
        values_of: tuple[Callable[[Any], Any], ...],
        shown: Callable[[Any], Any] | None,
    ) -> None:
        super().__init__(inputs, label=kind)
        self._rule = RULES[kind]
        self._values_of = values_of
        self._shown_for = shown
        self._held: dict[Any, Held] = {}
        self._net: Delta = []
        self.rows = {}

    def step(self) -> Delta:
        touched: dict[Any, Held] = {}
        for position, source in enumerate(self.inputs):
            self._count(position, source.out, touched)
            self.touched += len(source.out)
        self._net = self._settle(touched)
        return self._net

    def _count(self, position: int, delta: Delta, touched: dict[Any, Held]) -> None:
        held, value_of = self._held, self._values_of[position]
        for _, old, new in delta:
            if old is not None:
                value = value_of(old)
                found = touched[value] = held[value]
                found.counts[position] -= 1
            if new is not None:
                value = value_of(new)
                known = held.get(value)
                found = Held(new, len(self.inputs)) if known is None else known
                held[value] = touched[value] = found
                found.counts[position] += 1

    def _settle(self, touched: dict[Any, Held]) -> Delta:
        """Apply the rule to the values touched, and return what that changes."""
        rows = self.rows
        assert rows is not None
        changes: Delta = []
        for value, found in touched.items():
            present = self._rule(found.counts)
            before = rows.get(value)
            if present and before is None:
                row = rows[value] = self._shown(value, found)
                changes.append((value, None, row))
            elif before is not None and not present:
                del rows[value]
                changes.append((value, before, None))
            if not any(found.counts):
                del self._held[value]
        return changes

    def _shown(self, value: Any, found: Held) -> Any:
        return found.row if self._shown_for is None else self._shown_for(value)

    def hydrate(self) -> None:
        held: dict[Any, Held] = {}
        width, rule = len(self.inputs), self._rule
        for position, source in enumerate(self.inputs):
            value_of = self._values_of[position]
            for _, row in source.scan():
                value = value_of(row)
                found = held.get(value)
                if found is None:
                    found = held[value] = Held(row, width)
                found.counts[position] += 1
        self.rows = {
            value: self._shown(value, found) for value, found in held.items() if rule(found.counts)
        }
        self._held = held

    def undo(self) -> None:
        assert self.rows is not None
        undo_changes(self.rows, self._net)
        self._net = []


class UnionAll(Node):
    """The rows of all inputs, each known as (number of the input, key there)."""

    __slots__ = ()

    def __init__(self, inputs: tuple[Node, ...]) -> None:
        super().__init__(inputs, label="union all")

    def step(self) -> Delta:
        changes: Delta = [
            ((branch, key), old, new)
            for branch, source in enumerate(self.inputs)
            for key, old, new in source.out
        ]
        self.touched += len(changes)
        return changes

    def scan(self) -> Pairs:
        return (
            ((branch, key), row)
            for branch, source in enumerate(self.inputs)
            for key, row in source.scan()
        )

    def hydrate(self) -> None:
        """Do nothing: there is no state."""
