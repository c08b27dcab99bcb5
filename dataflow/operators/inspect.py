"""Inspect: look at the deltas that pass.

Law        integrate(inspect(d)) == integrate(d), and fn has seen every non-empty delta of every epoch that took place
Delta rule d(inspect(A)) = dA
State      none
Cost       O(delta) per epoch, and what fn costs
Edges      fn is called when the epoch is complete, outputs included, in the order in which the operators were built, and
           not for an epoch that was discarded; what it raises surfaces from the push after all of them were called
Source     McSherry et al., Differential Dataflow, CIDR 2013 (inspect)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dataflow.operators.operator import Operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.zset import ZSet

R = TypeVar("R")


class Inspect(Operator[R]):
    """Passes its input on, and shows it."""

    __slots__ = ("_fn",)

    def __init__(self, source: Operator[R], fn: Callable[[ZSet[R]], object]) -> None:
        super().__init__((source,), label="inspect")
        self._fn = fn

    def step(self) -> ZSet[R]:
        """Return the input's delta."""
        delta: ZSet[Any] = self.inputs[0].delta
        self.touched += len(delta)
        return delta

    def publish(self) -> None:
        """Show the delta: a copy, as it may be kept or written to."""
        self._fn(self.delta.copy())
