"""Negate: every weight with the other sign.

Law        integrate(negate(d)) == -integrate(d), after every epoch
Delta rule d(-A) = -dA
State      none
Cost       O(delta) per epoch
Edges      with concat it subtracts: what is left of a row that only the right side has is a negative weight
Source     Budiu et al., DBSP, VLDB 2023 (the group of Z-sets)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dataflow.operators.operator import Operator

if TYPE_CHECKING:
    from dataflow.zset import ZSet

R = TypeVar("R")


class Negate(Operator[R]):
    """Turns insertions into removals and back."""

    __slots__ = ()

    def __init__(self, source: Operator[R]) -> None:
        super().__init__((source,), label="negate")

    def step(self) -> ZSet[R]:
        """Return the input's delta with the other sign."""
        delta: ZSet[Any] = self.inputs[0].delta
        self.touched += len(delta)
        return -delta
