"""What depends on no row is computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dataflow.query.aggregates import sum_
from dataflow.query.builder import query
from dataflow.query.functions import case, coalesce, fn, lit, selected, split, upper
from dataflow.query.optimizer.fold_constants import fold_constants
from tests.dataflow.query.optimizer.trees import after, condition_after, order, unchanged

if TYPE_CHECKING:
    from dataflow.query.expr import Expr

CALLED = fn(abs, order.x)


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (order.x > lit(2) * 3, "where order.x > 6"),
        (order.x == lit(1) / 0, "where order.x == None"),
        (order.x == upper(lit("a")), "where order.x == 'A'"),
        ((order.x > 1) & (lit(1) == 1), "where order.x > 1"),
        ((order.x > 1) & (lit(1) == 2), "where False"),
        ((order.x > 1) & (lit(1) / 0 == 1), "where (order.x > 1) & None"),
        ((order.x > 1) | (lit(1) == 2), "where order.x > 1"),
        ((order.x > 1) | (lit(1) == 2) | (order.y > 1), "where (order.x > 1) | (order.y > 1)"),
        (~(lit(1) == 2) & (order.x == 1), "where order.x == 1"),
        (coalesce(None, order.x, 1, order.y) == 1, "where coalesce(order.x, 1) == 1"),
        (coalesce(lit(None), lit(2)) == order.x, "where 2 == order.x"),
        (case((lit(1) == 2, order.x), (order.y > 1, 5), else_=6) == 5, "where case((order.y > 1, 5), else_=6) == 5"),
        (case((order.y > 1, 5), (lit(1) == 1, 7), else_=6) == 5, "where case((order.y > 1, 5), else_=7) == 5"),
        (case((lit(1) / 0 == 2, order.x), else_=6) == order.x, "where 6 == order.x"),
    ],
)  # fmt: skip
def test_constants_are_computed_as_the_library_does(condition: Expr[Any], text: str) -> None:
    assert condition_after(fold_constants, query(order).where(condition)) == text


def test_a_condition_that_always_holds_is_no_filter() -> None:
    assert after(fold_constants, query(order).where(lit(1) == 1)) == "scan orders as order"


@pytest.mark.parametrize(
    "condition",
    [
        CALLED & (lit(1) == 2),
        CALLED | (lit(1) == 1),
        case((lit(1) == 1, order.x), else_=CALLED) == 1,
        case((lit(1) == 2, CALLED), else_=order.x) == 1,
        coalesce(lit(1), CALLED) == 1,
    ],
)
def test_no_call_of_a_user_function_is_folded_away(condition: Expr[Any]) -> None:
    assert "fn(abs, order.x)" in condition_after(fold_constants, query(order).where(condition))


def test_a_user_function_of_constants_is_not_called() -> None:
    called: list[int] = []
    result = query(order).select(x=fn(called.append, lit(1) + 1))
    assert condition_after(fold_constants, result) == "select x=fn(list.append, 2)"
    assert called == []


def test_truth_values_that_may_be_something_else_keep_their_and() -> None:
    text = condition_after(fold_constants, query(order).select(x=order.x & (lit(1) == 1)))
    assert text == "select x=order.x & True"


def test_a_list_is_made_anew_for_each_row() -> None:
    assert unchanged(fold_constants, query(order).select(x=split(lit("a,b"), ",")))


def test_every_clause_is_folded() -> None:
    total = sum_(order.x * (lit(1) + 1)).where(order.y > lit(1) + 1)
    result = (
        query(order)
        .group_by(order.g + (lit(1) + 1))
        .having(sum_(order.x) > lit(1) + 1)
        .select(g=order.g + (lit(1) + 1), total=total)
        .order_by(selected.total + (lit(1) + 1))
    )
    assert after(fold_constants, result) == (
        "select g=order.g + 2, total=sum_(order.x * 2).where(order.y > 2)\n"
        "  order by sum_(order.x * 2).where(order.y > 2) + 2\n"
        "    where sum_(order.x) > 2\n"
        "      group by order.g + 2: sum_(order.x * 2).where(order.y > 2), sum_(order.x)\n"
        "        scan orders as order"
    )
