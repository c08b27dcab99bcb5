"""Incremental equi-join.

Law        integrate(join(dA, dB)) == {into(a, b): weight of a * weight of b} summed over the pairs of integrate(dA) and
           integrate(dB) whose keys are equal, after every epoch
Delta rule d(A >< B) = dA >< B + A >< dB + dA >< dB     (A, B as of the previous epoch)
State      two arrangements, key -> ZSet;  O(|A| + |B|)
Cost       O(matches of changed rows) per epoch, independent of |A| and |B|
Edges      null keys never match, a tuple with a null part is no null; weights multiply, negative ones included
Source     Budiu et al., DBSP, VLDB 2023 (bilinear operators)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dataflow.operators.arrangement import KeyedDelta, WeightedArrangement, by_key
from dataflow.operators.operator import Operator
from dataflow.zset import ZSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")


class Join(Operator[T], Generic[R, S, T]):
    """Matches the rows of two sides by equal keys.

    Args:
        left, right: the two sides.
        left_key, right_key: row -> key of that side.
        into: left row, right row -> joined row.
    """

    __slots__ = ("_into", "_left", "_pending", "_right")

    def __init__(
        self,
        left: Operator[R],
        right: Operator[S],
        *,
        left_key: Callable[[R], object],
        right_key: Callable[[S], object],
        into: Callable[[R, S], T],
        label: str = "join",
    ) -> None:
        super().__init__((left, right), label=label)
        self._into = into
        self._left: WeightedArrangement[R] = WeightedArrangement(left_key)
        self._right: WeightedArrangement[S] = WeightedArrangement(right_key)
        self._pending: tuple[KeyedDelta[R], KeyedDelta[S]] = ({}, {})

    def step(self) -> ZSet[T]:
        """Return the changed pairs."""
        left, right = self.inputs
        left_delta = by_key(left.delta, self._left.key_of)
        right_delta = by_key(right.delta, self._right.key_of)
        left_delta.pop(None, None)
        right_delta.pop(None, None)
        self.touched += len(left.delta) + len(right.delta)
        pairs: ZSet[T] = ZSet()
        for key, rows in left_delta.items():
            self._match(pairs, rows, self._right.group(key).items())
            self._match(pairs, rows, right_delta.get(key, ()))
        for key, others in right_delta.items():
            self._match(pairs, self._left.group(key).items(), others)
        self._pending = left_delta, right_delta
        return pairs

    def _match(
        self,
        pairs: ZSet[T],
        rows: Iterable[tuple[R, int]],
        others: Iterable[tuple[S, int]],
    ) -> None:
        matches = list(others)
        for row, weight in rows:
            for other, factor in matches:
                pairs.add(self._into(row, other), weight * factor)
                self.touched += 1

    def commit(self) -> None:
        """Add both deltas to the arrangements."""
        self.apply(self._pending)

    def apply(self, pending: Any, *, sign: int = 1) -> None:
        """Add what a step computed to the state, or with sign -1 take it back."""
        left_delta, right_delta = pending
        self._left.apply(left_delta, sign=sign)
        self._right.apply(right_delta, sign=sign)

    @property
    def pending(self) -> tuple[KeyedDelta[R], KeyedDelta[S]]:
        """What the last step computed, for `apply`."""
        return self._pending

    def rows_held(self) -> int:
        """Count the rows of both arrangements."""
        return self._left.rows() + self._right.rows()

    def _check(self) -> None:
        for side in (self._left, self._right):
            side._check()  # noqa: SLF001 - a check asks its parts
