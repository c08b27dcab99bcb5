"""Incremental semijoin: the left rows that find their key on the right; and its complement, for `antijoin`.

Law        integrate(semijoin(dA, dB)) == the rows of integrate(dA) whose key is present in integrate(dB), after every
           epoch; a key is present while the weights of its right rows sum up to more than zero
Delta rule d(A semijoin B) = dA where the key is present now + A where the key's presence has changed
State      left: an arrangement, key -> ZSet; right: a ZSet of keys;  O(|A| + keys of B)
Cost       O(delta + left rows of keys whose presence changed) per epoch
Edges      left rows keep their weights, whatever the right ones; a null key is never present, a tuple with a null part
           is no null
Source     Budiu et al., DBSP, VLDB 2023: A >< distinct(keys of B)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dataflow.operators.arrangement import KeyedDelta, WeightedArrangement, by_key, keys_of
from dataflow.operators.operator import EMPTY, Operator
from dataflow.values.normal import normal
from dataflow.zset import ZSet

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

R = TypeVar("R")
S = TypeVar("S")


class Semijoin(Operator[R], Generic[R, S]):
    """Keeps left rows by the presence of their keys on the right.

    Args:
        left, right: the two sides.
        left_key, right_key: row -> key of that side.
        keeps_present: whether to keep the rows whose key is present, or the others.
    """

    __slots__ = ("_keeps_present", "_left", "_pending", "_present", "_right_key")

    def __init__(
        self,
        left: Operator[R],
        right: Operator[S],
        *,
        left_key: Callable[[R], object],
        right_key: Callable[[S], object],
        keeps_present: bool = True,
    ) -> None:
        super().__init__((left, right), label="semijoin" if keeps_present else "antijoin")
        self._keeps_present = keeps_present
        self._left: WeightedArrangement[R] = WeightedArrangement(left_key)
        self._right_key = right_key
        self._present: ZSet[Any] = ZSet()
        self._pending: tuple[KeyedDelta[R], ZSet[Any]] = ({}, EMPTY)

    def step(self) -> ZSet[R]:
        """Return the left rows that changed, and those whose key came or went."""
        left, right = self.inputs
        left_delta = by_key(left.delta, self._left.key_of)
        right_delta = keys_of(right.delta, self._right_key)
        right_delta.add(None, -right_delta.weight(None))
        self.touched += len(left.delta) + len(right.delta)
        kept: ZSet[R] = ZSet()
        for key, rows in left_delta.items():
            if self._keeps(self._present.weight(key) + right_delta.weight(key)):
                for row, weight in rows:
                    kept.add(row, weight)
        for key, change in right_delta.items():
            total = self._present.weight(key)
            had, has = self._keeps(total), self._keeps(total + change)
            if had != has:
                self._move(kept, normal(key), 1 if has else -1)
        self._pending = left_delta, right_delta
        return kept

    def _keeps(self, total: int) -> bool:
        return (total > 0) is self._keeps_present

    def _move(self, kept: ZSet[R], key: Hashable, sign: int) -> None:
        for row, weight in self._left.group(key).items():
            kept.add(row, sign * weight)
            self.touched += 1

    def commit(self) -> None:
        """Add the left rows and the right keys to the state."""
        left_delta, right_delta = self._pending
        self._left.apply(left_delta)
        for key, change in right_delta.items():
            self._present.add(key, change)

    def rows_held(self) -> int:
        """Count the left rows and the right keys."""
        return self._left.rows() + len(self._present)

    def _check(self) -> None:
        self._left._check()  # noqa: SLF001 - a check asks its parts
        self._present._check()  # noqa: SLF001 - a check asks its parts
