"""The scheduler alone, with nodes that only count."""

from typing import Any

import pytest

from dataflow.circuit.commit import Commit
from dataflow.circuit.graph import Graph
from dataflow.circuit.node import EMPTY, Delta, Node, SourceNode, StepError
from dataflow.errors import InvariantError


class Sum(Node):
    """Adds up the rows of all inputs under each key; raises `trouble` when a sum is negative."""

    def __init__(self, *inputs: Node, log: list[Any] | None = None) -> None:
        super().__init__(inputs, label=f"sum of {len(inputs)}")
        self.log = [] if log is None else log
        self.trouble: BaseException = ValueError("negative")
        self.changes: Delta = []
        self.rows: dict[Any, Any] = {}

    def step(self) -> Delta:
        self.log.append(self)
        self.changes = []
        for key in dict.fromkeys(entry[0] for source in self.inputs for entry in source.out):
            old, new = self.rows.get(key), self.total(key)
            if old == new:
                continue
            if new is None:
                del self.rows[key]
            else:
                self.rows[key] = new
            self.changes.append((key, old, new))
            if new is not None and new < 0:
                self.refuse(key)
        return self.changes

    def total(self, key: Any) -> Any:
        found = [s.rows[key] for s in self.inputs if s.rows and key in s.rows]
        return sum(found) if found else None

    def hydrate(self) -> None:
        keys = dict.fromkeys(key for source in self.inputs for key in source.rows or ())
        self.rows = {key: self.total(key) for key in keys}
        for key, total in self.rows.items():
            if total < 0:
                self.refuse(key)

    def refuse(self, key: Any) -> None:
        if not isinstance(self.trouble, Exception):
            raise self.trouble
        raise StepError(key) from self.trouble

    def undo(self) -> None:
        for key, old, _ in self.changes:
            self.rows.pop(key, None)
            if old is not None:
                self.rows[key] = old
        self.changes = []


class Tolerant(Sum):
    """Does not mind negative sums."""

    def refuse(self, key: Any) -> None:
        pass


class Set(Commit):
    """Sets rows of a source; None deletes."""

    def __init__(self, source: SourceNode, **rows: int | None) -> None:
        self.source, self.writes = source, rows

    def apply(self) -> list[Node]:
        rows = self.source.rows
        assert rows is not None
        out = [
            (key, rows.get(key), new) for key, new in self.writes.items() if rows.get(key) != new
        ]
        for key, _, new in out:
            rows.pop(key, None)
            if new is not None:
                rows[key] = new
        self.source.out = out
        return [self.source] if out else []


class Seen:
    """A subscriber that keeps what it gets."""

    def __init__(self, graph: Graph, node: Node) -> None:
        self.since = graph.epoch
        self.deltas: list[Delta] = []
        node.subscribers[self] = None

    def deliver(self, delta: Delta) -> None:
        self.deltas.append(delta)


def added(graph: Graph, *nodes: Node) -> None:
    for node in nodes:
        graph.add(node, None)
        node.references += 1


def test_each_node_runs_once_per_epoch_after_all_its_inputs() -> None:
    graph, source, log = Graph(), SourceNode(label="s"), list[Any]()
    left = Sum(source, log=log)
    right = Sum(left, log=log)
    both = Sum(right, left, source, log=log)
    added(graph, left, right, both)
    graph.run(Set(source, a=1, b=2))
    assert log == [left, right, both]
    assert both.rows == {"a": 3, "b": 6}
    assert [node.out for node in (source, left, right, both)] == [EMPTY] * 4


def test_a_node_without_changes_wakes_nobody_and_idle_nodes_are_not_visited() -> None:
    graph, log = Graph(), list[Any]()
    one, two = SourceNode(label="1"), SourceNode(label="2")
    total, idle = Sum(one, two, log=log), Sum(two, log=log)
    after = Sum(total, log=log)
    added(graph, total, after, idle)
    graph.run(Set(one, a=1))
    log.clear()

    class Both(Commit):
        def apply(self) -> list[Node]:
            return [*Set(one, a=None).apply(), *Set(two, a=1).apply()]

    graph.run(Both())
    assert log == [total, idle]
    log.clear()
    graph.run(Set(one, b=None))
    assert (log, graph.epoch) == ([], 2)


