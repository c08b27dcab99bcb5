"""What a choice between combinations says of each side alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from dataflow.query.builder import query
from dataflow.query.functions import fn, lit
from dataflow.query.optimizer.derive_side_conditions import derive_side_conditions
from dataflow.query.optimizer.optimize import optimize
from tests.dataflow.query.optimizer.trees import after, condition_after, order, unchanged, user

if TYPE_CHECKING:
    from dataflow.query.expr import Expr

CHOICE = ((order.x == 1) & (user.y == 2)) | ((order.x == 2) & (user.y == 1))
JOINED = query(order).join(user, on=order.by == user.id)


@pytest.mark.parametrize(
    ("choice", "derived"),
    [
        (CHOICE, ["order.x.in_((1, 2))", "user.y.in_((2, 1))"]),
        (
            ((order.x > 1) & (user.y == 2)) | ((order.x < 0) & (order.z == 1) & (user.y == 2)),
            ["(order.x > 1) | ((order.x < 0) & (order.z == 1))", "user.y == 2"],
        ),
        (((order.x == 1) & (user.y == 2)) | (order.x == 2), ["order.x.in_((1, 2))"]),
        (((order.x == 1) & (order.w < user.y)) | (order.x == 2), ["order.x.in_((1, 2))"]),
        (((order.x == 1) & (user.y == 2)) | (order.z == 2), ["(order.x == 1) | (order.z == 2)"]),
    ],
)  # fmt: skip
def test_each_side_gets_what_every_branch_says_of_it(choice: Expr[Any], derived: list[str]) -> None:
    before = condition_after(optimize, JOINED.where(choice))
    text = condition_after(derive_side_conditions, JOINED.where(choice))
    assert before.startswith("select")
    found = after(derive_side_conditions, JOINED.where(choice)).splitlines()[1].strip()
    assert text == before
    assert all(part in found for part in derived), found


def test_the_choice_stays_above_and_what_is_derived_goes_down() -> None:
    assert after(optimize, JOINED.where(CHOICE).select(id=order.id)) == (
        "select id=order.id\n"
        "  where ((order.x == 1) & (user.y == 2)) | ((order.x == 2) & (user.y == 1))\n"
        "    inner join on order.by == user.id\n"
        "      reads order.by, order.id, order.x\n"
        "        where order.x.in_((1, 2))\n"
        "          scan orders as order\n"
        "      reads user.id, user.y\n"
        "        where user.y.in_((2, 1))\n"
        "          scan users as user"
    )


def test_a_null_is_no_value_to_be_among() -> None:
    choice = ((order.x == lit(1) / 0) & (user.y == 2)) | (order.x == 1)
    assert "where (order.x == None) | (order.x == 1)\n" in after(optimize, JOINED.where(choice))


@pytest.mark.parametrize("choice", [
    (order.x == 1) | (order.x == 2),
    ((order.x == 1) & (user.y == 2)) | ((order.x + user.y) == 3),
    ((order.x == 1) & fn(bool, user.y)) | (order.x == 2),
])  # fmt: skip
def test_nothing_is_derived_where_nothing_follows(choice: Expr[Any]) -> None:
    assert unchanged(derive_side_conditions, JOINED.where(choice))


@pytest.mark.parametrize(("how", "derived"), [
    ("left", "where order.x.in_((1, 2)) & "), ("right", "where user.y.in_((2, 1)) & "), ("full", "where (("),
])  # fmt: skip
def test_nothing_is_derived_for_a_side_that_may_be_absent(
    how: Literal["left", "right", "full"], derived: str
) -> None:
    joined = query(order).join(user, on=order.by == user.id, how=how).where(CHOICE)
    line = after(derive_side_conditions, joined).splitlines()[1].strip()
    assert line.startswith(derived)
    assert line.count("in_") == (how != "full")


def test_nothing_is_derived_behind_a_call_of_a_user_function() -> None:
    assert unchanged(derive_side_conditions, JOINED.where(fn(bool, order.x)).where(CHOICE))
