"""The total order: agreement with equality and with comparisons, and the place of nulls."""

from decimal import Decimal
from functools import cmp_to_key
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.values.equality import equal
from dataflow.values.kinds import OPAQUE, kind_of
from dataflow.values.normal import normal
from dataflow.values.null import ABSENT
from dataflow.values.order import (
    Direction,
    column_key,
    descending,
    order_key,
    row_sort_key,
    sort_key,
)
from tests.dataflow.values.contract import is_less
from tests.dataflow.values.samples import NAN, PAIRS, SAMPLES, Color, Hostile, values

KNOWN = [value for value in SAMPLES if kind_of(value) != OPAQUE]
DIRECTIONS = [Direction(d, n) for d in (False, True) for n in (False, True)]


def is_ordered(value: object) -> bool:
    return "Opaque" not in repr(sort_key(value))


def test_samples_tie_exactly_if_equal() -> None:
    def ties(a: object, b: object) -> bool:
        return not sort_key(a) < sort_key(b) and not sort_key(b) < sort_key(a)

    assert [(a, b) for a in KNOWN for b in KNOWN if ties(a, b) != equal(a, b)] == []


def test_the_order_follows_every_comparison_that_has_an_answer() -> None:
    wrong = [(a, b) for a, b in PAIRS if is_less(a, b) not in (None, sort_key(a) < sort_key(b))]
    assert wrong == []


@given(values().filter(is_ordered), values().filter(is_ordered), values())
def test_the_order_is_total_and_agrees_with_equality(a: object, b: object, c: object) -> None:
    ka, kb, kc = sort_key(a), sort_key(b), sort_key(c)
    assert [ka < kb, kb < ka, equal(a, b)].count(True) == 1
    assert not (ka < kb and kb < kc) or ka < kc
    assert (descending(ka) < descending(kb)) == (kb < ka)


def test_kinds_sort_by_rank() -> None:
    mixed: list[object] = [
        ABSENT,
        None,
        False,
        True,
        float("-inf"),
        -1.5,
        2**53,
        2**53 + 1,
        float("inf"),
        NAN,
    ]
    mixed += ["A", "a", b"", (), (None,), [], [None], [0], {}, {"a": 1}]
    for start in range(len(mixed)):
        rotated = mixed[start:] + mixed[:start]
        assert list(map(id, sorted(rotated, key=sort_key))) == list(map(id, mixed))


def test_row_keys_sort_alike_in_normal_form_and_as_shown() -> None:
    for a, b in ((True, 1.5), ((True, "x"), (2, "a")), (("x", ABSENT), ("x", None))):
        assert row_sort_key(a) < row_sort_key(b)
        assert row_sort_key(normal(a)) < row_sort_key(normal(b))


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        (Direction(), [None, True, 1, 2.5, NAN, "a", "b", [1]]),
        (Direction(nulls_last=True), [True, 1, 2.5, NAN, "a", "b", [1], None]),
        (Direction(descending=True), [None, [1], "b", "a", NAN, 2.5, 1, True]),
        (Direction(descending=True, nulls_last=True), [[1], "b", "a", NAN, 2.5, 1, True, None]),
    ],
)
def test_nulls_stand_where_the_direction_says(direction: Direction, expected: list[object]) -> None:
    backwards = expected[::-1]
    assert sorted(backwards, key=column_key(direction)) == expected


RANKED: tuple[object, ...] = (None, True, 1, 2.0, "a", "b")


@given(
    st.lists(st.sampled_from(DIRECTIONS), min_size=1, max_size=3).flatmap(
        lambda ds: st.tuples(
            st.just(ds), st.lists(st.tuples(*[st.integers(0, len(RANKED) - 1)] * len(ds)))
        )
    )
)
def test_columns_sort_one_after_the_other(
    case: tuple[list[Direction], list[tuple[int, ...]]],
) -> None:
    directions, ranks = case

    def compare(left: tuple[int, ...], right: tuple[int, ...]) -> int:
        for direction, a, b in zip(directions, left, right, strict=True):
            if a == b:
                continue
            if 0 in (a, b):  # the rank of null
                return 1 if (a == 0) == direction.nulls_last else -1
            return 1 if (a < b) == direction.descending else -1
        return 0

    key = order_key(directions)
    by_key = sorted(ranks, key=lambda row: key([RANKED[rank] for rank in row]))
    assert by_key == sorted(ranks, key=cmp_to_key(compare))


def test_decimals_sort_exactly_in_both_directions() -> None:
    small, large = Decimal(f"0.{'1' * 40}"), Decimal(f"0.{'1' * 39}2")
    assert sort_key(small) < sort_key(large)
    assert descending(sort_key(large)) < descending(sort_key(small))


def test_objects_without_an_order_tie() -> None:
    for a, b in permutations((Hostile(), Hostile()), 2):
        assert not sort_key(a) < sort_key(b)
    assert not sort_key(Color.NONE) < sort_key(Color.PAIR)
