"""Conditions go down to the rows they speak of, and no further than that is right."""

from __future__ import annotations

from typing import Any

import pytest

from dataflow.query.aggregates import collect, count, fold, sum_
from dataflow.query.builder import Query, query
from dataflow.query.combining import except_, union, union_all
from dataflow.query.functions import fn, selected
from dataflow.query.nesting import nested
from dataflow.query.optimizer.push_down_predicates import push_down_predicates
from dataflow.query.windows import row_number
from tests.dataflow.query.optimizer.trees import after, order, unchanged, user

JOINED = query(order).join(user, on=order.by == user.id)
TOTALS = query(order).group_by(order.by).select(by=order.by, total=sum_(order.x))


def pushed(query: Query[Any]) -> list[str]:
    return after(push_down_predicates, query).splitlines()


def test_a_condition_goes_to_the_side_it_speaks_of() -> None:
    assert pushed(JOINED.where(order.x > 1, user.y > 2, order.x > user.y)) == [
        "select order=order, user=user",
        "  where order.x > user.y",
        "    inner join on order.by == user.id",
        "      where order.x > 1",
        "        scan orders as order",
        "      where user.y > 2",
        "        scan users as user",
    ]


@pytest.mark.parametrize(
    ("how", "above"),
    [
        ("left", "where user.y > 2"),
        ("right", "where order.x > 1"),
        ("full", "where (order.x > 1) & (user.y > 2)"),
    ],
)
def test_no_condition_enters_a_side_that_may_be_absent(how: Any, above: str) -> None:
    joined = query(order).join(user, on=order.by == user.id, how=how)
    assert pushed(joined.where(order.x > 1, user.y > 2))[1].strip() == above


def test_a_condition_on_a_subquery_is_one_on_what_it_is_selected_from() -> None:
    doubled = query(order).select(order, double=order.x * 2).alias("doubled")
    assert pushed(query(doubled).where(doubled.double > 4, doubled.other == 1)) == [
        "as doubled",
        "  select *order, double=order.x * 2",
        "    where ((order.x * 2) > 4) & (order.other == 1)",
        "      scan orders as order",
    ]


def test_a_condition_on_a_column_that_may_come_from_two_places_stays() -> None:
    both = query(order).join(user, on=order.by == user.id).select(order, user).alias("both")
    assert pushed(query(both).where(both.x > 1))[:2] == ["where both.x > 1", "  as both"]


def test_a_condition_on_group_keys_decides_which_rows_are_grouped() -> None:
    totals = TOTALS.alias("totals")
    assert pushed(query(totals).where(totals.by == 1, totals.total > 2)) == [
        "as totals",
        "  select by=order.by, total=sum_(order.x)",
        "    where sum_(order.x) > 2",
        "      group by order.by: sum_(order.x)",
        "        where order.by == 1",
        "          scan orders as order",
    ]


def test_having_on_group_keys_is_where() -> None:
    assert pushed(TOTALS.having(order.by == 1)) == [
        "select by=order.by, total=sum_(order.x)",
        "  group by order.by: sum_(order.x)",
        "    where order.by == 1",
        "      scan orders as order",
    ]


@pytest.mark.parametrize("combined", [union_all, union, except_])
def test_a_condition_on_a_set_operation_goes_into_every_branch(combined: Any) -> None:
    both = combined(
        query(order).select(id=order.id, x=order.x + 1),
        query(user).select(id=user.id, x=user.y).order_by(user.id).limit(3),
    ).alias("both")
    lines = pushed(query(both).where(both.x > 1))
    assert lines[0] == "as both"
    assert [line.strip() for line in lines[3:]] == [
        "select id=order.id, x=order.x + 1",
        "where (order.x + 1) > 1",
        "scan orders as order",
        "select id=user.id, x=user.y",
        "where user.y > 1",
        "order by user.id limit 3",
        "scan users as user",
    ]


