"""The graph: one scheduler for all collections and live queries of a thread.

Law     every commit is one epoch: each affected node runs once, in rank order, and only then is any subscriber called
Epoch   apply commits to their sources -> step dirty nodes rank by rank -> deliver -> run what callbacks committed, FIFO
Cost    nodes with a non-empty input delta, nothing else: idle queries are never visited
Edges   a node that raises goes to status error together with everything downstream; sources and siblings carry on.
        A commit made inside a callback becomes an epoch of its own after all deliveries; 1,000 such epochs in a row raise.
        Subscribers that raise never starve others; what they raised surfaces from the outermost commit as an ExceptionGroup.

The graph knows nothing of collections, queries or keys: a `Commit` is anything that can apply itself and name the sources
it changed. It belongs to the thread that first used it; nothing here locks, because nothing here crosses threads (but
`release_later`, which garbage collection may call from anywhere).
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from dataflow.circuit.node import EMPTY, Node, SourceNode, StepError
from dataflow.errors import CollectionError, InvariantError
from dataflow.values.equality import equal

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

CASCADE_LIMIT = (
    1_000  # epochs set off by callbacks of one outermost commit; more is taken for a cycle
)


class Commit(Protocol):
    """What one epoch does first: `apply` makes changes visible and returns the nodes whose `out` is now non-empty.

    Attributes:
        propagates: whether the nodes downstream have to hear of it. Not so when the nodes have just been hydrated, together with
            everything downstream: then only subscribers do.
    """

    propagates: bool

    def apply(self) -> list[Node]:
        """Make the changes visible."""
        ...


@dataclass(frozen=True, slots=True)
class GraphStatistics:
    """Snapshot of a graph: epochs run, nodes alive, rows held in nodes, rows touched so far."""

    epochs: int
    nodes: int
    rows_held: int
    rows_touched: int


class Graph:
    """Scheduler, registry of shared nodes and clock (the epoch number) of one thread."""

    def __init__(self) -> None:
        self.owner = threading.get_ident()
        self.epoch = 0
        self.stepping = False
        self.nodes: dict[Hashable, Node] = {}
        self.members: set[Node] = set()
        self._busy = False
        self._buckets: list[list[Node]] = []
        self._queue: deque[Commit] = deque()
        self._released: deque[Node] = deque()

    # -- threads ---------------------------------------------------------------------------------------------------

    def check_thread(self, name: str) -> None:
        """Raise unless called from the thread this graph belongs to."""
        if threading.get_ident() != self.owner:
            error = CollectionError(f"{name} belongs to another thread")
            error.add_note(
                "hand the change over: loop.call_soon_threadsafe(fn) or a queue.Queue read by the owner thread"
            )
            raise error

    # -- epochs ----------------------------------------------------------------------------------------------------

    def run(self, commit: Commit) -> None:
        """Run a commit as one epoch, or queue it when called from a subscriber.

        Raises:
            CollectionError: when called from inside a user function of a query.
            ExceptionGroup: what subscribers raised, after every epoch has been delivered.
        """
        if self._busy:
            self.refuse_while_stepping("write to a collection")
            self._queue.append(commit)
            return
        self._busy = True
        errors: list[Exception] = []
        try:
            self._run_epoch(commit, errors)
            if self._queue:
                self._run_queued(errors)
        finally:
            self._busy = False
        if self._released:
            self.collect()
        if errors:
            raise ExceptionGroup("subscribers raised", errors)

    def refuse_while_stepping(self, what: str) -> None:
        """Raise if a user function of a query is running: the graph cannot change under its feet."""
        if self.stepping:
            raise CollectionError(f"cannot {what} inside a function that a query calls")

    def _run_queued(self, errors: list[Exception]) -> None:
        for _ in range(CASCADE_LIMIT):
            if not self._queue:
                return
            self._run_epoch(self._queue.popleft(), errors)
        self._queue.clear()
        raise CollectionError(
            f"subscribers set off more than {CASCADE_LIMIT} epochs in a row: a callback answers its own writes"
        )

    def _run_epoch(self, commit: Commit, errors: list[Exception]) -> None:
        changed = commit.apply()
        if not changed:
            return
        self.epoch += 1
        failed: list[Node] = []
        touched = self._propagate(changed, failed) if commit.propagates else changed
        deliveries = [(node, node.out) for node in touched if node.subscribers]
        for node in touched:
            node.out = EMPTY
        for node in failed:
            for watcher in tuple(node.watchers):
                watcher.status_changed()
        for node, delta in deliveries:
            self._deliver(node, delta, errors)

    def _propagate(self, changed: list[Node], failed: list[Node]) -> list[Node]:
        """Step every node that a change reaches; return those with a non-empty delta, in rank order."""
        buckets = self._buckets
        touched = changed
        waiting = 0
        for node in changed:
            for consumer in node.consumers:
                if not consumer.queued:
                    consumer.queued = True
                    buckets[consumer.rank].append(consumer)
                    waiting += 1
        rank = 1
        self.stepping = True
        try:
            while waiting:
                bucket = buckets[rank]
                if bucket:
                    waiting -= len(bucket)
                    for node in bucket:
                        node.queued = False
                        out = self._step(node, failed)
                        if out is None:
                            continue
                        if out:
                            node.out = out
                            touched.append(node)
                        for consumer in node.consumers:
                            if not consumer.queued:
                                consumer.queued = True
                                buckets[consumer.rank].append(consumer)
                                waiting += 1
                    bucket.clear()
                rank += 1
        finally:
            self.stepping = False
        return touched

    def _step(self, node: Node, failed: list[Node]) -> list[Any] | None:
        """Step one node; None when nothing downstream has to run."""
        try:
            if node.error is None:
                node.steps += 1
                return node.step() or None
            return self._recover(node, failed)
        except Exception as error:  # noqa: BLE001 - whatever a user function raises becomes the node's status
            self._fail(node, error, failed)
            return None

    def _deliver(self, node: Node, delta: list[Any], errors: list[Exception]) -> None:
        for subscriber in tuple(node.subscribers):
            if subscriber.since >= self.epoch:  # subscribed during this very delivery
                continue
            try:
                subscriber.deliver(delta)
            except Exception as error:  # noqa: BLE001 - one subscriber must not starve the next
                errors.append(error)

    # -- failure and recovery ---------------------------------------------------------------------------------------

    def _fail(self, node: Node, error: Exception, failed: list[Node]) -> None:
        """Put a node and everything downstream out of order; their last good rows stay readable."""
        node.undo()
        node.failed_at = (error.key,) if isinstance(error, StepError) else None
        cause = error.__cause__ if isinstance(error, StepError) and error.__cause__ else error
        for affected in downstream(node):
            if affected.error is None:
                affected.error = cause
            failed.append(affected)

    def _recover(self, node: Node, failed: list[Node]) -> list[Any] | None:
        """Rehydrate a failed node if what it failed on is gone; its delta is the net difference of its rows."""
        if any(source.error is not None for source in node.inputs):
            return None
        if node.failed_at is not None and not node.reaches(*node.failed_at):
            return None
        before = node.rows
        self.rebuild(node)
        failed.append(node)
        if before is None or node.rows is None:
            return EMPTY
        return difference(before, node.rows)

    def rebuild(self, node: Node) -> None:
        """Hydrate a node; if that raises, put it out of order with its old rows."""
        rows = node.rows
        try:
            node.hydrate()
        except Exception:
            node.rows = rows
            raise
        node.error = None
        node.failed_at = None

    # -- nodes -----------------------------------------------------------------------------------------------------

    def add(self, node: Node, identity: Hashable) -> None:
        """Wire a new node to its inputs, register it for sharing, and hydrate it.

        A node whose hydration raises is added all the same, out of order, so that it can recover.
        """
        node.identity = identity
        if identity is not None:
            self.nodes[identity] = node
        self.members.add(node)
        while len(self._buckets) <= node.rank:
            self._buckets.append([])
        for source in dict.fromkeys(node.inputs):
            source.references += 1
            source.consumers.append(node)
        upstream = next((source.error for source in node.inputs if source.error), None)
        if upstream is not None:
            node.error = upstream
            return
        self.stepping, stepping = True, self.stepping
        try:
            self.rebuild(node)
        except Exception as error:  # noqa: BLE001 - becomes the node's status
            self._fail(node, error, [])
        finally:
            self.stepping = stepping

    def release(self, node: Node) -> None:
        """Drop one reference; a node without references is detached, which may free its inputs."""
        pending = [node]
        while pending:
            current = pending.pop()
            current.references -= 1
            if current.references < 0:
                raise InvariantError("node released more often than taken", operator=current.label)
            if current.references or isinstance(current, SourceNode):
                continue
            self.members.discard(current)
            if current.identity is not None:
                self.nodes.pop(current.identity, None)
            for source in dict.fromkeys(current.inputs):
                source.consumers.remove(current)
                pending.append(source)

    def release_later(self, node: Node) -> None:
        """Release at the next safe point. Safe to call from a finalizer, in any thread, in the middle of a step."""
        self._released.append(node)

    def collect(self) -> None:
        """Release what finalizers have handed over, unless an epoch is running."""
        while self._released and not self._busy:
            self.release(self._released.popleft())

    def statistics(self) -> GraphStatistics:
        """Return a snapshot of counters; finalizers' releases are carried out first."""
        self.collect()
        return GraphStatistics(
            epochs=self.epoch,
            nodes=len(self.members),
            rows_held=sum(node.state_rows() for node in self.members),
            rows_touched=sum(node.touched for node in self.members),
        )


def downstream(node: Node) -> Iterable[Node]:
    """Return a node and everything that reads it, directly or not."""
    seen = {node: None}
    for current in (pending := [node]):
        for consumer in current.consumers:
            if consumer not in seen:
                seen[consumer] = None
                pending.append(consumer)
    return seen


def difference(before: dict[Any, Any], after: dict[Any, Any]) -> list[Any]:
    """Return the net delta between two states of a relation."""
    delta = [
        (key, row, after.get(key))
        for key, row in before.items()
        if key not in after or not equal(row, after[key])
    ]
    delta.extend((key, None, row) for key, row in after.items() if key not in before)
    return delta


_graphs = threading.local()


def current_graph() -> Graph:
    """Return the graph of the calling thread, made on first use."""
    graph: Graph | None = getattr(_graphs, "graph", None)
    if graph is None:
        graph = _graphs.graph = Graph()
    return graph
