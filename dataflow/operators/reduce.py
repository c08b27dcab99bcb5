"""Incremental reduce: any function of a group.

Law        integrate(reduce(d)) == the rows of fn(key, rows of the group), for each group of integrate(d), after every epoch
Delta rule per changed key: fn(key, group now) - fn(key, group before)
State      two maps, key -> ZSet: the rows of each group, and what fn made of them;  O(rows + results)
Cost       O(group log group) per changed key
Edges      fn gets the rows in their total order with their weights, negative ones included, and never an empty group;
           nulls are one key; what fn returned before is kept, so fn runs once per key and epoch
Source     McSherry et al., Differential Dataflow, CIDR 2013 (reduce)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dataflow.operators.arrangement import KeyedDelta, WeightedArrangement, by_key
from dataflow.operators.operator import EMPTY, Operator
from dataflow.values.normal import expose
from dataflow.values.order import sort_key
from dataflow.zset import ZSet

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

R = TypeVar("R")
S = TypeVar("S")


class Reduce(Operator[S], Generic[R, S]):
    """Calls a function on every group that changed.

    Args:
        source: the rows.
        fn: key, (row, weight) pairs in the order of rows -> rows.
        key: row -> key of its group.
    """

    __slots__ = ("_fn", "_groups", "_pending", "_results")

    def __init__(
        self,
        source: Operator[R],
        fn: Callable[[Any, list[tuple[R, int]]], Iterable[S]],
        *,
        key: Callable[[R], object],
    ) -> None:
        super().__init__((source,), label="reduce")
        self._fn = fn
        self._groups: WeightedArrangement[R] = WeightedArrangement(key)
        self._results: dict[Hashable, ZSet[S]] = {}
        self._pending: tuple[KeyedDelta[R], dict[Hashable, ZSet[S]]] = ({}, {})

    def step(self) -> ZSet[S]:
        """Return the change of the results of the groups that changed."""
        delta: ZSet[Any] = self.inputs[0].delta
        keyed = by_key(delta, self._groups.key_of)
        results: dict[Hashable, ZSet[S]] = {}
        changed: ZSet[S] = ZSet()
        self.touched += len(delta)
        for key, weighted in keyed.items():
            results[key] = self._result(key, self._groups.group(key) + ZSet(weighted))
            _add(changed, results[key], 1)
            _add(changed, self._results.get(key, EMPTY), -1)
        self._pending = keyed, results
        return changed

    def _result(self, key: Hashable, group: ZSet[R]) -> ZSet[S]:
        self.touched += len(group)
        if not group:
            return EMPTY
        rows = sorted(group.items(), key=lambda weighted: sort_key(weighted[0]))
        result = ZSet.from_rows(self._fn(expose(key), rows))
        self.touched += len(result)
        return result

    def commit(self) -> None:
        """Take over the changed groups and their results."""
        keyed, results = self._pending
        self._groups.apply(keyed)
        for key, result in results.items():
            if result:
                self._results[key] = result
            else:
                self._results.pop(key, None)

    def rows_held(self) -> int:
        """Count the rows of the groups and of the results."""
        return self._groups.rows() + sum(map(len, self._results.values()))

    def _check(self) -> None:
        self._groups._check()  # noqa: SLF001 - a check asks its parts
        for result in self._results.values():
            result._check()  # noqa: SLF001 - as above


def _add(total: ZSet[S], result: ZSet[S], sign: int) -> None:
    for row, weight in result.items():
        total.add(row, sign * weight)
