"""Starting a query on full tables equals following them from the first row on, whatever the values are."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.collection.collection import Collection
from dataflow.live.live import live
from dataflow.query.aggregates import avg, count, count_distinct, max_, min_, sum_
from dataflow.query.builder import query
from dataflow.query.combining import except_, intersect, union

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


def _joined(how: str) -> Callable[[Collection[Any], Collection[Any]], Query[Any]]:
    def ask(left: Collection[Any], right: Collection[Any]) -> Query[Any]:
        first, second = left.alias("first"), right.alias("second")
        joined = query(first).join(second, on=first.a == second.b, how=how)
        return joined.select(one=first.id, other=second.id)

    return ask


def _to_primary_key(left: Collection[Any], right: Collection[Any]) -> Query[Any]:
    first, second = left.alias("first"), right.alias("second")
    joined = query(first).join(second, on=first.b == second.id, how="left")
    return joined.group_by(second.a).select(a=second.a, n=count(), most=max_(first.c))


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
    return sorted(map(repr, result.rows()))


def same_start(
    ask: Callable[[Collection[Any], Collection[Any]], Query[Any]],
    left: list[dict[str, Any]],
    right: list[dict[str, Any]],
    *,
    at_once: bool,
) -> None:
    """Start late and early, and then take rows out again, so that what was loaded is all that is known."""
    early_left, early_right = filled([], at_once=False), filled([], at_once=False)
    late_left, late_right = filled(left, at_once=at_once), filled(right, at_once=at_once)
    with live(ask(early_left, early_right)) as early, live(ask(late_left, late_right)) as late:
        for collection, rows in ((early_left, left), (early_right, right)):
            for row in rows:
                with collection.sync() as write:
                    write.insert(row)
        assert look(late) == look(early)
        for row in left[::2]:
            for collection in (early_left, late_left):
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
