"""Faults of the routing of changes to conditions that were found by the laws."""

from __future__ import annotations

from typing import Any

from dataflow.collection.collection import Collection
from dataflow.live.live import live
from dataflow.query.aggregates.named import count
from dataflow.query.builder import query
from dataflow.query.functions.containers import keys


def test_a_condition_on_a_field_of_a_joined_row_can_be_routed() -> None:
    rows: Collection[dict[str, Any]] = Collection("rows", key="id")
    left, right = rows.alias("left"), rows.alias("right")
    pair = query(left).join(right, on=left.k == right.id, how="left").alias("pair")
    result = live(query(pair).where(pair.left["s"] == "a").select(id=pair.left["id"]))
    with rows.sync() as write:
        write.insert({"id": 1, "k": 2, "s": "a"})
        write.insert({"id": 2, "k": 1, "s": "b"})
    assert result.rows() == [{"id": 1}]


def test_a_condition_on_an_item_of_a_computed_column_can_be_routed() -> None:
    rows: Collection[dict[str, Any]] = Collection("rows", key="id")
    row = rows.alias("row")
    group = query(row).group_by(row.k).select(k=row.k, n=count()).order_by(row.k).limit(9)
    large = group.alias("large")
    result = live(query(large).where(keys(large.k)[0] >= "b").select(n=large.n))
    with rows.sync() as write:
        write.insert({"id": 1, "k": {"a": 1}})
        write.insert({"id": 2, "k": {"b": 1}})
    assert result.rows() == [{"n": 1}]
