"""Faults of chains: filters, selects and maps fused into one node."""

from __future__ import annotations

from typing import Any

import pytest

from dataflow.collection.collection import Collection
from dataflow.errors import QueryError, UnknownFieldError
from dataflow.live.live import live
from dataflow.query.builder import query
from dataflow.query.functions import fn


def test_readers_of_a_subquery_share_the_calls_of_user_functions_in_it() -> None:
    calls: list[Any] = []

    def double(x: int) -> int:
        calls.append(x)
        return x * 2

    sales = Collection("sales", key="id")
    sale = sales.alias("sale")
    doubled = query(sale).select(id=sale.id, x=fn(double, sale.x)).alias("doubled")
    small = live(query(doubled).where(doubled.x < 5))
    large = live(query(doubled).where(doubled.x >= 5).select(doubled, large=doubled.x))
    with sales.sync() as write:
        for number in range(4):
            write.insert({"id": number, "x": number})
    assert calls == [0, 1, 2, 3]
    assert small.rows() == [{"id": n, "x": 2 * n} for n in (0, 1, 2)]
    assert large.rows() == [{"id": 3, "x": 6, "large": 6}]


def test_a_value_where_select_spreads_a_row_is_an_error_and_no_loss() -> None:
    source: Collection[dict[str, Any]] = Collection("source", key="id")
    with source.sync() as write:
        write.insert({"id": 1, "g": 0})
    row = source.alias("row")
    result = live(query(row).select(row.id, n=row.g))
    assert result.status == "error"
    assert "spreads the fields of a row, and 1 has none" in str(result.error)


def test_the_key_of_a_live_query_is_checked_against_the_columns() -> None:
    source: Collection[dict[str, Any]] = Collection("source", key="id")
    row = source.alias("row")
    with pytest.raises(UnknownFieldError, match="did you mean 'name'"):
        live(query(row).select(name=row.n), key="nam")
    with pytest.raises(QueryError, match="key= is a field"):
        live(query(row), key=3)  # type: ignore[arg-type]  # that is the question
