"""A condition that stands before a call of a user function keeps rows from it, however the two are written."""

from __future__ import annotations

from typing import Any

import pytest

from dataflow.collection.collection import Collection
from dataflow.live.live import live
from dataflow.query.aggregates import max_
from dataflow.query.builder import Query, query
from dataflow.query.functions import fn

Rows = Collection[dict[str, Any]]


def number(text: str) -> int:
    return int(text)


def two_calls(rows: Rows) -> Query[Any]:
    row = rows.alias("row")
    return query(row).where(row.kind == "number").where(fn(number, row.text) > 1)


def one_call(rows: Rows) -> Query[Any]:
    row = rows.alias("row")
    return query(row).where(row.kind == "number", fn(number, row.text) > 1)


def one_expression(rows: Rows) -> Query[Any]:
    row = rows.alias("row")
    return query(row).where((row.kind == "number") & (fn(number, row.text) > 1))


@pytest.mark.parametrize("make", [two_calls, one_call, one_expression])
def test_a_row_that_an_earlier_condition_rejects_does_not_reach_the_function(make: Any) -> None:
    rows: Rows = Collection("rows", key="id")
    with rows.sync() as write:
        write.insert({"id": 1, "kind": "number", "text": "12"})
        write.insert({"id": 2, "kind": "word", "text": "twelve"})
    result = live(make(rows))
    with rows.sync() as write:
        write.insert({"id": 3, "kind": "word", "text": "three"})
        write.insert({"id": 4, "kind": "number", "text": "1"})
    assert (result.status, list(result)) == ("ready", [1])


def test_a_condition_on_groups_keeps_them_from_the_function_behind_it() -> None:
    rows: Rows = Collection("rows", key="id")
    row = rows.alias("row")
    with rows.sync() as write:
        write.insert({"id": 1, "kind": "number", "text": "12"})
        write.insert({"id": 2, "kind": "word", "text": "twelve"})
    largest = fn(number, max_(row.text))
    groups = query(row).group_by(row.kind).having(row.kind == "number", largest > 1)
    result = live(groups.select(kind=row.kind, largest=largest))
    assert (result.status, result.rows()) == ("ready", [{"kind": "number", "largest": 12}])
