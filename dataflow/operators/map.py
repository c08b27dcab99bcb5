"""Map: one row out for each row in.

Law        integrate(map(d)) == {fn(row): weight} summed over integrate(d), after every epoch
Delta rule d(map(A)) = map(dA)
State      none
Cost       O(delta) per epoch
Edges      rows that fn makes equal become one row with the sum of their weights; fn runs again for the row that leaves,
           so it has to answer the same for equal rows
Source     Budiu et al., DBSP, VLDB 2023 (linear operators)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dataflow.operators.operator import Operator
from dataflow.zset import ZSet

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")
S = TypeVar("S")


class Map(Operator[S], Generic[R, S]):
    """Calls a function on each row."""

    __slots__ = ("_fn",)

    def __init__(self, source: Operator[R], fn: Callable[[R], S]) -> None:
        super().__init__((source,), label="map")
        self._fn = fn

    def step(self) -> ZSet[S]:
        """Return the rows that the changed rows become."""
        delta: ZSet[Any] = self.inputs[0].delta
        self.touched += len(delta)
        return ZSet((self._fn(row), weight) for row, weight in delta.items())
