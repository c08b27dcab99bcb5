"""Faults of grouping and its aggregates that were found by the laws."""

from __future__ import annotations

import pytest

from dataflow.circuit.graph import current_graph
from dataflow.collection.collection import Collection
from dataflow.errors import QueryError
from dataflow.live.live import live
from dataflow.query.aggregates import AggregateExpr, count, sum_
from dataflow.query.builder import query
from dataflow.query.expr import node_of, origins_of
from dataflow.query.scalar import Aggregate


def test_aggregate_with_a_condition_sees_only_the_rows_where_it_is_true() -> None:
    sales = Collection("sales", key="id")
    sale = sales.alias("sale")
    result = live(
        query(sale).select(
            n=count().where(sale.x > 1), total=sum_(sale.x).where(sale.x > 1), all=count()
        )
    )
    with sales.sync() as write:
        for number in range(4):
            write.insert({"id": number, "x": number})
    assert result.rows() == [{"n": 2, "total": 5, "all": 4}]


def test_query_that_cannot_run_is_refused_and_leaves_nothing_behind() -> None:
    sales = Collection("sales", key="id")
    sale, other = sales.alias("sale"), sales.alias("other")
    joined = query(sale).join(other, on=sale.k == other.id)
    before = current_graph().statistics().nodes
    unknown = AggregateExpr[int](Aggregate("mode", (node_of(other.x),)), origins_of(other.x))
    with pytest.raises(QueryError, match="mode"):
        live(joined.group_by(sale.k).select(k=sale.k, m=unknown))
    assert current_graph().statistics().nodes == before
