"""What the step of a recursion may do where the result so far is not read; `refused.recursions` has the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dataflow.collection.collection import Collection
from dataflow.errors import QueryError
from dataflow.live.live import run
from dataflow.query.builder import query
from dataflow.query.functions import fn
from dataflow.query.recursion import recursive
from tests.dataflow.query.recursions import Graph, Row, Rows, Watched, link

if TYPE_CHECKING:
    from dataflow.query.alias import Alias

edges: Collection[Any] = Collection("edges", key="id")
edge, other = edges.alias("edge"), edges.alias("other")
seed = query(edge).select(src=edge.src, dst=edge.dst)
anything: Any = recursive


def onward(path: Alias[Row]) -> Rows:
    return query(path).join(other, on=path.dst == other.src).select(src=path.src, dst=other.dst)


def test_functions_and_orders_are_welcome_where_the_result_so_far_is_not_read() -> None:
    newest = query(other).filter(lambda row: row["src"] != 3).order_by(other.id.desc()).limit(2)
    kept = newest.select(src=other.src, dst=fn(lambda value: value * 10, other.dst)).alias("kept")
    graph = Graph(edges=edges)
    graph.commit(("edges", 0, link(0, 1)), ("edges", 1, link(1, 2)), ("edges", 2, link(3, 4)))
    found = recursive(
        seed,
        lambda path: (
            query(path).join(kept, on=path.dst == kept.src).select(src=path.src, dst=kept.dst)
        ),
    )
    watched = Watched(graph, found)
    watched.check()
    graph.commit(("edges", 2, link(1, 4)), ("edges", 3, None))
    watched.check()
    watched.subscription.close()


def test_an_alias_that_leaves_its_step_is_refused() -> None:
    kept: list[Alias[Row]] = []

    def step(path: Alias[Row]) -> Rows:
        kept.append(path)
        return onward(path)

    recursive(seed, step)
    with pytest.raises(QueryError) as caught:
        run(query(kept[0]))
    assert str(caught.value) == "the alias of a recursion is used outside of its step"
