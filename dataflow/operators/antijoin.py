"""Incremental antijoin: the left rows that do not find their key on the right.

Law        integrate(antijoin(dA, dB)) == integrate(dA) - integrate(semijoin(dA, dB)), after every epoch
Delta rule d(A antijoin B) = dA where the key is absent now + A where the key's presence has changed
State      as semijoin: an arrangement of the left side, a ZSet of the right keys;  O(|A| + keys of B)
Cost       O(delta + left rows of keys whose presence changed) per epoch
Edges      left rows keep their weights, whatever the right ones; a null key is never present, so its rows are kept
Source     Budiu et al., DBSP, VLDB 2023: A - A >< distinct(keys of B)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dataflow.operators.semijoin import Semijoin

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.operators.operator import Operator

R = TypeVar("R")
S = TypeVar("S")


class Antijoin(Semijoin[R, S]):
    """Keeps the left rows whose key is absent on the right.

    Args:
        left, right: the two sides.
        left_key, right_key: row -> key of that side.
    """

    __slots__ = ()

    def __init__(
        self,
        left: Operator[R],
        right: Operator[S],
        *,
        left_key: Callable[[R], object],
        right_key: Callable[[S], object],
    ) -> None:
        super().__init__(left, right, left_key=left_key, right_key=right_key, keeps_present=False)
