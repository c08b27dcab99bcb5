"""Recursive queries: after every epoch the smallest set that holds the seed and what the step derives.

Compared with the reference evaluator, which applies the step to everything until nothing is new, and
with SQLite where it can say the same; over graphs with cycles that grow and shrink.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.circuit.graph import current_graph
from dataflow.collection.collection import Collection
from dataflow.errors import QueryError
from dataflow.live.explain import explain
from dataflow.live.live import LiveQuery, live, run
from dataflow.query.builder import query
from dataflow.query.functions import lit
from dataflow.query.recursion import recursive
from dataflow.testing.incremental import assert_incremental
from tests.dataflow.query.recursions import (
    IN_SQL,
    QUERIES,
    Graph,
    Row,
    Rows,
    Watched,
    link,
    reachable,
    threads,
)
from tests.laws.running import by_key, held

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.query.alias import Alias

nodes = st.one_of(st.integers(0, 5), st.sampled_from([1.0, None, "x"]))
writes = st.one_of(
    st.tuples(st.just("edges"), st.integers(0, 9), st.none() | st.builds(link, nodes, nodes)),
    st.tuples(
        st.just("roots"), st.integers(0, 2), st.none() | st.fixed_dictionaries({"node": nodes})
    ),
    st.tuples(
        st.just("places"),
        st.integers(0, 5),
        st.none() | st.fixed_dictionaries({"size": st.integers(0, 6)}),
    ),
)
histories = st.lists(st.lists(writes, min_size=1, max_size=5), min_size=1, max_size=8)


@given(histories)
def test_every_epoch_agrees_with_the_naive_fixpoint(history: list[list[Any]]) -> None:
    graph = Graph()
    watched = [Watched(graph, asked(graph)) for asked in QUERIES]
    for commit in history:
        graph.commit(*commit)
        for each in watched:
            each.check()
    for each in watched:
        each.subscription.close()


@pytest.mark.parametrize("asked", QUERIES)
def test_dense_graphs_that_grow_and_shrink(asked: Callable[[Graph], Rows]) -> None:
    graph, rng = Graph(), random.Random(asked.__name__)
    graph.commit(("edges", 0, link(0, 1)), ("roots", 0, {"node": 0}), ("places", 1, {"size": 3}))
    watched = Watched(graph, asked(graph))
    for number in range(80):
        shrinks = (number // 16) % 2
        graph.commit(*(random_write(rng, shrinks=shrinks) for _ in range(rng.choice((1, 1, 2, 4)))))
        watched.check(in_sql=asked.__name__ in IN_SQL)
    watched.subscription.close()


def random_write(rng: random.Random, *, shrinks: int) -> tuple[str, int, Row | None]:
    name = rng.choice(("edges", "edges", "edges", "roots", "places"))
    if rng.random() < (0.7 if shrinks else 0.2):
        return name, rng.randrange({"edges": 12, "roots": 2, "places": 6}[name]), None
    if name == "edges":
        return name, rng.randrange(12), link(rng.randrange(6), rng.randrange(6))
    if name == "roots":
        return name, rng.randrange(2), {"node": rng.randrange(6)}
    return name, rng.randrange(6), {"size": rng.randrange(7)}


# -- what it means, in small


def nodes_of(result: LiveQuery[Row]) -> list[Any]:
    return sorted(row["node"] for row in result.rows())


def test_a_cycle_does_not_keep_itself_alive() -> None:
    graph = Graph()
    graph.commit(
        ("roots", 0, {"node": 0}),
        *(("edges", n, link(*pair)) for n, pair in enumerate([(0, 1), (1, 2), (2, 1), (2, 2)])),
    )
    result = live(reachable(graph))
    assert nodes_of(result) == [0, 1, 2]
    graph.commit(("edges", 0, None))
    assert nodes_of(result) == [0]


def test_a_second_way_keeps_a_node_and_tells_nobody() -> None:
    graph = Graph()
    diamond = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)]
    graph.commit(
        ("roots", 0, {"node": 0}), *(("edges", n, link(*pair)) for n, pair in enumerate(diamond))
    )
    result = live(reachable(graph))
    kept = result[(4,)]
    heard: list[Any] = []
    with result.subscribe(heard.append):
        graph.commit(("edges", 2, None))
        assert nodes_of(result) == [0, 1, 2, 3, 4]
        graph.commit(("edges", 3, None), ("edges", 7, link(1, 3)))
        assert nodes_of(result) == [0, 1, 2, 3, 4]
    assert heard == []
    assert result[(4,)] is kept


def test_rows_are_known_by_their_columns_and_shown_in_normal_form() -> None:
    graph = Graph()
    graph.commit(
        ("roots", 0, {"node": 1.0}), ("edges", 0, link(1, None)), ("edges", 1, link(1, -0.0))
    )
    result = live(reachable(graph))
    assert sorted(map(repr, held(result))) == [
        "((0,), {'node': 0})",
        "((1,), {'node': 1})",
        "((None,), {'node': None})",
    ]


@dataclass(frozen=True)
class Person:
    id: int
    boss: int | None


def test_a_source_of_objects_can_be_the_seed() -> None:
    people = Collection("people", row=Person, key="id")
    with people.sync() as writer:
        for person in (Person(1, None), Person(2, 1)):
            writer.insert(person)
    other = people.alias("other")
    chain = recursive(
        people,
        lambda below: (
            query(other).join(below, on=other.id == below.boss).select(id=below.id, boss=other.boss)
        ),
    )
    assert by_key(held(live(chain))) == [
        ((1, None), {"id": 1, "boss": None}),
        ((2, None), {"id": 2, "boss": None}),
        ((2, 1), {"id": 2, "boss": 1}),
    ]
    assert (chain.columns, chain.row_type) == (("id", "boss"), dict)


def test_equal_recursions_run_once_and_end_together() -> None:
    graph = Graph()
    graph.commit(("roots", 0, {"node": 0}), ("edges", 0, link(0, 1)))
    before = current_graph().statistics().nodes
    with live(reachable(graph)) as first, live(reachable(graph)) as second:
        assert first.last_node is second.last_node
        assert first.statistics().rows_held > 0
    assert current_graph().statistics().nodes == before


# -- threads of replies


def message(key: int, parent: int | None, text: str = "") -> Row:
    return {"id": key, "parent_id": parent, "text": text}


def test_threads_of_replies() -> None:
    messages = Collection[Row]("messages", key="id")
    parents = {1: None, 2: 1, 3: 1, 4: 3, 5: None, 6: 6}
    with messages.sync() as writer:
        for key, parent in parents.items():
            writer.insert(message(key, parent))
    result = live(threads(messages))
    one: Row = {"root_id": 1, "replies": 3, "depth": 2}
    assert result.rows() == [one, {"root_id": 5, "replies": 0, "depth": 0}]
    with messages.sync() as writer:
        writer.update(message(3, 5))
    assert by_key(held(result)) == [
        (1, {"root_id": 1, "replies": 1, "depth": 1}),
        (5, {"root_id": 5, "replies": 2, "depth": 2}),
    ]
    with messages.sync() as writer:
        writer.update(message(5, 4))  # a cycle that no root reaches
    assert held(result) == [(1, {"root_id": 1, "replies": 1, "depth": 1})]


def test_threads_stay_right_under_random_changes() -> None:
    messages = Collection[Row]("messages", key="id")
    rng = random.Random(5)
    rows = [message(n, rng.choice([None, *range(12)])) for n in range(12)]
    assert_incremental(threads(messages), (messages, rows), steps=150, seed=3)


def forest(size: int) -> Collection[Row]:
    """Return threads of ten messages: a root, and a chain below it."""
    messages = Collection[Row]("messages", key="id")
    with messages.sync() as writer:
        for key in range(size):
            writer.insert(message(key, None if key % 10 == 0 else key - 1))
    return messages


def work(size: int) -> list[int]:
    """Return the rows touched by each of some commits to a forest."""
    messages = forest(size)
    touched: list[int] = []
    with live(threads(messages)) as result:
        for key, row in (
            (size, message(size, 9)),  # a reply to the end of a thread
            (size + 1, message(size + 1, None)),  # a thread begins
            (5, message(5, 4, "edited")),
            (5, message(5, 20)),  # half a thread moves to another one
            (20, None),  # a root goes, and its thread with it
            (9, None),  # a reply goes that nothing can be read under
        ):
            before = result.statistics().rows_touched
            with messages.sync() as writer:
                writer.delete(key) if row is None else writer.upsert(row)
            touched.append(result.statistics().rows_touched - before)
    return touched


def test_work_follows_the_thread_and_not_the_number_of_messages() -> None:
    small = work(1_000)
    assert work(100_000) == small
    reply, _, edit, *_ = small
    assert reply < 20
    assert edit < 20
    assert max(small) < 300


def test_what_the_seed_has_is_not_taken_out() -> None:
    graph = Graph()
    graph.commit(
        ("roots", 0, {"node": 0}), *(("edges", n, link(n, (n + 1) % 100)) for n in range(100))
    )
    with live(reachable(graph)) as result:
        before = result.statistics().rows_touched
        graph.commit(("edges", 99, None))  # the edge that leads back to the root
        assert result.statistics().rows_touched - before < 20


# -- recursions that fail


def endless(graph: Graph, rounds: int) -> Rows:
    root, edge = graph.roots.alias("root"), graph.edges.alias("edge")
    return recursive(
        query(root).select(node=root.node, depth=lit(0)),
        lambda near: (
            query(edge)
            .join(near, on=edge.src == near.node)
            .select(node=edge.dst, depth=near.depth + 1)
        ),
        max_rounds=rounds,
    )


def test_too_many_rounds_are_an_error_until_the_data_change() -> None:
    graph = Graph()
    graph.commit(("roots", 0, {"node": 0}), ("edges", 0, link(0, 1)))
    watched = Watched(graph, endless(graph, 50))
    good = held(watched.result)
    graph.commit(("edges", 1, link(1, 0)))
    assert watched.result.status == "error"
    assert held(watched.result) == good
    assert isinstance(watched.result.error, QueryError)
    assert str(watched.result.error) == "recursion found new rows in more than max_rounds=50 rounds"
    assert "never ends on a cycle" in watched.result.error.__notes__[0]
    graph.commit(("edges", 2, link(1, 2)))
    assert watched.result.status == "error"
    assert held(watched.result) == good
    graph.commit(("edges", 1, None))
    watched.check()
    graph.commit(("edges", 0, None))
    watched.check()
    watched.subscription.close()


def test_the_step_may_be_applied_to_new_rows_so_many_times() -> None:
    graph = Graph()
    graph.commit(("roots", 0, {"node": 0}), *(("edges", n, link(n, n + 1)) for n in range(5)))
    assert [row["depth"] for row in run(endless(graph, 5))] == [0, 1, 2, 3, 4, 5]
    with pytest.raises(QueryError, match="max_rounds=4 rounds"):
        run(endless(graph, 4))


def test_a_failed_recursion_leaves_what_else_reads_its_sources_alone() -> None:
    graph = Graph()
    graph.commit(("roots", 0, {"node": 0}), ("edges", 0, link(0, 1)))
    broken = live(endless(graph, 10))
    watched = Watched(graph, reachable(graph))
    graph.commit(("edges", 1, link(1, 0)), ("edges", 2, link(1, 2)))
    assert broken.status == "error"
    watched.check()
    watched.subscription.close()


@dataclass(frozen=True)
class Moody:
    """An edge that cannot always be read."""

    id: int
    src: int
    dst: int

    def __getattribute__(self, name: str) -> Any:
        if name == "dst" and object.__getattribute__(self, "id") == 13:
            raise RuntimeError("not today")
        return object.__getattribute__(self, name)


def test_a_failure_inside_the_loop_is_over_when_the_row_is_gone() -> None:
    graph, moods = Graph(), Collection("moods", row=Moody, key="id")
    graph.commit(("roots", 0, {"node": 0}), ("places", 1, {"size": 9}))
    root, mood, place = graph.roots.alias("root"), moods.alias("mood"), graph.places.alias("place")

    def step(near: Alias[Row]) -> Rows:
        on = mood.src == near.node
        hop = query(near).join(mood, on=on).select(node=mood.dst).alias("hop")
        fits = (hop.node == place.id) & (place.size > hop.node)
        return query(hop).join(place, on=fits, how="semi").select(node=hop.node)

    result = live(recursive(query(root).select(node=root.node), step))
    with moods.sync() as writer:
        writer.insert(Moody(1, 0, 1))
    assert nodes_of(result) == [0, 1]
    with moods.sync() as writer:
        writer.insert(Moody(13, 1, 0))
    assert (result.status, str(result.error), nodes_of(result)) == ("error", "not today", [0, 1])
    with moods.sync() as writer:
        writer.delete(13)
        writer.delete(1)
    assert (result.status, nodes_of(result)) == ("ready", [0])


def test_explain_shows_seed_step_and_what_the_loop_runs() -> None:
    edges = Collection[Row]("edges", key="id")
    edge, other = edges.alias("edge"), edges.alias("other")
    text = explain(
        recursive(
            query(edge).select(src=edge.src, dst=edge.dst),
            lambda path: (
                query(path)
                .join(other, on=path.dst == other.src)
                .select(src=path.src, dst=other.dst)
            ),
            max_rounds=9,
        )
    )
    assert (
        text
        == """\
query
  as recursive
    recursive src, dst, at most 9 rounds: seed, step
      select src=edge.src, dst=edge.dst
        scan edges as edge
      select src=recursive.src, dst=other.dst
        inner join on recursive.dst == other.src
          as recursive
            rows so far
          scan edges as other

optimized
  as recursive
    recursive src, dst, at most 9 rounds: seed, step
      select src=edge.src, dst=edge.dst
        scan edges as edge
      select src=recursive.src, dst=other.dst
        inner join on recursive.dst == other.src
          as recursive
            rows so far
          reads other.dst, other.src
            scan edges as other

plan
   0  source edges
        delta  id -> edge
   1  select src=edge.src, dst=edge.dst <- 0
        delta  id -> {src, dst}
   2  arrangement by src <- 0
   3  recursive src, dst, at most 9 rounds: seed, step <- 1, 0, 2
        delta  (src, dst) -> {src, dst}
        costs  what loses a derivation goes, with all that follows from it, and comes back if it
               has another
        round  a  arrangement by dst <- rows so far
               b  pairs that match: select src=recursive.src, dst=other.dst <- rows so far, 0,
                  a, 2"""
    )
