"""Arrangements of Z-sets: state of operators that look rows up by key.

Law    `group(key)` holds exactly the rows of that key, with the weights of their integrated deltas
State  normal form of the key -> ZSet of its rows;  O(rows)
Cost   `by_key` and `apply` O(delta), `group` O(1)
Edges  null keys are one group, under None: an operator in which they match nothing leaves that group out

`dataflow.arrangement` is another thing: it holds each row once, under its row key. Rows here have weights instead of keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from dataflow.errors import InvariantError
from dataflow.operators.operator import EMPTY
from dataflow.values.normal import normal
from dataflow.zset import ZSet

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

R = TypeVar("R")

KeyedDelta: TypeAlias = "dict[Hashable, list[tuple[R, int]]]"
"""A delta by key: normal form of the key -> (row, weight) pairs, each row once."""


def by_key(delta: ZSet[R], key_of: Callable[[R], object]) -> KeyedDelta[R]:
    """Return a delta by the keys of its rows; rows with a null key are under None."""
    keyed: KeyedDelta[R] = {}
    for row, weight in delta.items():
        keyed.setdefault(normal(key_of(row)), []).append((row, weight))
    return keyed


def keys_of(delta: ZSet[R], key_of: Callable[[R], object]) -> ZSet[Any]:
    """Return the keys of a delta's rows as a Z-set: each key weighs as much as its rows together."""
    return ZSet((key_of(row), weight) for row, weight in delta.items())


class WeightedArrangement(Generic[R]):
    """The integral of a delta stream, by key.

    Args:
        key_of: row -> key.
    """

    __slots__ = ("_groups", "key_of")

    def __init__(self, key_of: Callable[[R], object]) -> None:
        self.key_of: Callable[[R], object] = key_of
        self._groups: dict[Hashable, ZSet[R]] = {}

    def group(self, key: Hashable) -> ZSet[R]:
        """Return the rows of a key in normal form, to be read only."""
        return self._groups.get(key, EMPTY)

    def apply(self, keyed: KeyedDelta[R], *, sign: int = 1) -> None:
        """Add a delta that `by_key` made, or with sign -1 subtract it."""
        for key, weighted in keyed.items():
            group = self._groups.get(key)
            if group is None:
                group = self._groups[key] = ZSet()
            for row, weight in weighted:
                group.add(row, sign * weight)
            if not group:
                del self._groups[key]

    def rows(self) -> int:
        """Count the different rows held."""
        return sum(map(len, self._groups.values()))

    def _check(self) -> None:
        """Raise an InvariantError if a group is empty or holds a row of another key."""
        for key, group in self._groups.items():
            group._check()  # noqa: SLF001 - a check asks its parts
            if not group:
                raise InvariantError(f"group {key!r} is empty", operator="WeightedArrangement")
            if any((found,) != (key,) for found in by_key(group, self.key_of)):
                raise InvariantError(
                    f"a row of another key is in group {key!r}", operator="WeightedArrangement"
                )
