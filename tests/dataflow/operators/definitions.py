"""What operators mean: relations as lists of (row, weight) pairs, nothing kept and nothing incremental.

Equality and order are those of the oracle; nothing here is imported from the engine. `form` says them as tuples, which
Python compares and hashes by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from tests.oracle.semantics import KINDS, kind

Bag: TypeAlias = list[tuple[Any, int]]
"""Rows with weights; consolidated: in order, no two rows equal, no weight zero."""

Key: TypeAlias = Callable[[Any], Any]


def form(value: Any) -> tuple[Any, ...]:
    """Return a tuple that equals those of equal values, and sorts as the total order does."""
    name = kind(value)
    rank = KINDS.index(name)
    match name:
        case "null" | "nan":
            return (rank,)
        case "tuple" | "list":
            return (rank, tuple(map(form, value)))
        case "mapping":
            fields = ((form(field), form(part)) for field, part in value.items())
            return (rank, tuple(sorted(pair for pair in fields if pair[1] != form(None))))
        case _:
            return (rank, value)


def consolidated(pairs: Iterable[tuple[Any, int]]) -> Bag:
    """Add up the weights of equal rows, drop zeros, sort."""
    weights: dict[Any, int] = {}
    rows: dict[Any, Any] = {}
    for row, weight in pairs:
        mine = form(row)
        rows.setdefault(mine, row)
        weights[mine] = weights.get(mine, 0) + weight
    return [(rows[mine], weights[mine]) for mine in sorted(weights) if weights[mine]]


def minus(bag: Bag, other: Bag) -> Bag:
    """Subtract weights."""
    return consolidated([*bag, *((row, -weight) for row, weight in other)])


def same_bag(bag: Bag, other: Bag) -> bool:
    """Tell whether two consolidated bags hold equal rows with equal weights."""
    return [(form(row), weight) for row, weight in bag] == [
        (form(row), weight) for row, weight in other
    ]


def groups(bag: Bag, key: Key) -> list[tuple[Any, Bag]]:
    """Return (key, rows of it, in order); nulls are one key."""
    found: dict[Any, tuple[Any, Bag]] = {}
    for row, weight in bag:
        found.setdefault(form(key(row)), (key(row), []))[1].append((row, weight))
    return list(found.values())


def join(left: Bag, right: Bag, left_key: Key, right_key: Key) -> Bag:
    """Return the pairs with equal keys that are not null; weights multiply."""
    others = [(form(right_key(other)), other, factor) for other, factor in right]
    return [
        ((row, other), weight * factor)
        for row, weight in left
        if left_key(row) is not None
        for mine in (form(left_key(row)),)
        for theirs, other, factor in others
        if mine == theirs
    ]


def semijoin(left: Bag, right: Bag, left_key: Key, right_key: Key) -> Bag:
    """Return the left rows whose key has a positive weight on the right."""
    totals = {
        form(key): sum(weight for _, weight in rows) for key, rows in groups(right, right_key)
    }
    return [
        (row, weight)
        for row, weight in left
        if left_key(row) is not None and totals.get(form(left_key(row)), 0) > 0
    ]


def topk(bag: Bag, k: int, offset: int, key: Key, order: Key, *, descending: bool) -> Bag:
    """Return the windows of all groups, each row as often as its weight says; nulls first."""
    window: Bag = []
    for _, rows in groups(bag, key):
        ranked = sorted(rows, key=lambda pair: form(pair[0]))
        ranked.sort(key=lambda pair: form(order(pair[0])), reverse=descending)
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
