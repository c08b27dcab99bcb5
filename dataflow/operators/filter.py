"""Filter: the rows that pass a predicate.

Law        integrate(filter(d)) == the rows of integrate(d) that pass, after every epoch
Delta rule d(filter(A)) = filter(dA)
State      none
Cost       O(delta) per epoch
Edges      a row passes if the predicate's answer is true to Python; the predicate runs again for the row that leaves,
           so it has to answer the same for equal rows
Source     Budiu et al., DBSP, VLDB 2023 (linear operators)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dataflow.operators.operator import Operator
from dataflow.zset import ZSet

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")


class Filter(Operator[R]):
    """Keeps the rows that pass."""

    __slots__ = ("_passes",)

    def __init__(self, source: Operator[R], passes: Callable[[R], object]) -> None:
        super().__init__((source,), label="filter")
        self._passes = passes

    def step(self) -> ZSet[R]:
        """Return the changed rows that pass."""
        delta: ZSet[Any] = self.inputs[0].delta
        self.touched += len(delta)
        return ZSet((row, weight) for row, weight in delta.items() if self._passes(row))