def test_a_failure_takes_back_the_failed_step_alone() -> None:
    graph, source = Graph(), SourceNode(label="s")
    first, third = Sum(source), Tolerant(source)
    second = Sum(first)
    added(graph, first, second, third)
    graph.run(Set(source, a=1, b=1))
    good = {"a": 1, "b": 1}
    graph.run(Set(source, a=2, b=-1, c=3))
    assert (first.rows, second.rows, first.error, second.error) == (
        good,
        good,
        first.trouble,
        first.trouble,
    )
    assert third.rows == {"a": 2, "b": -1, "c": 3}
    graph.run(Set(source, d=4))
    assert first.steps == 2  # it waits for what it failed on
    graph.run(Set(source, b=5))
    expected = {"a": 2, "b": 5, "c": 3, "d": 4}
    assert [node.rows for node in (first, second, third)] == [expected] * 3
    assert [node.error for node in (first, second, third)] == [None] * 3


def test_a_dependent_that_fails_while_it_recovers_keeps_its_last_good_rows() -> None:
    graph, one, two = Graph(), SourceNode(label="1"), SourceNode(label="2")
    first = Sum(one)
    second = Sum(first, two)
    added(graph, first, second)
    graph.run(Set(one, a=1))
    graph.run(Set(two, b=1))  # the last step of the dependent, which must not be taken back
    graph.run(Set(one, a=-1))
    assert second.rows == {"a": 1, "b": 1}
    graph.run(Set(two, c=-9))
    graph.run(Set(one, a=2))
    assert (first.error, second.error) == (None, second.trouble)
    assert (first.rows, second.rows) == ({"a": 2}, {"a": 1, "b": 1})
    graph.run(Set(two, c=None))
    assert (second.error, second.rows) == (None, {"a": 2, "b": 1})


def test_recovery_delivers_the_net_difference_and_tells_watchers() -> None:
    graph, source = Graph(), SourceNode(label="s")
    node = Sum(source)
    added(graph, node)
    seen = Seen(graph, node)
    statuses: list[bool] = []

    class Watch:
        def status_changed(self) -> None:
            statuses.append(node.error is None)

    node.watchers[Watch()] = None
    graph.run(Set(source, a=1, b=1))
    graph.run(Set(source, a=-1, b=2))
    graph.run(Set(source, b=1, c=1))
    graph.run(Set(source, a=None))
    assert statuses == [False, True]
    assert seen.deltas == [[("a", None, 1), ("b", None, 1)], [("a", 1, None), ("c", None, 1)]]


def test_an_interrupt_passes_and_leaves_everything_to_be_restarted() -> None:
    graph, source = Graph(), SourceNode(label="s")
    before = Tolerant(source)
    first, sibling = Sum(before), Tolerant(before)
    last = Tolerant(first, source)
    added(graph, before, first, sibling, last)
    graph.run(Set(source, a=1))
    first.trouble = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        graph.run(Set(source, a=2, b=-2))
    assert [node.error is None for node in (before, first, sibling, last)] == [
        True,
        False,
        False,
        False,
    ]
    assert [node.out for node in (source, before)] == [EMPTY] * 2
    assert not any(node.queued for node in graph.members)
    assert (first.rows, last.rows) == ({"a": 1}, {"a": 2})
    graph.restart(sibling)
    graph.run(Set(source, b=2))
    assert (first.rows, last.rows) == ({"a": 2, "b": 2}, {"a": 4, "b": 4})
    assert (sibling.error, sibling.rows) == (None, {"a": 2, "b": 2})


def test_what_reads_a_node_that_ran_before_the_interrupt_is_out_of_order_too() -> None:
    graph, source = Graph(), SourceNode(label="s")
    ran, interrupted = Tolerant(source), Sum(source)
    reader = Tolerant(ran)
    added(graph, ran, interrupted, reader)
    interrupted.trouble = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        graph.run(Set(source, a=-1))
    assert (ran.error, ran.rows) == (None, {"a": -1})
    assert (reader.error, reader.rows) == (interrupted.trouble, {})
    graph.restart(reader)
    assert (reader.error, reader.rows) == (None, {"a": -1})


def test_what_ran_before_an_interrupt_is_told_before_it_passes() -> None:
    graph, source = Graph(), SourceNode(label="s")
    ran, interrupted = Tolerant(source), Sum(source)
    added(graph, ran, interrupted)
    seen = [Seen(graph, node) for node in (source, ran, interrupted)]
    interrupted.trouble = KeyboardInterrupt()
    for value in (-1, -2):  # rank by rank, then along a way, were it not for the interrupt
        with pytest.raises(KeyboardInterrupt):
            graph.run(Set(source, a=value))
    assert [each.deltas for each in seen] == [
        [[("a", None, -1)], [("a", -1, -2)]],
        [[("a", None, -1)], [("a", -1, -2)]],
        [],
    ]
    graph.run(Set(source, a=3))
    assert [each.deltas[-1] for each in seen] == [[("a", -2, 3)], [("a", -2, 3)], [("a", None, 3)]]


