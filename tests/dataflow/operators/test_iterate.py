"""Iterate against least fixpoints found from scratch, on graphs that grow and shrink and have cycles."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dataflow.errors import CollectionError
from dataflow.operators.circuit import Circuit
from dataflow.zset import ZSet
from tests.dataflow.operators.definitions import (
    Bag,
    as_set,
    join,
    least_fixpoint,
    semijoin,
)
from tests.dataflow.operators.running import Epoch, assert_incremental, histories

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.operators.stream import DeltaStream

NODES: tuple[Any, ...] = (0, 1, 2, 3, True, None, "a", [0])

Graph = dict[int, set[int]]


def source_of(edge: Any) -> Any:
    return edge[0]


def target_of(edge: Any) -> Any:
    return edge[1]


def itself(node: Any) -> Any:
    return node


def edges() -> st.SearchStrategy[Any]:
    node = st.sampled_from(NODES)
    return st.tuples(node, node)


def roots_and_edges() -> st.SearchStrategy[list[Epoch]]:
    edge_histories = histories(1, edges())
    root_histories = histories(1, st.sampled_from(NODES))
    return st.builds(
        lambda roots, edges: [(r[0], e[0]) for r, e in zip(roots, edges, strict=False)],
        root_histories,
        edge_histories,
    )


def reachable(roots: DeltaStream[Any], edges: DeltaStream[Any]) -> DeltaStream[Any]:
    return roots.iterate(
        lambda found: found.join(
            edges, left_key=itself, right_key=source_of, into=lambda _, edge: edge[1]
        )
    )


def reachable_by_definition(roots: Bag, edges: Bag) -> Bag:
    return least_fixpoint(
        roots,
        lambda found: [
            (edge[1], 1) for (_, edge), _ in join(found, as_set(edges), itself, source_of)
        ],
    )


@given(roots_and_edges())
@example([([(0, 1)], [((0, 1), 1), ((1, 2), 1), ((2, 1), 1)]), ([], [((0, 1), -1)])])
@example([([(0, 1)], [((0, 1), 1), ((1, 2), 1)]), ([], [((0, 1), -1), ((2, 1), 1)])])
def test_rows_reached_over_edges(history: list[Epoch]) -> None:
    assert_incremental(reachable, reachable_by_definition, history)


@given(histories(1, edges()))
def test_both_sides_of_a_join_may_be_the_rows_found(history: list[Epoch]) -> None:
    """Transitive closure by doubling: not linear in the variable."""
    assert_incremental(
        lambda edges: edges.iterate(
            lambda paths: paths.join(
                paths, left_key=target_of, right_key=source_of, into=lambda a, b: (a[0], b[1])
            )
        ),
        lambda edges: least_fixpoint(
            edges,
            lambda paths: [
                ((a[0], b[1]), 1) for (a, b), _ in join(paths, paths, target_of, source_of)
            ],
        ),
        history,
    )


@given(histories(2, edges()))
def test_a_semijoin_may_look_for_keys_among_the_rows_found(history: list[Epoch]) -> None:
    """Edges that hang together with the seed; two rows found may support the same key."""
    assert_incremental(
        lambda seed, edges: seed.iterate(
            lambda found: edges.semijoin(found, left_key=source_of, right_key=target_of)
        ),
        lambda seed, edges: least_fixpoint(
            seed, lambda found: semijoin(as_set(edges), found, source_of, target_of)
        ),
        history,
    )


@settings(max_examples=settings().max_examples // 2)
@given(histories(2, edges()))
def test_every_operator_that_is_monotone_may_be_in_the_loop(history: list[Epoch]) -> None:
    def turned(edge: Any) -> Any:
        return (edge[1], edge[0])

    def step(found: DeltaStream[Any], other: DeltaStream[Any]) -> DeltaStream[Any]:
        both = found.flat_map(lambda edge: [edge, turned(edge)]).distinct()
        chained = both.filter(lambda edge: edge[0] != "a").join(
            other.map(turned),
            left_key=target_of,
            right_key=source_of,
            into=lambda a, b: (a[0], b[1]),
        )
        return chained.concat(other, found).semijoin(other, left_key=source_of, right_key=target_of)

    def step_by_definition(found: Bag, other: Bag) -> Bag:
        both = as_set([pair for edge, _ in found for pair in ((edge, 1), (turned(edge), 1))])
        kept = [(edge, 1) for edge, _ in both if edge[0] != "a"]
        outside = as_set([(turned(edge), weight) for edge, weight in other])
        chained = [((a[0], b[1]), 1) for (a, b), _ in join(kept, outside, target_of, source_of)]
        return semijoin(
            as_set(chained + as_set(other) + found), as_set(other), source_of, target_of
        )

    assert_incremental(
        lambda seed, other: seed.iterate(lambda found: step(found, other)),
        lambda seed, other: least_fixpoint(seed, lambda found: step_by_definition(found, other)),
        history,
    )


@settings(max_examples=settings().max_examples // 2)
@given(histories(2, edges()))
def test_loops_may_feed_each_other_from_outside(history: list[Epoch]) -> None:
    def closure(edges: DeltaStream[Any]) -> DeltaStream[Any]:
        return edges.iterate(
            lambda paths: paths.join(
                edges, left_key=target_of, right_key=source_of, into=lambda a, b: (a[0], b[1])
            )
        )

    def closure_by_definition(edges: Bag) -> Bag:
        return least_fixpoint(
            edges,
            lambda paths: [
                ((a[0], b[1]), 1) for (a, b), _ in join(paths, as_set(edges), target_of, source_of)
            ],
        )

    assert_incremental(
        lambda one, two: closure(closure(one).concat(two)),
        lambda one, two: closure_by_definition(closure_by_definition(one) + two),
        history,
    )


@given(histories(2, edges()))
def test_a_step_may_ignore_what_was_found_or_add_nothing_to_it(history: list[Epoch]) -> None:
    assert_incremental(
        lambda seed, other: seed.iterate(lambda _: other),
        lambda seed, other: as_set(as_set(seed) + as_set(other)),
        history,
    )
    assert_incremental(
        lambda seed, _: seed.iterate(lambda found: found), lambda seed, _: as_set(seed), history
    )


WAYS_TO_REACH: dict[str, Callable[[DeltaStream[Any], DeltaStream[Any]], DeltaStream[Any]]] = {
    "join": reachable,
    "distinct": lambda roots, edges: roots.iterate(
        lambda found: found.join(
            edges, left_key=itself, right_key=source_of, into=lambda _, edge: edge[1]
        ).distinct()
    ),
    "semijoin": lambda roots, edges: (
        roots.map(lambda node: (None, node))
        .iterate(lambda found: edges.semijoin(found, left_key=source_of, right_key=target_of))
        .map(target_of)
        .distinct()
    ),
}


@pytest.mark.parametrize("way", WAYS_TO_REACH)
@given(seed=st.integers(0, 2**32 - 1))
def test_reachability_on_a_graph_that_grows_and_shrinks(way: str, seed: int) -> None:
    rng = random.Random(seed)
    size = rng.randint(2, 12)
    graph: Graph = {node: set() for node in range(size)}
    circuit = Circuit()
    roots, edges = circuit.source("roots"), circuit.source("edges")
    found = WAYS_TO_REACH[way](roots, edges).output()
    roots.push(ZSet.from_rows([0]))
    for growing in (True, False, True, False):
        for _ in range(8):
            edges.push(ZSet(random_change(rng, graph, growing=growing)))
            assert found.rows == ZSet.from_rows(search(graph, 0))
            circuit._check()


def random_change(rng: random.Random, graph: Graph, *, growing: bool) -> Bag:
    """Add or remove a few edges, mostly the one."""
    change: Bag = []
    for _ in range(rng.randint(1, 4)):
        present = [(a, b) for a, targets in graph.items() for b in targets]
        if present and rng.random() < (0.2 if growing else 0.8):
            a, b = rng.choice(present)
            graph[a].remove(b)
            change.append(((a, b), -1))
        else:
            a, b = rng.choice(list(graph)), rng.choice(list(graph))
            if b not in graph[a]:
                graph[a].add(b)
                change.append(((a, b), 1))
    return change


def search(graph: Graph, root: int) -> list[int]:
    """Find what can be reached from a node by brute force."""
    found = [root]
    for node in found:
        found += [target for target in graph[node] if target not in found]
    return sorted(found)


@pytest.mark.parametrize("way", WAYS_TO_REACH)
def test_a_cycle_cut_off_from_its_root_does_not_support_itself(way: str) -> None:
    circuit = Circuit()
    roots, edges = circuit.source("roots"), circuit.source("edges")
    found = WAYS_TO_REACH[way](roots, edges).output()
    with circuit.batch():
        roots.push(ZSet.from_rows(["root"]))
        edges.push(ZSet.from_rows([("root", "a"), ("a", "b"), ("b", "c"), ("c", "a")]))
    assert found.rows == ZSet.from_rows(["root", "a", "b", "c"])
    edges.push(ZSet([(("root", "a"), -1), (("c", "b"), 1)]))
    assert found.delta == ZSet([("a", -1), ("b", -1), ("c", -1)])
    assert found.rows == ZSet.from_rows(["root"])


def test_rows_that_leave_and_come_back_in_one_epoch_are_no_change() -> None:
    circuit = Circuit()
    roots, edges = circuit.source("roots"), circuit.source("edges")
    found = reachable(roots, edges).output()
    with circuit.batch():
        roots.push(ZSet.from_rows([0]))
        edges.push(ZSet.from_rows(list(pairwise(range(5)))))
    edges.push(ZSet([((0, 1), -1), ((0, 4), 1), ((4, 1), 1)]))
    assert found.delta == ZSet()
    assert found.rows == ZSet.from_rows(range(5))


def test_a_loop_without_end_discards_the_epoch() -> None:
    circuit = Circuit("numbers")
    numbers = circuit.source("seed")
    found = numbers.iterate(
        lambda found: found.map(lambda number: min(number + 1, 100)), max_rounds=50
    ).output()
    numbers.push(ZSet.from_rows([90]))
    with pytest.raises(CollectionError, match="found no fixpoint within 50 rounds") as raised:
        numbers.push(ZSet.from_rows([10]))
    assert raised.value.__notes__ == [
        "if the step can only ever make a finite number of rows, raise max_rounds",
        "raised by operator 'iterate 6'",
        "circuit 'numbers' is as it was after epoch 1",
    ]
    circuit._check()
    assert found.rows == ZSet.from_rows(range(90, 101))
    numbers.push(ZSet([(90, -1), (95, 1)]))
    assert found.rows == ZSet.from_rows(range(95, 101))
