"""Faults of recursion that were found by the laws."""

from __future__ import annotations

from typing import Any

from dataflow.collection.collection import Collection
from dataflow.live.live import LiveQuery, live
from dataflow.query.builder import query
from dataflow.query.functions import lit
from dataflow.query.recursion import recursive


def filled(name: str, *rows: dict[str, Any]) -> Collection[dict[str, Any]]:
    collection = Collection(name, key="id")
    with collection.sync() as write:
        for row in rows:
            write.insert(row)
    return collection


def reached(seeds: Collection[Any], edges: Collection[Any]) -> LiveQuery[Any]:
    """Follow edges from k to id; seeds have a column of their own."""
    seed, edge = seeds.alias("seed"), edges.alias("edge")
    return live(
        recursive(
            query(seed).select(node=seed.id, of=seed.x),
            lambda near: (
                query(edge)
                .join(near, on=edge.k == near.node, how="semi")
                .select(node=edge.id, of=lit(0))
            ),
        )
    )


def test_a_semi_join_does_not_keep_a_row_that_only_follows_from_itself_any_more() -> None:
    edges = filled("edges", {"id": 2, "k": 3})
    result = reached(filled("seeds", {"id": 3, "x": 0}), edges)
    with edges.sync() as write:
        write.update({"id": 2, "k": 2})
    assert result.rows() == [{"node": 3, "of": 0}]


def test_a_semi_join_tells_of_a_lost_match_although_another_one_is_left() -> None:
    seeds = filled("seeds", {"id": 3, "x": 7})
    result = reached(seeds, filled("edges", {"id": 2, "k": 3}, {"id": 3, "k": 2}))
    assert result.rows() == [
        {"node": 3, "of": 7},
        {"node": 2, "of": 0},
        {"node": 3, "of": 0},
    ]
    with seeds.sync() as write:
        write.delete(3)
    assert result.rows() == []
