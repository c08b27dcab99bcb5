"""Concat: the sum of relations.

Law        integrate(concat(dA, dB, ...)) == integrate(dA) + integrate(dB) + ..., after every epoch
Delta rule d(A + B) = dA + dB
State      none
Cost       O(delta) per epoch
Edges      weights of equal rows are summed, and cancel if they sum up to zero; one stream given twice counts twice
Source     Budiu et al., DBSP, VLDB 2023 (linear operators)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dataflow.operators.operator import EMPTY, Operator

if TYPE_CHECKING:
    from dataflow.zset import ZSet

R = TypeVar("R")


class Concat(Operator[R]):
    """Adds up its inputs."""

    __slots__ = ()

    def __init__(self, *sources: Operator[R]) -> None:
        super().__init__(sources, label="concat")

    def step(self) -> ZSet[R]:
        """Return the sum of the inputs' deltas."""
        total: ZSet[R] = EMPTY
        for source in self.inputs:
            self.touched += len(source.delta)
            total += source.delta  # + makes a new Z-set
        return total
