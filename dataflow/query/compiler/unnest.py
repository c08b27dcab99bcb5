"""Unnest: a row for each element of a list in a column.

Law         rows == {(key, n): row with the n-th element in place of the list}, over the input's rows, after every epoch
Delta rule  the elements before and after a change are compared place by place
State       none
Cost        O(elements of the changed rows, before and after)
Edges       a null, and what is no list, has no elements; an element that stays in its place is no change unless another column changes
Source      SQL:2016, UNNEST ... WITH ORDINALITY
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.circuit.node import Delta, Node, Pairs
from dataflow.values import kinds
from dataflow.values.identity import alike
from dataflow.values.kinds import kind_of, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

_LISTS = frozenset((kinds.LIST, kinds.TUPLE))


class Unnest(Node):
    """The elements of a list in a column of each row, beside the other columns.

    Args:
        upstream: rows that are dicts.
        column: the column that holds the list, and then the element.
        position: a column for the place of the element, from 0; None for none.
    """

    __slots__ = ("_column", "_position")

    def __init__(self, upstream: Node, column: str, position: str | None) -> None:
        super().__init__((upstream,), label=f"unnest {column}")
        self._column = column
        self._position = position

    def step(self) -> Delta:
        changes: Delta = []
        for key, old, new in self.inputs[0].out:
            before, after = self._rows(old), self._rows(new)
            self.touched += len(before) + len(after)
            for place in range(max(len(before), len(after))):
                was = before[place] if place < len(before) else None
                now = after[place] if place < len(after) else None
                if was is None or now is None or not alike(was, now):
                    changes.append(((key, place), was, now))
        return changes

    def scan(self) -> Pairs:
        for key, row in self.inputs[0].scan():
            for place, built in enumerate(self._rows(row)):
                yield (key, place), built

    def hydrate(self) -> None:
        """Do nothing: there is no state."""

    def _rows(self, row: Mapping[str, Any] | None) -> list[dict[str, Any]]:
        whole = None if row is None else row.get(self._column)
        if row is None or kind_of(whole) not in _LISTS:
            return []
        column, position = self._column, self._position
        if position is None:
            return [{**row, column: element} for element in plain(whole)]
        return [{**row, column: element, position: n} for n, element in enumerate(plain(whole))]
