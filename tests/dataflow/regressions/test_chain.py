"""Faults of chains: filters, selects and maps fused into one node."""

from __future__ import annotations

from typing import Any

from dataflow.collection.collection import Collection
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
