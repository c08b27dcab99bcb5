"""Recursive queries over a graph of three collections, for the tests that hold them to the oracles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataflow.collection.batch import batch
from dataflow.collection.collection import Collection
from dataflow.live.live import LiveQuery, live
from dataflow.query import ir
from dataflow.query.aggregates import count, max_
from dataflow.query.builder import Query, query
from dataflow.query.combining import union_all
from dataflow.query.functions import lit
from dataflow.query.recursion import recursive
from tests.laws.running import by_key, held
from tests.oracle import sqlite
from tests.oracle.reference import evaluate
from tests.oracle.semantics import same

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.collection.changes import Change
    from dataflow.query.alias import Alias
    from dataflow.query.source import Source

Rows = Query[dict[str, Any]]
Row = dict[str, Any]
NAMES = ("edges", "roots", "places")


@dataclass
class Graph:
    """Three collections, and what they should hold.

    Edges lead from `src` to `dst`; roots name a node; places are nodes with a number.
    """

    edges: Collection[Any] = field(default_factory=lambda: Collection("edges", key="id"))
    roots: Collection[Any] = field(default_factory=lambda: Collection("roots", key="id"))
    places: Collection[Any] = field(default_factory=lambda: Collection("places", key="id"))
    models: dict[str, dict[Any, Row]] = field(default_factory=lambda: {n: {} for n in NAMES})

    def commit(self, *writes: tuple[str, int, Row | None]) -> None:
        """Write rows (or delete them, by None) as one epoch."""
        with batch():
            for name, key, values in writes:
                with getattr(self, name).sync() as writer:
                    if values is None:
                        writer.delete(key)
                        self.models[name].pop(key, None)
                    else:
                        writer.upsert({"id": key, **values})
                        self.models[name][key] = {"id": key, **values}

    def tables(self) -> dict[ir.SourceRef, list[tuple[Any, Any]]]:
        return {ir.SourceRef(getattr(self, n)): list(self.models[n].items()) for n in NAMES}


def link(src: Any, dst: Any) -> Row:
    return {"src": src, "dst": dst}


def reachable(graph: Graph) -> Rows:
    root, edge = graph.roots.alias("root"), graph.edges.alias("edge")
    return recursive(
        query(root).select(node=root.node),
        lambda near: query(edge).join(near, on=edge.src == near.node).select(node=edge.dst),
    )


def reachable_from_the_other_side(graph: Graph) -> Rows:
    root, edge = graph.roots.alias("root"), graph.edges.alias("edge")
    return recursive(
        query(root).select(node=root.node),
        lambda near: query(near).join(edge, on=near.node == edge.src).select(node=edge.dst),
    )


def closure(graph: Graph) -> Rows:
    edge, more = graph.edges.alias("edge"), graph.edges.alias("more")
    return recursive(
        query(edge).select(src=edge.src, dst=edge.dst),
        lambda path: (
            query(path).join(more, on=path.dst == more.src).select(src=path.src, dst=more.dst)
        ),
    )


def closure_by_doubling(graph: Graph) -> Rows:
    edge = graph.edges.alias("edge")

    def doubled(path: Alias[Row]) -> Rows:
        more = query(path).alias("more")
        return query(path).join(more, on=path.dst == more.src).select(src=path.src, dst=more.dst)

    return recursive(query(edge).select(dst=edge.dst, src=edge.src), doubled)


def distances(graph: Graph) -> Rows:
    root, edge = graph.roots.alias("root"), graph.edges.alias("edge")
    return recursive(
        query(root).select(node=root.node, depth=lit(0)),
        lambda near: (
            query(edge)
            .join(near, on=edge.src == near.node)
            .where(near.depth < 4)
            .select(node=edge.dst, depth=near.depth + 1)
        ),
    )


def only_through_places(graph: Graph) -> Rows:
    root, edge = graph.roots.alias("root"), graph.edges.alias("edge")
    place = graph.places.alias("place")
    return recursive(
        query(root).select(node=root.node),
        lambda near: (
            query(edge)
            .join(place, on=edge.dst == place.id, how="semi")
            .join(near, on=edge.src == near.node)
            .select(node=edge.dst)
        ),
    )


def so_far_on_the_right_of_a_semi_join(graph: Graph) -> Rows:
    root, edge = graph.roots.alias("root"), graph.edges.alias("edge")
    return recursive(
        query(root).select(node=root.node),
        lambda near: (
            query(edge).join(near, on=edge.src == near.node, how="semi").select(node=edge.dst)
        ),
    )


def semi_joins_with_a_further_condition(graph: Graph) -> Rows:
    root, edge = graph.roots.alias("root"), graph.edges.alias("edge")
    place = graph.places.alias("place")

    def step(near: Alias[Row]) -> Rows:
        inside = query(near).join(
            place, on=(near.node == place.id) & (place.size > near.node), how="semi"
        )
        here = inside.select(node=near.node).alias("here")
        on = (edge.src == here.node) & (edge.dst != here.node)
        return query(edge).join(here, on=on, how="semi").select(node=edge.dst)

    return recursive(query(root).select(node=root.node), step)


def both_ways_and_a_constant_branch(graph: Graph) -> Rows:
    root, edge = graph.roots.alias("root"), graph.edges.alias("edge")
    place = graph.places.alias("place")
    return recursive(
        query(root).select(node=root.node),
        lambda near: union_all(
            query(edge).join(near, on=edge.src == near.node).select(node=edge.dst),
            query(near).join(edge, on=near.node == edge.dst).select(node=edge.src),
            query(place).where(place.size > 3).select(node=place.id),
        ),
    )


def over_the_farthest_edges(graph: Graph) -> Rows:
    root, edge = graph.roots.alias("root"), graph.edges.alias("edge")
    farthest = query(edge).group_by(edge.src).select(src=edge.src, dst=max_(edge.dst)).alias("far")
    return recursive(
        query(root).select(node=root.node),
        lambda near: (
            query(near).join(farthest, on=near.node == farthest.src).select(node=farthest.dst)
        ),
    )


def every_pair(graph: Graph) -> Rows:
    root, place = graph.roots.alias("root"), graph.places.alias("place")
    return recursive(
        query(root).select(node=root.node),
        lambda near: (
            query(near).join(place, how="cross").where(place.size > near.node).select(node=place.id)
        ),
    )


def counting(graph: Graph) -> Rows:
    root = graph.roots.alias("root")
    return recursive(
        query(root).select(n=root.node),
        lambda so_far: query(so_far).where(so_far.n < 4).select(n=so_far.n + 0.5),
    )


def nothing_new(graph: Graph) -> Rows:
    root = graph.roots.alias("root")
    return recursive(query(root).select(node=root.node), query)


def recursion_over_a_recursion(graph: Graph) -> Rows:
    place = graph.places.alias("place")
    hop = closure(graph).alias("hop")
    return recursive(
        query(place).select(node=place.id),
        lambda near: query(hop).join(near, on=hop.src == near.node).select(node=hop.dst),
    )


QUERIES: list[Callable[[Graph], Rows]] = [
    reachable,
    reachable_from_the_other_side,
    closure,
    closure_by_doubling,
    distances,
    only_through_places,
    so_far_on_the_right_of_a_semi_join,
    semi_joins_with_a_further_condition,
    both_ways_and_a_constant_branch,
    over_the_farthest_edges,
    every_pair,
    counting,
    nothing_new,
    recursion_over_a_recursion,
]
IN_SQL = {
    "reachable",
    "reachable_from_the_other_side",
    "closure",
    "distances",
    "only_through_places",
    "over_the_farthest_edges",
    "every_pair",
    "counting",
    "recursion_over_a_recursion",
}


def threads(messages: Source[Any]) -> Rows:
    root, reply = messages.alias("root"), messages.alias("reply")
    thread = recursive(
        query(root)
        .where(root.parent_id.is_null())
        .select(id=root.id, root_id=root.id, depth=lit(0)),
        lambda parent: (
            query(reply)
            .join(parent, on=reply.parent_id == parent.id)
            .select(id=reply.id, root_id=parent.root_id, depth=parent.depth + 1)
        ),
        max_rounds=1_000,
    ).alias("thread")
    return (
        query(thread)
        .group_by(thread.root_id)
        .select(root_id=thread.root_id, replies=count() - 1, depth=max_(thread.depth))
    )


class Watched:
    """A live query with the fold of its changes, compared with the oracles."""

    def __init__(self, graph: Graph, asked: Query[Any]) -> None:
        self.graph = graph
        self.tree = asked._plan()
        self.result: LiveQuery[Any] = live(asked)
        self.folded: dict[Any, Any] = dict(held(self.result))
        self.subscription = self.result.subscribe(self.fold)

    def fold(self, changes: list[Change[Any]]) -> None:
        assert len({change.key for change in changes}) == len(changes)
        for op, key, value, old in changes:
            assert self.folded.get(key) == old or op == "delete"
            assert (key in self.folded) is (op != "insert")
            if op == "delete":
                del self.folded[key]
            else:
                self.folded[key] = value

    def check(self, *, in_sql: bool = False) -> None:
        expected = by_key(evaluate(self.tree, self.graph.tables()))
        assert self.result.status == "ready"
        assert same(by_key(held(self.result)), expected)
        assert same(by_key(list(self.folded.items())), expected)
        if in_sql:
            assert same(by_key(sqlite.evaluate(self.tree, self.graph.tables())), expected)
