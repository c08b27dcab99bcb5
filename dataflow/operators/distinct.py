"""Incremental distinct: a relation as a set.

Law        integrate(distinct(d)) == {row: 1} for each row of integrate(d) with a positive weight, after every epoch
Delta rule per changed row: +1 if its weight becomes positive, -1 if it was and is so no more
State      one ZSet, the integrated input;  O(rows)
Cost       O(delta) per epoch
Edges      rows of negative weight are not in the set, and are remembered; a change between positive weights changes nothing
Source     Budiu et al., DBSP, VLDB 2023 (distinct)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dataflow.operators.operator import EMPTY, Operator
from dataflow.zset import ZSet

if TYPE_CHECKING:
    from collections.abc import Iterator

R = TypeVar("R")


class Distinct(Operator[R]):
    """Keeps each row of positive weight once."""

    __slots__ = ("_pending", "_weights")

    def __init__(self, source: Operator[R]) -> None:
        super().__init__((source,), label="distinct")
        self._weights: ZSet[R] = ZSet()
        self._pending: ZSet[Any] = EMPTY

    def step(self) -> ZSet[R]:
        """Return the rows that came into the set or left it."""
        self._pending = self.inputs[0].delta
        self.touched += len(self._pending)
        return ZSet(self._transitions())

    def _transitions(self) -> Iterator[tuple[R, int]]:
        for row, change in self._pending.items():
            weight = self._weights.weight(row)
            yield row, (weight + change > 0) - (weight > 0)

    def commit(self) -> None:
        """Add the change to the weights."""
        for row, change in self._pending.items():
            self._weights.add(row, change)

    def rows_held(self) -> int:
        """Count the rows."""
        return len(self._weights)

    def _check(self) -> None:
        self._weights._check()  # noqa: SLF001 - a check asks its parts
