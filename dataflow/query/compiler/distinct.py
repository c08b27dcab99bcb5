"""Distinct: each value that the rows of one input have, once.

Law         rows == {value: its row} of the values that some row of the input has, after every epoch
Delta rule  a value comes with the first row that has it and goes with the last; what went and came back in one epoch never left
State       value -> count, value -> row shown. O(distinct values)
Cost        O(delta) per epoch, plus reading every column of a changed row
Edges       as in `setops`, where the operations with several inputs are: nulls are equal, a value is known under the tuple of its
            columns and shown in normal form; rows without known columns are known under their whole value
Source      DBSP, VLDB 2023 (distinct by sign of the weight)
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from dataflow.circuit.node import Delta, Node, restore

if TYPE_CHECKING:
    from dataflow.query.compiler.columns import Shown, Values


class Distinct(Node):
    """Distinct values of its input.

    Args:
        upstream: the input.
        values: how the values of rows are read.
        shown: how a value becomes the row that is shown for it; None shows a row that has it as it came.
    """

    __slots__ = ("_before", "_counts", "_shown", "_value_of", "_values")

    def __init__(self, upstream: Node, values: Values, shown: Shown | None) -> None:
        super().__init__((upstream,), label="distinct")
        self._values = values
        self._value_of = values.one
        self._shown = shown
        self._counts: dict[Any, int] = {}
        self._before: dict[Any, Any] = {}  # value -> row before this epoch, if it came or went
        self.rows = {}

    def step(self) -> Delta:
        delta = self.inputs[0].out
        self.touched += len(delta)
        counts, rows, value_of, shown = self._counts, self.rows, self._value_of, self._shown
        assert rows is not None
        before = self._before = {}
        for _, old, new in delta:
            come = None if new is None else value_of(new)
            if old is not None:
                value = value_of(old)
                if new is not None and value == come:
                    continue
                count = counts[value]
                if count > 1:
                    counts[value] = count - 1
                else:
                    del counts[value]
                    before.setdefault(value, rows.pop(value))
            if new is not None:
                if come in counts:
                    counts[come] += 1
                    continue
                counts[come] = 1
                row = before.setdefault(come, None)
                if row is None:
                    row = new if shown is None else shown.one(come)
                rows[come] = row
        return [
            (value, old, row)
            for value, old in before.items()
            if (row := rows.get(value)) is not old
        ]

    def hydrate(self) -> None:
        present = [row for _, row in self.inputs[0].scan()]
        if self._shown is not None:
            counts = dict(Counter(self._values.many(present)))
            rows = self._shown.many(counts)
        else:
            values = list(self._values.many(present))
            counts = dict(Counter(values))
            # the first row of each value, as the last one to be put under a key stays
            first = dict(zip(reversed(values), reversed(present), strict=True))
            rows = {value: first[value] for value in counts}
        self._counts, self.rows = counts, rows

    def undo(self) -> None:
        assert self.rows is not None
        restore(self.rows, self._before.items())
        self._before = {}
