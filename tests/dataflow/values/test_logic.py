"""Three-valued logic: every comparison of every pair of samples, and the truth tables."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.values.logic import and_, eq, ge, gt, in_, le, lt, ne, not_, or_, truth
from tests.dataflow.values.contract import canonical, is_less
from tests.dataflow.values.samples import PAIRS, SAMPLES, Color, Hostile


def is_null(value: object) -> bool:
    return canonical(value)[0] == "null"


def is_equal(a: object, b: object) -> bool | None:
    return None if is_null(a) or is_null(b) else canonical(a) == canonical(b)


def negated(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


EXPECTED = [
    (eq, is_equal),
    (ne, lambda a, b: negated(is_equal(a, b))),
    (lt, is_less),
    (le, lambda a, b: negated(is_less(b, a))),
    (gt, lambda a, b: is_less(b, a)),
    (ge, lambda a, b: negated(is_less(a, b))),
]


@pytest.mark.parametrize(
    ("compare", "expected"), EXPECTED, ids=[compare.__name__ for compare, _ in EXPECTED]
)
def test_every_pair_of_samples_compares_by_the_contract(compare: Any, expected: Any) -> None:
    wrong = [(a, b) for a, b in PAIRS if compare(a, b) is not expected(a, b)]
    assert wrong == []


def test_foreign_objects_of_one_class_are_asked_for_their_order() -> None:
    assert lt(Fraction(1, 3), Fraction(1, 2)) is True
    assert ge(Fraction(1, 3), Fraction(1, 2)) is False
    assert lt(Fraction(1, 3), 1) is None
    assert lt(Hostile(), Hostile()) is None
    assert lt(object(), object()) is None
    assert lt(Color.PAIR, Color.PAIR) is None


TRUTH_TABLE = [
    # a, b, a and b, a or b
    (True, True, True, True),
    (True, False, False, True),
    (True, None, None, True),
    (False, False, False, False),
    (False, None, False, None),
    (None, None, None, None),
]


@pytest.mark.parametrize(("a", "b", "both", "either"), TRUTH_TABLE)
def test_connectives_follow_kleene(
    a: bool | None, b: bool | None, both: bool | None, either: bool | None
) -> None:
    assert and_(a, b) is and_(b, a) is both
    assert or_(a, b) is or_(b, a) is either
    assert not_(and_(a, b)) is or_(not_(a), not_(b))


def test_operands_that_are_no_bool_are_unknown() -> None:
    for operand in (value for value in SAMPLES if not isinstance(value, bool)):
        assert not_(operand) is None
        assert [and_(operand, b) for b in (True, False)] == [None, False]
        assert [or_(operand, b) for b in (True, False)] == [True, None]
        assert truth(operand) is False


def test_only_true_is_the_truth() -> None:
    assert truth(True) is True
    assert truth(False) is False


@given(
    st.sampled_from((None, True, 1, 1.0, "1")),
    st.lists(st.sampled_from((None, True, 1, 2.0, "1")), max_size=3),
)
def test_in_is_the_disjunction_of_equalities(a: object, options: list[object]) -> None:
    expected: bool | None = False
    for option in options:
        expected = or_(expected, eq(a, option))
    assert in_(a, options) is expected


def test_null_is_in_no_empty_list() -> None:
    assert in_(None, []) is False
    assert in_(None, [1]) is None
    assert in_(2, [1, None]) is None
    assert in_(1, [None, 1.0]) is True
