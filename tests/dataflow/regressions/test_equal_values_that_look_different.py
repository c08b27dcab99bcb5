"""A value replaced by an equal one of another look, 1 by 1.0, is no news, and yet taken out later as what it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dataflow.collection.collection import Collection
from dataflow.live.effect import effect
from dataflow.live.live import live
from dataflow.query.aggregates import aggregate, max_, median
from dataflow.query.builder import Query, query
from dataflow.query.combining import union_all
from dataflow.query.nesting import nested
from dataflow.query.unnesting import unnest

Rows = Collection[dict[str, Any]]
NOTHING: tuple[str, ...] = ()


def put(rows: Rows, key: int, value: Any, other: int) -> None:
    """Write a row whose other column changes with every call."""
    with rows.sync() as write:
        write.upsert({"id": key, "x": value, "list": [value], "other": other})


def through_select(rows: Rows) -> Query[Any]:
    row = rows.alias("row")
    part = query(row).select(x=row.x).alias("part")
    return query(part).select(max=max_(part.x), median=median(part.x))


def through_user_aggregate(rows: Rows) -> Query[Any]:
    row = rows.alias("row")
    part = query(row).select(x=row.x).alias("part")
    return query(part).select(looks=aggregate(part.x, NOTHING, with_look, without_look))


def with_look(seen: tuple[str, ...], x: Any) -> tuple[str, ...]:
    return (*seen, repr(x))


def without_look(seen: tuple[str, ...], x: Any) -> tuple[str, ...]:
    at = seen.index(repr(x))
    return (*seen[:at], *seen[at + 1 :])


def through_join(rows: Rows) -> Query[Any]:
    row, each = rows.alias("row"), rows.alias("each")
    part = query(row).select(x=row.x).alias("part")
    return query(each).join(part, on=part.x == each.id).select(max=max_(part.x))


def through_unnest(rows: Rows) -> Query[Any]:
    row = rows.alias("row")
    element = unnest(query(row).select(x=row.list), "x").alias("element")
    return query(element).select(max=max_(element.x))


def through_nested(rows: Rows) -> Query[Any]:
    row, child = rows.alias("row"), rows.alias("child")
    largest = query(child).where(child.x == row.id).select(max=max_(child.x)).one()
    return query(row).select(id=row.id, max=nested(largest)["max"])


QUERIES = [through_select, through_user_aggregate, through_join, through_unnest, through_nested]
LOOKS = [(1, 1.0), (1.0, 1), (1, Decimal("1.0")), (Decimal(1), Decimal("1.00"))]


@pytest.mark.parametrize(("before", "after"), LOOKS)
@pytest.mark.parametrize("make", QUERIES)
def test_a_group_takes_out_what_it_took_in(make: Any, before: Any, after: Any) -> None:
    rows: Rows = Collection("rows", key="id")
    result = live(make(rows))
    put(rows, 1, before, 0)
    put(rows, 2, before, 0)
    put(rows, 2, after, 1)
    put(rows, 2, 1000, 2)
    fresh: Rows = Collection("rows", key="id")
    put(fresh, 1, before, 0)
    put(fresh, 2, 1000, 0)
    assert (result.status, repr(result.rows())) == ("ready", repr(live(make(fresh)).rows()))


def joined(rows: Rows) -> Query[Any]:
    row, each = rows.alias("row"), rows.alias("each")
    part = query(row).select(x=row.x).alias("part")
    side = query(each).select(y=each.x).alias("side")
    return query(part).join(side, on=part.x == side.y)


def stacked(rows: Rows) -> Query[Any]:
    row, each = rows.alias("row"), rows.alias("each")
    return union_all(query(row).select(x=row.x), query(each).select(x=each.x))


def selected_again(rows: Rows) -> Query[Any]:
    row = rows.alias("row")
    part = query(row).select(x=row.x).alias("part")
    return query(part).select(x=part.x)


def elements(rows: Rows) -> Query[Any]:
    row = rows.alias("row")
    return unnest(query(row).select(x=row.list), "x")


@pytest.mark.parametrize("make", [joined, stacked, selected_again, elements])
def test_nobody_is_told_of_a_value_that_looks_different(make: Any) -> None:
    rows: Rows = Collection("rows", key="id")
    told: list[Any] = []
    result = live(make(rows))
    put(rows, 1, 1, 0)
    put(rows, 2, 2, 0)
    with (
        result.subscribe(told.append),
        effect(make(rows), on_batch=told.append, skip_initial=True),
    ):
        put(rows, 1, 1.0, 1)
        assert told == []
        put(rows, 1, 3, 2)
        assert len(told) == 2
