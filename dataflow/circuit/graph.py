"""The graph: one scheduler for all collections and live queries of a thread.

Law     every commit is one epoch: each affected node runs once, in rank order, and only then is any subscriber called
Epoch   apply commits to their sources -> step dirty nodes rank by rank -> hydrate what waited -> deliver -> run what
        callbacks committed, FIFO
Cost    nodes with a non-empty input delta, nothing else: idle queries are never visited
Edges   a node that raises goes to status error together with everything downstream; sources and siblings carry on.
        A commit made inside a callback becomes an epoch of its own after all deliveries; 1,000 such epochs in a row raise.
        Subscribers that raise never starve others; what they raised surfaces from the outermost commit as an ExceptionGroup.
        An interrupt (KeyboardInterrupt) inside a step puts the nodes still to run out of order. It passes through once everybody
        has been told what the others became; so does one inside a subscriber.

The graph knows nothing of collections, queries or keys: a `Commit` is anything that can apply itself and name the sources
it changed. It belongs to the thread that first used it; nothing here locks, because nothing here crosses threads (but
`later`, which garbage collection may call from anywhere).
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from dataflow.circuit.commit import Greeting
from dataflow.circuit.failure import Restart, fail, notify, rebuild
from dataflow.circuit.node import Delta, Node, SourceNode, Subscriber
from dataflow.circuit.propagation import Propagation
from dataflow.errors import CollectionError, InvariantError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable

    from dataflow.circuit.commit import Announcement, Commit
    from dataflow.circuit.node import Ended, Way
    from dataflow.circuit.observer import Observer, Tracer

CASCADE_LIMIT = 1_000  # epochs that callbacks of one outermost commit may set off


@dataclass(frozen=True, slots=True)
class GraphStatistics:
    """Snapshot of a graph.

    Attributes:
        epochs: epochs run.
        nodes: operators alive, sources not counted.
        consumers: edges that lead from a node to one that reads it, sources' own included.
        subscribers: open subscriptions and `changes()`.
        rows_held: rows in the state of operators.
        rows_touched: rows that the operators alive have read or written so far.
    """

    epochs: int
    nodes: int
    consumers: int
    subscribers: int
    rows_held: int
    rows_touched: int


class Graph:
    """Scheduler, registry of shared nodes and clock (the epoch number) of one thread.

    Attributes:
        epoch: number of the current epoch, or of the last one.
        stepping: whether a user function of a query may be running.
        nodes: identity -> node, of the nodes that may be shared.
        members: every node but sources.
        anchors: what lives until it is closed, although nobody need hold it: subscriptions.
        observer: a debug mode, or None.
        tracer: counts what each epoch does, if somebody wants to know.
    """

    def __init__(self) -> None:
        self.epoch: int = 0
        self.stepping: bool = False
        self.nodes: dict[Hashable, Node] = {}
        self.members: set[Node] = set()
        self.anchors: set[object] = set()
        self.observer: Observer | None = None
        self.tracer: Tracer | None = None
        self._busy = False
        self._propagation = Propagation()
        self._queue: deque[Commit] = deque()
        self._later: deque[Callable[[], object]] = deque()

    # -- threads ---------------------------------------------------------------------------------------------------

    def check_thread(self, owner: object) -> None:
        """Raise unless called from the thread this graph belongs to.

        Args:
            owner: what is being used, for the message.
        """
        if graphs.here is not self:  # thread idents are reused, graphs are not
            error = CollectionError(f"{owner} belongs to another thread")
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
            BaseException: an interrupt, at the end of the epoch that it came in; what is queued waits for the next commit.
        """
        if self._busy:
            self.refuse_while_stepping("write to a collection")
            self._queue.append(commit)
            return
        if self._later:
            self.collect()
        if self._queue:  # left behind by an interrupt
            self._queue.append(commit)
            commit = self._queue.popleft()
        self._busy = True
        errors: list[BaseException] = []
        try:
            self._run_epoch(commit, errors)
            if self._queue:
                self._run_queued(errors)
        finally:
            self._busy = False
        if self._later:
            self.collect(errors)
        if errors:
            raise _interrupt(errors) or BaseExceptionGroup("subscribers raised", errors)

    def greet(self, subscriber: Subscriber, delta: Delta) -> None:
        """Deliver present rows to a new subscriber, at once; what its callback commits follows as epochs of its own."""
        if self._busy:
            subscriber.deliver(delta)
        else:
            self.run(Greeting(subscriber, delta))

    def restart(self, node: Node) -> None:
        """Try failed nodes upstream of a node again; a recovery is delivered as an ordinary epoch."""
        self.run(Restart(node))

    def refuse_while_stepping(self, what: str) -> None:
        """Raise if a user function of a query is running: the graph cannot change under its feet."""
        if self.stepping:
            raise CollectionError(f"cannot {what} inside a function that a query calls")

    def _run_queued(self, errors: list[BaseException]) -> None:
        for _ in range(CASCADE_LIMIT):
            if not self._queue or _interrupt(errors):
                return
            self._run_epoch(self._queue.popleft(), errors)
        if not self._queue:
            return
        self._queue.clear()
        raise CollectionError(
            f"subscribers set off more than {CASCADE_LIMIT} epochs in a row: a callback answers its own writes"
        ) from _grouped(errors)

    def _run_epoch(self, commit: Commit, errors: list[BaseException]) -> None:
        tracer = self.tracer
        if tracer is not None:
            tracer.begin()
        changed = commit.apply()
        if not changed and not commit.hydrates:
            return
        self.epoch += 1
        if self.observer is not None:
            self.observer.applied(changed)
        if len(changed) == 1 and tracer is None and not commit.hydrates:
            way: Way | None = changed[0].way  # type: ignore[attr-defined]  # what changed is a source
            if way is not None:
                ended = way(self, errors)
                if ended is not None:
                    self._run_ranks(commit, changed, errors, ended)
                return
        self._run_ranks(commit, changed, errors)

    def _run_ranks(
        self,
        commit: Commit,
        changed: list[Node],
        errors: list[BaseException],
        ended: Ended | None = None,
    ) -> None:
        """Do what an epoch does once its sources have changed, or what is left of that where a way has ended."""
        tracer = self.tracer
        failed: list[Node] = []
        self.stepping = True
        try:
            if ended is None:
                due = self._propagation.run(changed, failed, errors, tracer)
            else:
                due = self._propagation.go_on(ended, failed, errors)
        finally:
            self.stepping = False
        if commit.hydrates:
            _hydrate(commit, due, errors)
        if failed:
            notify(failed)
        for _, subscribers, delta in due:
            self._deliver(subscribers, delta, errors)
        if tracer is not None:
            tracer.end(self.epoch, due, errors)

    def _deliver(
        self, subscribers: tuple[Subscriber, ...], delta: Delta, errors: list[BaseException]
    ) -> None:
        epoch = self.epoch
        for subscriber in subscribers:
            if subscriber.since < epoch:  # else it subscribed during this very delivery
                try:
                    subscriber.deliver(delta)
                except BaseException as error:  # noqa: BLE001 - one subscriber must not starve the next
                    errors.append(error)

    # -- nodes -----------------------------------------------------------------------------------------------------

    def add(self, node: Node, identity: Hashable) -> None:
        """Wire a new node to its inputs, register it for sharing, and hydrate it.

        A node whose hydration raises is added all the same, out of order, so that it can recover.
        """
        node.identity = identity
        if identity is not None:
            self.nodes[identity] = node
        self.members.add(node)
        self._propagation.rewire(node.rank)
        for source in dict.fromkeys(node.inputs):
            source.references += 1
            source.connect(node)
        upstream = next((source.error for source in node.inputs if source.error), None)
        if upstream is not None:
            node.error = upstream
            return
        state = self.stepping, self._busy
        self.stepping = self._busy = True
        try:
            rebuild(node)
        except Exception as error:  # noqa: BLE001 - becomes the node's status
            fail(node, error)
        except BaseException:
            node.references = 1
            self.release(node)  # nobody may find it half hydrated
            raise
        finally:
            self.stepping, self._busy = state

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
            self._propagation.rewire(current.rank)
            if self.nodes.get(current.identity) is current:
                del self.nodes[current.identity]
            current.released()
            for source in dict.fromkeys(current.inputs):
                source.disconnect(current)
                pending.append(source)

    @contextmanager
    def isolated(self) -> Generator[None]:
        """Share no node between what is planned inside the `with` and what is planned outside."""
        nodes, self.nodes = self.nodes, {}
        try:
            yield
        finally:
            self.nodes = nodes

    def later(self, action: Callable[[], object]) -> None:
        """Do something at the next safe point: when the outermost commit is over, if one is running.

        May be called by a finalizer, in any thread, in the middle of a step.
        """
        self._later.append(action)

    def collect(self, errors: list[BaseException] | None = None) -> None:
        """Do what was asked for `later`, unless an epoch is running.

        Args:
            errors: takes what actions raise, so that one does not keep others from being done; without it the first one raises.
        """
        while self._later and not self._busy:
            try:
                self._later.popleft()()
            except Exception as error:
                if errors is None:
                    raise
                errors.append(error)

    def statistics(self) -> GraphStatistics:
        """Return a snapshot of counters; what finalizers asked for is done first."""
        self.collect()
        sources = {source for node in self.members for source in node.inputs}
        known = self.members | sources
        return GraphStatistics(
            epochs=self.epoch,
            nodes=len(self.members),
            consumers=sum(len(node.consumers) for node in known),
            subscribers=sum(len(node.subscribers) for node in known),
            rows_held=sum(node.state_rows() for node in self.members),
            rows_touched=sum(node.touched for node in self.members),
        )


def _hydrate(commit: Commit, due: list[Announcement], errors: list[BaseException]) -> None:
    """Let a commit build what waited for it, and add what is to be told of that."""
    try:
        due += commit.hydrate()
    except BaseException as error:
        if isinstance(error, Exception):
            raise
        errors.append(error)
    due.sort(key=itemgetter(0))


def _interrupt(errors: list[BaseException]) -> BaseException | None:
    return next((error for error in errors if not isinstance(error, Exception)), None)


def _grouped(errors: list[BaseException]) -> ExceptionGroup[Exception] | None:
    raised = [error for error in errors if isinstance(error, Exception)]
    return ExceptionGroup("subscribers raised", raised) if raised else None


class _Graphs(threading.local):
    """Of each thread its graph.

    Attributes:
        here: that of the calling thread, None until its first use.
    """

    here: Graph | None = None


graphs: _Graphs = _Graphs()


def current_graph() -> Graph:
    """Return the graph of the calling thread, made on first use."""
    graph = graphs.here
    if graph is None:
        graph = graphs.here = Graph()
    return graph
