"""Faults of joins that were found by the laws."""

from __future__ import annotations

import math
from typing import Any

from dataflow.collection.collection import Collection
from dataflow.live.live import live
from dataflow.query.aggregates import count
from dataflow.query.builder import query


def filled(*rows: dict[str, Any]) -> Collection[dict[str, Any]]:
    collection = Collection("c", key="id")
    with collection.sync() as write:
        for row in rows:
            write.insert(row)
    return collection


def test_left_row_that_moves_from_unmatched_to_unmatched_is_one_update() -> None:
    rows, others = filled({"id": 1, "k": 1}), filled()
    left, right = rows.alias("left"), others.alias("right")
    result = live(query(left).join(right, on=left.k == right.k, how="left"))
    deliveries: list[Any] = []
    with result.subscribe(deliveries.append), rows.sync() as write:
        write.update({"id": 1, "k": 2})
    assert [[change.op for change in changes] for changes in deliveries] == [["update"]]
    assert result.rows() == [{"left": {"id": 1, "k": 2}, "right": None}]


def test_unmatched_row_of_a_left_self_join_leaves_its_old_group() -> None:
    rows = filled({"id": 4})
    left, right = rows.alias("left"), rows.alias("right")
    joined = query(left).join(right, on=(left.id == right.k) & (left.k == right.id), how="left")
    result = live(joined.group_by(left.x).select(x=left.x, n=count()))
    with rows.sync() as write:
        write.update({"id": 4, "k": 2, "x": 0.5})
    assert dict(result) == {0.5: {"x": 0.5, "n": 1}}


def test_self_join_on_nan_keeps_one_row_per_pair_when_another_field_changes() -> None:
    rows = filled({"id": 1, "k": math.nan})
    left, right = rows.alias("left"), rows.alias("right")
    joined = query(left).join(right, on=left.k == right.k)
    result = live(joined.group_by(left.id).select(n=count()))
    with rows.sync() as write:
        write.update({"id": 1, "k": math.nan, "s": "changed"})
    assert dict(result) == {1: {"n": 1}}
