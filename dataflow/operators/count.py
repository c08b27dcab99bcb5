"""Incremental count: how many rows each key has.

Law        integrate(count(d)) == {(key, sum of the weights of its rows): 1}, for each key of integrate(d) whose sum is
           not zero, after every epoch
Delta rule per changed key: (key, sum now) - (key, sum before)
State      one ZSet of keys, whose weights are the sums;  O(keys)
Cost       O(delta) per epoch, whatever the size of the groups
Edges      negative sums are shown as they are; nulls are one key; a change within a key that keeps the sum changes nothing
Source     Budiu et al., DBSP, VLDB 2023 (linear aggregation)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dataflow.operators.arrangement import keys_of
from dataflow.operators.operator import EMPTY, Operator
from dataflow.zset import ZSet

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")


class Count(Operator[tuple[Any, int]]):
    """Sums up the weights of each key.

    Args:
        source: the rows.
        key: row -> key of its group.
    """

    __slots__ = ("_key", "_pending", "_sums")

    def __init__(self, source: Operator[R], *, key: Callable[[R], object]) -> None:
        super().__init__((source,), label="count")
        self._key = key
        self._sums: ZSet[Any] = ZSet()
        self._pending: ZSet[Any] = EMPTY

    def step(self) -> ZSet[tuple[Any, int]]:
        """Return the change of the sums of the keys that changed."""
        delta: ZSet[Any] = self.inputs[0].delta
        self._pending = keys_of(delta, self._key)
        self.touched += len(delta) + len(self._pending)
        counts: ZSet[tuple[Any, int]] = ZSet()
        for key, change in self._pending.items():
            before = self._sums.weight(key)
            if before:
                counts.add((key, before), -1)
            if before + change:
                counts.add((key, before + change), 1)
        return counts

    def commit(self) -> None:
        """Add the change to the sums."""
        for key, change in self._pending.items():
            self._sums.add(key, change)

    def rows_held(self) -> int:
        """Count the keys."""
        return len(self._sums)

    def _check(self) -> None:
        self._sums._check()  # noqa: SLF001 - a check asks its parts
