"""What operators mean: relations as lists of (row, weight) pairs, nothing kept and nothing incremental.

Equality and order are those of the oracle; nothing here is imported from the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cmp_to_key
from typing import Any, TypeAlias

from tests.oracle.semantics import compare, same

Bag: TypeAlias = list[tuple[Any, int]]
"""Rows with weights; consolidated: in order, no two rows equal, no weight zero."""

Key: TypeAlias = Callable[[Any], Any]

in_order = cmp_to_key(compare)


def consolidated(pairs: Iterable[tuple[Any, int]]) -> Bag:
    """Add up the weights of equal rows, drop zeros, sort."""
    bag: list[list[Any]] = []
    for row, weight in sorted(pairs, key=lambda pair: in_order(pair[0])):
        if bag and same(bag[-1][0], row):
            bag[-1][1] += weight
        else:
            bag.append([row, weight])
    return [(row, weight) for row, weight in bag if weight]


def minus(bag: Bag, other: Bag) -> Bag:
    """Subtract weights."""
    return consolidated([*bag, *((row, -weight) for row, weight in other)])


def same_bag(bag: Bag, other: Bag) -> bool:
    """Tell whether two consolidated bags hold equal rows with equal weights."""
    return len(bag) == len(other) and all(
        same(row, twin) and weight == factor
        for (row, weight), (twin, factor) in zip(bag, other, strict=True)
    )


def groups(bag: Bag, key: Key) -> list[tuple[Any, Bag]]:
    """Return (key, rows of it, in order); nulls are one key."""
    found: list[tuple[Any, Bag]] = []
    for row, weight in bag:
        mine = key(row)
        for other, rows in found:
            if same(mine, other):
                rows.append((row, weight))
                break
        else:
            found.append((mine, [(row, weight)]))
    return found


def join(left: Bag, right: Bag, left_key: Key, right_key: Key) -> Bag:
    """Return the pairs with equal keys that are not null; weights multiply."""
    return [
        ((row, other), weight * factor)
        for row, weight in left
        for other, factor in right
        if left_key(row) is not None and same(left_key(row), right_key(other))
    ]


def semijoin(left: Bag, right: Bag, left_key: Key, right_key: Key) -> Bag:
    """Return the left rows whose key has a positive weight on the right."""
    return [
        (row, weight)
        for row, weight in left
        if left_key(row) is not None
        and sum(factor for other, factor in right if same(left_key(row), right_key(other))) > 0
    ]


def topk(bag: Bag, k: int, offset: int, key: Key, order: Key, *, descending: bool) -> Bag:
    """Return the windows of all groups, each row as often as its weight says; nulls first."""
    window: Bag = []
    for _, rows in groups(bag, key):
        ranked = sorted(rows, key=lambda pair: in_order(pair[0]))
        ranked.sort(key=lambda pair: in_order(order(pair[0])), reverse=descending)
        ranked.sort(key=lambda pair: order(pair[0]) is not None)
        every = [row for row, weight in ranked for _ in range(weight)]
        window += [(row, 1) for row in every[offset : offset + k]]
    return window


def least_fixpoint(seed: Bag, step: Callable[[Bag], Bag]) -> Bag:
    """Return the least set with the rows of `seed` and of `step` of itself."""
    found: Bag = []
    while True:
        after = as_set([*as_set(seed), *step(found)])
        if same_bag(found, after):
            return found
        found = after


def as_set(bag: Iterable[tuple[Any, int]]) -> Bag:
    """Return each row of positive weight once."""
    return [(row, 1) for row, weight in consolidated(bag) if weight > 0]
