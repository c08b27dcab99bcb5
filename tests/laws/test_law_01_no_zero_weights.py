"""Law 1: a Z-set never stores a row of weight zero, and equal rows have one entry.

The oracle is a plain list of (row, weight) pairs that is summed up by scanning.
"""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given

from dataflow.zset import ZSet
from tests.oracle.semantics import same
from tests.strategies import WILD, random_row, seeds

Pairs = list[tuple[Any, int]]


def consolidated(pairs: Pairs) -> Pairs:
    """Sum the weights of equal rows and drop what comes to nothing."""
    sums: list[list[Any]] = []
    for row, weight in pairs:
        entry = next((entry for entry in sums if same(entry[0], row)), None)
        if entry is None:
            sums.append([row, weight])
        else:
            entry[1] += weight
    return [(row, weight) for row, weight in sums if weight]


def random_pairs(rng: random.Random) -> Pairs:
    fields = (WILD.k, WILD.x, WILD.deep)
    pool = [value for choices in fields for value in choices if value is not ...]
    pool += [random_row(rng, WILD, key) for key in (1, True, "1", 1.0)]
    return [(rng.choice(pool), rng.choice((-2, -1, 1, 1, 2))) for _ in range(rng.randint(0, 20))]


def assert_is(zset: ZSet[Any], pairs: Pairs) -> None:
    expected = consolidated(pairs)
    entries = list(zset.items())
    assert all(weight != 0 for _, weight in entries)
    assert len(entries) == len(zset) == len(expected)
    for row, weight in expected:
        assert [w for other, w in entries if same(other, row)] == [weight]
        assert zset.weight(row) == weight
        assert row in zset
    zset._check()


def negated(pairs: Pairs) -> Pairs:
    return [(row, -weight) for row, weight in pairs]


@given(seeds())
def test_every_operation_leaves_a_consolidated_zset(seed: int) -> None:
    rng = random.Random(seed)
    left, right = random_pairs(rng), random_pairs(rng)
    a, b = ZSet(left), ZSet(right)
    assert_is(a, left)
    assert_is(a + b, left + right)
    assert_is(a - b, left + negated(right))
    assert_is(-a, negated(left))
    assert_is(a - a, [])
    assert_is(a.distinct(), [(row, 1) for row, weight in consolidated(left) if weight > 0])
    assert_is(ZSet.from_rows(row for row, _ in left), [(row, 1) for row, _ in left])
    assert_is(a, left)


@given(seeds())
def test_adding_and_taking_back_row_by_row_never_leaves_a_zero(seed: int) -> None:
    rng = random.Random(seed)
    zset: ZSet[Any] = ZSet()
    done: Pairs = []
    for row, weight in random_pairs(rng):
        zset.add(row, weight)
        done.append((row, weight))
        assert_is(zset, done)
    rng.shuffle(done)
    while done:
        row, weight = done.pop()
        zset.add(row, -weight)
        assert_is(zset, done)


@given(seeds())
def test_zsets_form_a_commutative_group(seed: int) -> None:
    rng = random.Random(seed)
    a, b, c = (ZSet(random_pairs(rng)) for _ in range(3))
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + ZSet() == a
    assert a + -a == ZSet()
