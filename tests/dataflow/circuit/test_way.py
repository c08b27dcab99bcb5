"""Ways against waking rank by rank, which a graph with a tracer always does."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from dataflow.circuit.commit import Commit
from dataflow.circuit.graph import Graph
from dataflow.circuit.node import Delta, Node, SourceNode, StepError
from dataflow.circuit.router import FEW
from dataflow.circuit.way import nodes_on_way

if TYPE_CHECKING:
    from dataflow.circuit.commit import Announcement

REFUSED = 7
INTERRUPTED = 11


class Sum(Node):
    """Adds up the rows of all inputs under each key, if they are above a limit; refuses some sums."""

    def __init__(self, inputs: tuple[Node, ...], limit: int, *, interrupts: bool = False) -> None:
        super().__init__(inputs)
        self.limit = limit
        self.interrupts = interrupts
        self.changes: Delta = []
        self.rows: dict[Any, Any] = {}

    def step(self) -> Delta:
        self.changes = []
        for key in dict.fromkeys(entry[0] for source in self.inputs for entry in source.out):
            old, new = self.rows.get(key), self.total(key)
            if old != new:
                self.changes.append((key, old, new))
                if new is None:
                    del self.rows[key]
                else:
                    self.rows[key] = new
        return self.changes

    def total(self, key: Any) -> int | None:
        total = sum(
            source.rows[key] for source in self.inputs if source.rows and key in source.rows
        )
        if total % REFUSED == REFUSED - 1:
            raise StepError(key) from ValueError(str(total))
        if self.interrupts and total % INTERRUPTED == INTERRUPTED - 1:
            raise KeyboardInterrupt
        return total if total > self.limit else None

    def hydrate(self) -> None:
        keys = dict.fromkeys(key for source in self.inputs for key in source.rows or ())
        totals = {key: self.total(key) for key in keys}
        self.rows = {key: total for key, total in totals.items() if total is not None}

    def undo(self) -> None:
        for key, old, _ in self.changes:
            self.rows.pop(key, None)
            if old is not None:
                self.rows[key] = old


class Set(Commit):
    """Sets one row of a source."""

    def __init__(self, source: Node, key: str, value: int) -> None:
        self.source, self.key, self.value = source, key, value

    def apply(self) -> list[Node]:
        rows = self.source.rows
        assert rows is not None
        old, rows[self.key] = rows.get(self.key), self.value
        self.source.out = [] if old == self.value else [(self.key, old, self.value)]
        return [self.source] if self.source.out else []


class Silent:
    """A tracer that notes nothing."""

    def begin(self) -> None: ...
    def enter(self, changed: list[Node]) -> None: ...
    def step(self, nodes: list[Node]) -> None: ...
    def end(self, number: int, due: list[Announcement], errors: list[BaseException]) -> None: ...


class Heard:
    """A subscriber that keeps what it is told."""

    since = 0

    def __init__(self, name: int, log: list[Any]) -> None:
        self.name, self.log = name, log

    def deliver(self, delta: Delta) -> None:
        self.log.append((self.name, sorted(delta)))


Plan = list[tuple[set[int], int]]  # of each node: which of those before it it reads, and its limit

plans = st.lists(
    st.tuples(st.sets(st.integers(0, FEW), min_size=1), st.integers(-1, 4)),
    min_size=1,
    max_size=FEW + 2,
)
writes = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from("ab"), st.integers(0, 9)), max_size=20
)


def planned(graph: Graph, plan: Plan, told: list[Any], *, interrupts: bool = False) -> list[Node]:
    """Return two sources and the nodes over them, with a subscriber each."""
    nodes: list[Node] = [SourceNode(label="one"), SourceNode(label="two")]
    for reads, limit in plan:
        inputs = dict.fromkeys(nodes[place % len(nodes)] for place in sorted(reads))
        node = Sum(tuple(inputs), limit, interrupts=interrupts)
        graph.add(node, None)
        node.references += 1
        nodes.append(node)
    for number, each in enumerate(nodes):
        each.subscribers[Heard(number, told)] = None
    return nodes


def history(plan: Plan, commits: list[tuple[int, str, int]], tracer: Silent | None) -> list[Any]:
    """Return what can be seen of a graph over two sources after each commit."""
    graph = Graph()
    told: list[Any] = []
    seen: list[Any] = []
    graph.tracer = tracer
    nodes = planned(graph, plan, told)
    for number, key, value in commits:
        graph.run(Set(nodes[number], key, value))
        states = [(dict(node.rows or {}), str(node.error), node.steps, node.out) for node in nodes]
        seen.append((sorted(told), states))  # nodes of one rank are told in the order they woke in
        told.clear()
    return seen


@given(plans, writes)
def test_a_way_does_what_waking_rank_by_rank_does(
    plan: Plan, commits: list[tuple[int, str, int]]
) -> None:
    assert history(plan, commits, None) == history(plan, commits, Silent())


@given(plans, writes, st.sampled_from([None, Silent()]))
def test_whatever_is_interrupted_subscribers_know_the_rows(
    plan: Plan, commits: list[tuple[int, str, int]], tracer: Silent | None
) -> None:
    graph = Graph()
    graph.tracer = tracer
    told: list[Any] = []
    nodes = planned(graph, plan, told, interrupts=True)
    known: list[dict[Any, Any]] = [{} for _ in nodes]
    for number, key, value in commits:
        with suppress(KeyboardInterrupt):
            graph.run(Set(nodes[number], key, value))
        for name, delta in told:
            for at, old, new in delta:
                assert known[name].pop(at, None) == old
                if new is not None:
                    known[name][at] = new
        told.clear()
        assert known == [node.rows for node in nodes]
        assert not any(node.queued or node.out for node in nodes)


def test_a_way_has_each_node_once_after_all_its_inputs() -> None:
    graph, source = Graph(), SourceNode(label="s")
    left = Sum((source,), 0)
    right = Sum((source,), 0)
    both = Sum((left, right), 0)
    for node in (left, right, both):
        graph.add(node, None)
    nodes = nodes_on_way(source)
    assert nodes == (source, left, right, both)


def test_there_is_no_way_where_many_nodes_or_a_failed_one_would_be_visited() -> None:
    graph, source = Graph(), SourceNode(label="s")
    for _ in range(FEW):
        graph.add(Sum((source,), 0), None)
    assert nodes_on_way(source) is not None
    next(iter(source.consumers)).error = ValueError("failed")
    assert nodes_on_way(source) is None
    next(iter(source.consumers)).error = None
    graph.add(Sum((source,), 0), None)
    assert nodes_on_way(source) is None
