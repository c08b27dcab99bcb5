"""Starting a query on full tables equals following them from the first row on, whatever the values are."""

from __future__ import annotations

import math
from contextlib import ExitStack
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.collection.collection import Collection
from dataflow.live.live import live
from dataflow.query.aggregates import avg, count, count_distinct, max_, min_, sum_
from dataflow.query.builder import query
from dataflow.query.combining import except_, intersect, union
from dataflow.query.compiler.runtime import PART
from dataflow.values.normal import normal

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.live.live import LiveQuery
    from dataflow.query.builder import Query

FLOATS = [1.0, 2.5, 0.0, -0.0, math.nan, math.inf]
DECIMALS = [Decimal("1.0"), Decimal("2.50"), Decimal("NaN")]
OTHERS = [None, True, False, "1", "", 1, 2, 2**70]


def rows_of(values: list[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Return lists of rows with three columns of such values, some of them missing; keys may repeat."""
    value = st.sampled_from(values)
    columns = {"a": value, "b": value, "c": st.sampled_from([1, 2, 3])}
    row = st.fixed_dictionaries({"id": st.integers(0, 30), "c": columns.pop("c")}, optional=columns)
    return st.lists(row, max_size=25)


ROWS = st.one_of(
    rows_of([1, 2, 3]),
    rows_of(["x", "y"]),
    rows_of(FLOATS),
    rows_of(FLOATS + OTHERS),
    rows_of(DECIMALS + OTHERS),
)


def _by_one(left: Collection[Any], right: Collection[Any]) -> Query[Any]:
    row = left.alias("row")
    low, high = min_(row.b), max_(row.b)
    return query(row).group_by(row.a).select(a=row.a, n=count(), s=sum_(row.b), low=low, high=high)


def _by_itself(left: Collection[Any], right: Collection[Any]) -> Query[Any]:
    row = left.alias("row")
    return query(row).group_by(row.a).select(a=row.a, low=min_(row.a), total=sum_(row.a))


def _by_two(left: Collection[Any], right: Collection[Any]) -> Query[Any]:
    row = left.alias("row")
    some = count().where(row.c > 1)
    grouped = query(row).group_by(row.a, row.c)
    return grouped.select(
        a=row.a, c=row.c, mean=avg(row.b), different=count_distinct(row.b), n=some
    )


def _counted(left: Collection[Any], right: Collection[Any]) -> Query[Any]:
    row = left.alias("row")
    return query(row).group_by(row.a, row.b).select(a=row.a, b=row.b, n=count())


def _of_all(left: Collection[Any], right: Collection[Any]) -> Query[Any]:
    row = left.alias("row")
    return query(row).select(n=count(), s=sum_(row.b), low=min_(row.b), high=max_(row.a))


def _distinct(left: Collection[Any], right: Collection[Any]) -> Query[Any]:
    row = left.alias("row")
    return query(row).select(a=row.a, b=row.b).distinct()


def _whole_rows(left: Collection[Any], right: Collection[Any]) -> Query[Any]:
    mapped = query(left.alias("row")).map(lambda row: (row["c"], row["id"] % 4))
    return query(mapped.alias("mapped")).distinct()


def _set_operation(
    combine: Callable[..., Query[Any]],
) -> Callable[[Collection[Any], Collection[Any]], Query[Any]]:
    def ask(left: Collection[Any], right: Collection[Any]) -> Query[Any]:
        first, second = left.alias("first"), right.alias("second")
        return combine(
            query(first).select(a=first.a, c=first.c), query(second).select(a=second.a, c=second.c)
        )

    return ask


def _joined(
    how: Literal["inner", "left"],
) -> Callable[[Collection[Any], Collection[Any]], Query[Any]]:
    def ask(left: Collection[Any], right: Collection[Any]) -> Query[Any]:
        first, second = left.alias("first"), right.alias("second")
        joined = query(first).join(second, on=first.a == second.b, how=how)
        return joined.select(one=first.id, other=second.id)

    return ask


def _to_primary_key(left: Collection[Any], right: Collection[Any]) -> Query[Any]:
    first, second = left.alias("first"), right.alias("second")
    joined = query(first).join(second, on=first.b == second.id, how="left")
    return joined.group_by(second.a).select(a=second.a, n=count(), most=max_(first.c))


def _to_two_primary_keys(
    how: Literal["inner", "left"],
) -> Callable[[Collection[Any], Collection[Any]], Query[Any]]:
    def ask(left: Collection[Any], right: Collection[Any]) -> Query[Any]:
        first, second, third = left.alias("first"), right.alias("second"), left.alias("third")
        joined = query(first).join(second, on=first.b == second.id)
        grouped = joined.join(third, on=second.a == third.id, how=how).group_by(first.a, third.b)
        both = max_(second.c + third.c)
        return grouped.select(a=first.a, b=third.b, n=count(), most=max_(second.b), both=both)

    return ask


def _three(left: Collection[Any], right: Collection[Any]) -> Query[Any]:
    first, second, third = left.alias("first"), right.alias("second"), left.alias("third")
    joined = query(first).join(second, on=first.c == second.id).join(third, on=second.a == third.a)
    return joined.select(one=first.id, two=second.b, other=third.c)


def _four(left: Collection[Any], right: Collection[Any]) -> Query[Any]:
    first, second, third = left.alias("first"), right.alias("second"), right.alias("third")
    fourth = left.alias("fourth")
    joined = query(first).join(second, on=first.a == second.a)
    joined = joined.join(third, on=second.c == third.id).join(fourth, on=third.b == fourth.b)
    grouped = joined.group_by(fourth.id)
    return grouped.select(id=fourth.id, n=count(), low=min_(first.c), high=max_(second.b))


QUESTIONS = [
    _by_one,
    _by_itself,
    _by_two,
    _counted,
    _of_all,
    _distinct,
    _whole_rows,
    _set_operation(union),
    _set_operation(intersect),
    _set_operation(except_),
    _joined("inner"),
    _joined("left"),
    _to_primary_key,
    _to_two_primary_keys("inner"),
    _to_two_primary_keys("left"),
    _three,
    _four,
]


def filled(rows: list[dict[str, Any]], *, at_once: bool) -> Collection[Any]:
    collection: Collection[Any] = Collection("rows", key="id")
    with collection.sync() as write:
        if at_once:
            write.insert_all(rows)
        else:
            for row in rows:
                write.insert(row)
    return collection


def look(result: LiveQuery[Any]) -> list[str]:
    """Return the rows in normal form: of equal ones, 0.0 and -0.0 say, a result keeps the one it has shown first."""
    return sorted(repr(normal(row)) for row in result.rows())


def same_start(
    ask: Callable[[Collection[Any], Collection[Any]], Query[Any]],
    left: list[dict[str, Any]],
    right: list[dict[str, Any]],
    *,
    at_once: bool,
) -> None:
    """Start late and early; then change rows, and take them out, so that what was loaded is all that is known."""
    early_left, early_right = filled([], at_once=False), filled([], at_once=False)
    with live(ask(early_left, early_right)) as early, ExitStack() as stack:
        for collection, rows in ((early_left, left), (early_right, right)):
            for row in rows:
                with collection.sync() as write:
                    write.insert(row)
        # of equal rows the first one stays, so what is loaded is what is there now
        late_left = filled(early_left.rows(), at_once=at_once)
        late_right = filled(early_right.rows(), at_once=at_once)
        late = stack.enter_context(live(ask(late_left, late_right)))
        assert look(late) == look(early)
        for rows, pair in ((left, (early_left, late_left)), (right, (early_right, late_right))):
            for row in rows[::2]:
                for collection in pair:
                    with collection.sync() as write:
                        write.update({**row, "c": 1 + row["c"] % 3})
                assert look(late) == look(early)
                for collection in pair:
                    with collection.sync() as write:
                        write.delete(row["id"])
                assert look(late) == look(early)


@settings(max_examples=max(20, settings().max_examples // 2))
@given(st.sampled_from(QUESTIONS), ROWS, ROWS, st.booleans())
def test_a_query_started_on_full_tables_equals_one_that_followed_them(
    ask: Callable[[Collection[Any], Collection[Any]], Query[Any]],
    left: list[dict[str, Any]],
    right: list[dict[str, Any]],
    at_once: bool,
) -> None:
    same_start(ask, left, right, at_once=at_once)


def test_a_group_over_joins_takes_in_more_rows_than_it_reads_at_a_time() -> None:
    total = 2 * PART + 1
    lines = filled([{"id": key, "order": key % 7} for key in range(total)], at_once=True)
    orders = filled([{"id": key, "user": key % 2} for key in range(6)], at_once=True)
    line, order = lines.alias("line"), orders.alias("order")
    user = filled([{"id": 0}], at_once=True).alias("user")
    joined = query(line).join(order, on=line.order == order.id).join(user, on=order.user == user.id)
    grouped = joined.group_by(line.order)
    with live(grouped.select(order=line.order, n=count(), s=sum_(line.id))) as result:
        ids = {key: range(key, total, 7) for key in (0, 2, 4)}
        assert sorted(result.rows(), key=lambda row: row["order"]) == [
            {"order": key, "n": len(found), "s": sum(found)} for key, found in ids.items()
        ]


@pytest.mark.parametrize(("orders", "kept"), [(9, False), (3, True), (0, True)])
def test_a_join_is_arranged_only_if_its_right_side_is_the_larger(orders: int, kept: bool) -> None:
    lines, users = Collection("lines", key="id"), filled([{"id": 1}], at_once=True)
    placed = filled([{"id": key, "user": 1} for key in range(4)], at_once=True)
    with lines.sync() as write:
        write.insert_all([{"id": key, "order": key % 4} for key in range(orders)])
    line, order, user = lines.alias("line"), placed.alias("order"), users.alias("user")
    joined = query(line).join(order, on=line.order == order.id).join(user, on=order.user == user.id)
    with live(joined.select(id=line.id)) as result:
        labels = [node.label for node in result.statistics().nodes]
        assert ("join" in labels, "join, join, select" in labels) == (kept, not kept)
        with users.sync() as write:
            write.delete(1)
        assert result.rows() == []
        with users.sync() as write:
            write.insert({"id": 1})
        assert sorted(row["id"] for row in result.rows()) == list(range(orders))
