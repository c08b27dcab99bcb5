"""Flat map: any number of rows out for each row in.

Law        integrate(flat_map(d)) == {each row of fn(row): weight} summed over integrate(d), after every epoch
Delta rule d(flat_map(A)) = flat_map(dA)
State      none
Cost       O(delta + rows that fn returns) per epoch
Edges      a row that fn returns twice counts twice; fn runs again for the row that leaves, so it has to answer the same
           for equal rows
Source     Budiu et al., DBSP, VLDB 2023 (linear operators)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dataflow.operators.operator import Operator
from dataflow.zset import ZSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

R = TypeVar("R")
S = TypeVar("S")


class FlatMap(Operator[S], Generic[R, S]):
    """Calls a function that returns rows on each row."""

    __slots__ = ("_fn",)

    def __init__(self, source: Operator[R], fn: Callable[[R], Iterable[S]]) -> None:
        super().__init__((source,), label="flat_map")
        self._fn = fn

    def step(self) -> ZSet[S]:
        """Return the rows that the changed rows become."""
        delta: ZSet[Any] = self.inputs[0].delta
        rows: ZSet[S] = ZSet()
        self.touched += len(delta)
        for row, weight in delta.items():
            for made in self._fn(row):
                rows.add(made, weight)
                self.touched += 1
        return rows