def test_a_condition_goes_below_an_order_but_not_below_a_limit() -> None:
    ordered = query(order).select(x=order.x).order_by(order.y)
    free, kept = ordered.alias("free"), ordered.limit(3).alias("kept")
    assert [line.strip() for line in pushed(query(free).where(free.x > 1))] == [
        "as free",
        "select x=order.x",
        "order by order.y",
        "where order.x > 1",
        "scan orders as order",
    ]
    assert [line.strip() for line in pushed(query(kept).where(kept.x > 1))] == [
        "as kept",
        "select x=order.x",
        "where order.x > 1",
        "order by order.y limit 3",
        "scan orders as order",
    ]


def test_a_condition_on_outer_rows_goes_below_what_is_nested() -> None:
    mine = query(order).where(order.by == user.id)
    listed = query(user).select(id=user.id, orders=nested(mine)).alias("listed")
    assert pushed(query(listed).where(listed.id == 1))[2:5] == [
        "    nest nested 1",
        "      where user.id == 1",
        "        scan users as user",
    ]


def test_a_condition_that_a_nested_query_correlates_by_stays_outside_of_its_subquery() -> None:
    totals = TOTALS.alias("totals")
    mine = query(totals).where(totals.by == user.id, totals.by > 1)
    lines = pushed(query(user).select(id=user.id, totals=nested(mine)))
    assert "        where totals.by == user.id" in [f"    {line}" for line in lines]
    assert any(line.strip() == "where order.by > 1" for line in lines)


def test_window_functions_see_all_rows() -> None:
    ranked = query(order).select(
        id=order.id, n=row_number().over(partition_by=order.by, order_by=order.x)
    )
    alias = ranked.alias("ranked")
    lines = pushed(query(alias).where(alias.n <= 3))
    assert [line.strip() for line in lines[2:4]] == [
        "where row_number().over(partition_by=order.by, order_by=order.x) <= 3",
        "window row_number().over(partition_by=order.by, order_by=order.x)",
    ]


def keep(row: Any) -> bool:
    return bool(row)


def joined_by_call() -> Query[Any]:
    on = (order.by == user.id) & fn(keep, order.x + user.y)
    return query(order).join(user, on=on, how="left").where(order.x > 1)


def over(alias: Any) -> Query[Any]:
    return query(alias).where(alias.by == 1)


@pytest.mark.parametrize(
    "asked",
    [
        query(order).filter(keep).join(user, on=order.by == user.id).where(fn(keep, order.x), order.x > 1),
        joined_by_call(),
        over(query(order).select(by=order.by, x=fn(keep, order.x)).alias("s")),
        over(query(order).select(order).map(keep).alias("s")),
        over(query(order).select(by=order.by).into(dict).alias("s")),
    ],
)  # fmt: skip
def test_user_functions_see_the_rows_they_saw_before(asked: Query[Any]) -> None:
    assert unchanged(push_down_predicates, asked)


@pytest.mark.parametrize(
    "asked",
    [
        over(query(order).group_by(order.by).select(by=order.by, x=fold(order.x, 0, max)).alias("s")),
        over(query(order).group_by(order.by).select(by=order.by, x=collect(fn(keep, order.x))).alias("s")),
        over(query(user).select(by=user.id, all=nested(query(order).where(order.by == user.id).map(keep))).alias("s")),
    ],
)  # fmt: skip
def test_user_functions_in_a_group_or_a_nested_query_see_all_its_rows(asked: Query[Any]) -> None:
    lines = [line.strip() for line in pushed(asked)]
    (at,) = (n for n, line in enumerate(lines) if line.startswith("where") and "== 1" in line)
    assert lines[at + 1].startswith(("group by", "nest"))


def test_conditions_that_read_no_row_stay() -> None:
    grouped = query(order).group_by(order.by).having(count() > 1).select(by=order.by)
    assert unchanged(push_down_predicates, grouped)
    assert unchanged(push_down_predicates, TOTALS.order_by(selected.total).limit(1))