def test_an_interrupt_of_one_subscriber_passes_when_the_others_have_been_told() -> None:
    graph, source = Graph(), SourceNode(label="s")
    node = Sum(source)
    added(graph, node)
    interrupts: list[BaseException] = []

    class Interrupted(Seen):
        def deliver(self, delta: Delta) -> None:
            super().deliver(delta)
            if interrupts:
                raise interrupts.pop()

    seen = [Interrupted(graph, source), Interrupted(graph, source), Interrupted(graph, node)]
    for value in (1, 2):  # rank by rank, then along a way
        interrupts[:] = [ValueError(), KeyboardInterrupt(str(value))]
        with pytest.raises(KeyboardInterrupt, match=str(value)):
            graph.run(Set(source, a=value))
    assert [each.deltas for each in seen] == [[[("a", None, 1)], [("a", 1, 2)]]] * 3


def test_commits_left_behind_by_an_interrupt_come_before_later_ones() -> None:
    graph, source = Graph(), SourceNode(label="s")
    added(graph, Sum(source))
    log: list[Delta] = []

    class Interrupted(Seen):
        def deliver(self, delta: Delta) -> None:
            log.append(delta)
            if len(log) == 1:
                graph.run(Set(source, a=2))
                raise KeyboardInterrupt

    Interrupted(graph, source)
    with pytest.raises(KeyboardInterrupt):
        graph.run(Set(source, a=1))
    graph.run(Set(source, a=3))
    assert log == [[("a", None, 1)], [("a", 1, 2)], [("a", 2, 3)]]


def test_a_node_is_detached_with_its_last_reference_and_frees_its_inputs() -> None:
    graph, source = Graph(), SourceNode(label="s")
    first = Sum(source)
    second = Sum(first, first)
    graph.add(first, "first")
    graph.add(second, "second")
    second.references += 2
    assert first.references == 1  # once per consumer, however often it is read
    graph.release(second)
    assert graph.statistics().nodes == 2
    graph.release(second)
    assert (graph.nodes, graph.members, source.consumers) == ({}, set(), {})
    with pytest.raises(InvariantError, match="released more often than taken"):
        graph.release(second)


def test_isolated_plans_share_nothing_with_others() -> None:
    graph, source = Graph(), SourceNode(label="s")
    shared, alone = Sum(source), Sum(source)
    graph.add(shared, "sum")
    shared.references += 1
    with graph.isolated():
        assert graph.nodes == {}
        graph.add(alone, "sum")
        alone.references += 1
    assert graph.nodes == {"sum": shared}
    graph.release(alone)
    assert (graph.nodes, graph.members) == ({"sum": shared}, {shared})


def test_statistics_count_what_is_held_and_what_was_done() -> None:
    graph, source = Graph(), SourceNode(label="s")
    first = Sum(source)
    second = Sum(first)
    added(graph, first, second)
    Seen(graph, second)
    graph.run(Set(source, a=1, b=2))
    statistics = graph.statistics()
    assert (statistics.epochs, statistics.nodes, statistics.consumers) == (1, 2, 2)
    assert (statistics.subscribers, statistics.rows_held) == (1, 4)


class Asking(Seen):
    """A subscriber that asks for things to be done later, and raises."""

    def __init__(self, graph: Graph, node: Node, log: list[str]) -> None:
        super().__init__(graph, node)
        self.graph, self.log = graph, log

    def deliver(self, delta: Delta) -> None:
        self.graph.later(self.fail)
        self.graph.later(lambda: self.log.append("done"))
        self.log.append("delivered")
        raise LookupError("delivered")

    def fail(self) -> None:
        raise ValueError("later")


def test_what_is_asked_for_later_is_done_when_the_commit_is_over_and_starves_nobody() -> None:
    graph, source, log = Graph(), SourceNode(label="s"), list[str]()
    Asking(graph, source, log)
    with pytest.raises(ExceptionGroup) as caught:
        graph.run(Set(source, a=1))
    assert [repr(error) for error in caught.value.exceptions] == [
        "LookupError('delivered')",
        "ValueError('later')",
    ]
    assert log == ["delivered", "done"]
