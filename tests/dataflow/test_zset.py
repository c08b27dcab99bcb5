"""Z-sets are a commutative group, and always consolidated."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.errors import InvariantError
from dataflow.zset import ZSet, ZSetStatistics

ROWS: tuple[object, ...] = (None, True, 1, 1.0, 0, -0.0, "a", (1,), [1], [True], {"a": 1}, {})

zsets = st.lists(st.tuples(st.sampled_from(ROWS), st.integers(-2, 2))).map(ZSet)


@given(zsets, zsets, zsets)
def test_addition_is_a_commutative_group(a: ZSet[object], b: ZSet[object], c: ZSet[object]) -> None:
    zero: ZSet[object] = ZSet()
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + zero == a
    assert a + -a == zero
    assert a - b == a + -b
    for result in (a + b, a - b, -a, a.distinct()):
        result._check()


@given(st.lists(st.tuples(st.sampled_from(ROWS), st.integers(-2, 2))))
def test_the_weight_of_a_row_is_the_sum_of_what_was_added(pairs: list[tuple[object, int]]) -> None:
    # Which of ROWS are one row, by their positions: 1 and 1.0, 0 and -0.0.
    same = {3: 2, 5: 4}
    weights: dict[int, int] = {}
    for row, weight in pairs:
        position = next(i for i, other in enumerate(ROWS) if other is row)
        position = same.get(position, position)
        weights[position] = weights.get(position, 0) + weight
    zset = ZSet(pairs)
    expected = {position: weight for position, weight in weights.items() if weight}
    assert {i: zset.weight(ROWS[i]) for i in expected} == expected
    assert len(zset) == len(expected)
    assert zset.statistics() == ZSetStatistics(
        rows=len(expected), total_weight=sum(expected.values())
    )


@given(zsets)
def test_distinct_keeps_rows_of_positive_weight_once(a: ZSet[object]) -> None:
    assert a.distinct() == ZSet.from_rows([row for row, weight in a.items() if weight > 0])
    assert a.distinct().distinct() == a.distinct()


def test_operators_leave_their_operands_alone() -> None:
    a, b = ZSet.from_rows("xy"), ZSet.from_rows("yz")
    before = (copy.copy(dict(a.items())), copy.copy(dict(b.items())))
    _ = (a + b, a - b, -a, a.distinct())
    assert (dict(a.items()), dict(b.items())) == before
    twin = a.copy()
    twin.add("q")
    assert "q" not in a


def test_the_first_of_equal_rows_is_shown() -> None:
    zset = ZSet.from_rows([1.0, 1, True])
    assert repr(zset) == "ZSet({1.0: 2, True: 1})"
    assert repr(zset + ZSet([(1, -2), (1, 1)])) == "ZSet({1.0: 1, True: 1})"
    assert repr(ZSet([(1.0, 1), (1, -1), (1, 1)])) == "ZSet({1: 1})"


def test_rows_need_not_be_hashable() -> None:
    zset = ZSet.from_rows([{"a": [1]}, {"a": [1.0], "b": None}])
    assert list(zset.items()) == [({"a": [1]}, 2)]
    assert {"a": [1]} in zset
    assert {"a": [True]} not in zset
    assert zset.weight({}) == 0


def test_a_zset_equals_no_other_thing() -> None:
    assert ZSet() != {}
    assert not ZSet()
    assert ZSet.from_rows("a") != ZSet([("a", 2)])


def test_check_finds_a_mutated_row() -> None:
    row = {"a": 1}
    zset = ZSet.from_rows([row])
    zset._check()
    row["a"] = 2
    with pytest.raises(InvariantError, match=r"was mutated since it was added \(operator ZSet\)"):
        zset._check()


def test_check_finds_a_zero_weight() -> None:
    zset = ZSet._from_entries({"a": ("a", 0)})
    with pytest.raises(InvariantError, match=r"row 'a' has weight zero \(operator ZSet, law 1\)"):
        zset._check()
