"""Nodes of the circuit: what every operator of a running graph has in common.

A node owns some state, reads the net deltas of its inputs, and answers with its own. Its contract with the graph:

- `step()` runs at most once per epoch, after every input is final, and returns the node's *net* delta: a list of
  `(key, old | None, new | None)`, at most one entry per key, never one whose old and new are equal. Rows are never None.
- A node reads its inputs through `input.out` (this epoch's delta) and `input.scan()` (all rows, as of this epoch). `out` lives
  until the epoch ends.
- A node that keeps its output (`rows` is a dict) changes it only inside `step()` and `hydrate()`. If `step` raises, the
  graph calls `undo()`, and `rows` is again what it was when the epoch began.
- After a failure everything but `rows` is garbage; `hydrate()` builds it anew from the inputs.

Nodes are shared: equal parts of equal queries are one node, counted by references. A node without references is detached
from its inputs, which may free them in turn.

Source  Budiu et al., "DBSP: Automatic Incremental View Maintenance", VLDB 2023, for the operator contract; keyed deltas
        instead of weights as in "upsert streams" of practical systems.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from dataflow.circuit.router import Router

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from dataflow.circuit.router import Route, Routing

Delta: TypeAlias = "list[tuple[Any, Any, Any]]"
Pairs: TypeAlias = "Iterable[tuple[Any, Any]]"

Ended: TypeAlias = "tuple[tuple[Node, ...], int, BaseException]"
"""Where a way ended before its time: its nodes, the place of the one whose step raised, and the error."""

Way: TypeAlias = "Callable[[Scheduler, list[BaseException]], Ended | None]"
"""Follows a change of a source: steps the nodes that read it, then tells their subscribers, whose errors it adds to a list. If a step
raises, nobody has been told. See `way`."""

EMPTY: Delta = []


class StepError(Exception):
    """Carries the key at which a user function raised; the function's exception is the cause."""

    def __init__(self, key: Any) -> None:
        super().__init__(key)
        self.key = key


class Subscriber(Protocol):
    """Gets the delta of every epoch in which a node changed.

    Attributes:
        since: the epoch it was made in; it hears of later ones.
    """

    since: int

    def deliver(self, delta: Delta) -> None:
        """Take in the net delta of an epoch."""
        ...


class Scheduler(Protocol):
    """A graph, as far as ways know it.

    Attributes:
        epoch: number of the current epoch.
        stepping: whether a user function of a query may be running.
    """

    epoch: int
    stepping: bool


class Watcher(Protocol):
    """Is told when a node gets out of order, and when it recovers."""

    def status_changed(self) -> None:
        """Look at the status again."""
        ...


class Node:
    """An operator of a running graph. Subclasses implement `step`, `scan` and `hydrate`.

    Attributes:
        rank: greater than the rank of every input; nodes of an epoch run in rank order.
        out: net delta of the current epoch, empty between epochs.
        rows: key -> row of the whole output, or None when the node does not keep it.
        error: why the node is out of order, or None.
        source: the generated code, "" for a node without any.
        consumers: the nodes that read it.
        subscribers: who is called with its delta once the epoch is over.
        watchers: who is told of failure and recovery.
        route: which rows of its input can concern it, as far as it can tell a router; None for all.
        router: finds the consumers that a delta may concern; None for all of them.
        touched: rows this node has read or written since it was made (input delta entries plus rows looked up).
    """

    __slots__ = (
        "__weakref__",
        "consumers",
        "error",
        "failed_at",
        "identity",
        "inputs",
        "label",
        "out",
        "queued",
        "rank",
        "references",
        "route",
        "router",
        "rows",
        "source",
        "steps",
        "subscribers",
        "touched",
        "watchers",
    )

    def __init__(self, inputs: tuple[Node, ...], *, label: str = "") -> None:
        self.inputs: tuple[Node, ...] = inputs
        self.label: str = label or type(self).__name__
        self.source: str = ""
        self.rank: int = 1 + max((node.rank for node in inputs), default=-1)
        self.consumers: dict[Node, None] = {}  # dicts for order and for removal in O(1)
        self.subscribers: dict[Subscriber, None] = {}
        self.watchers: dict[Watcher, None] = {}
        self.route: Route | None = None
        self.router: Routing[Node] | None = None
        self.out: Delta = EMPTY
        self.rows: dict[Any, Any] | None = None
        self.error: BaseException | None = None
        self.failed_at: Any = None
        self.identity: Hashable = None
        self.references: int = 0
        self.queued: bool = False
        self.touched: int = 0
        self.steps: int = 0

    def connect(self, consumer: Node) -> None:
        """Let a node read this one."""
        self.consumers[consumer] = None

    def disconnect(self, consumer: Node) -> None:
        """Take back `connect`."""
        del self.consumers[consumer]

    def step(self) -> Delta:
        """Consume the inputs' deltas and return this node's net delta."""
        raise NotImplementedError

    def scan(self) -> Pairs:
        """Iterate over (key, row) of the whole output, as of the last step."""
        assert self.rows is not None
        return self.rows.items()

    def hydrate(self) -> None:
        """Build all state from the inputs' rows, forgetting what was there."""
        raise NotImplementedError

    def reaches(self, key: Any) -> bool:
        """Tell whether this epoch's input delta touches what `StepError` named as the place of a failure."""
        keys = (entry[0] for source in self.inputs for entry in source.out)
        return key in keys  # which finds NaN

    def undo(self) -> None:
        """Put `rows` back to what it was before the step that raised. Nodes without `rows` have nothing to do."""

    def released(self) -> None:
        """Let go of what lives as long as the node does; called once nothing refers to it any more."""

    def ordered_keys(self) -> Iterable[Any] | None:
        """Iterate over the keys of the output in query order, or None if the query has none."""
        return None

    def state_rows(self) -> int:
        """Count the rows this node holds."""
        return 0 if self.rows is None else len(self.rows)


class SourceNode(Node):
    """Rank 0: the visible rows of a collection, and where its changes enter the graph.

    The collection owns `rows` and the rules for changing it; it hands over the net delta of each commit as `out`.

    Attributes:
        way: does the epoch of a change of it alone, None if where that leads has to be looked for.
        way_found: in which state of its graph that was found.
    """

    __slots__ = ("way", "way_found")

    router: Router[Node] | None
    rows: dict[Any, Any]

    def __init__(self, *, label: str) -> None:
        super().__init__((), label=label)
        self.rows = {}
        self.way: Way | None = None
        self.way_found: int = -1

    def connect(self, consumer: Node) -> None:
        """Let a node read this one; a router is made with the first one that has a route."""
        super().connect(consumer)
        if self.router is not None:
            self.router.add(consumer)
        elif consumer.route is not None:
            self.router = Router()
            for each in self.consumers:
                self.router.add(each)

    def disconnect(self, consumer: Node) -> None:
        """Take back `connect`; the router goes with the last one that has a route."""
        super().disconnect(consumer)
        if self.router is not None:
            self.router.remove(consumer)
            if not self.router:
                self.router = None

    def hydrate(self) -> None:
        """Do nothing: a source is the state others are built from."""


def undo_changes(rows: dict[Any, Any], changes: Delta) -> None:
    """Put rows back to what they were before changes that were applied to them."""
    restore(rows, [(key, old) for key, old, _ in reversed(changes)])


def restore(rows: dict[Any, Any], before: Pairs) -> None:
    """Put rows back to those of `before`, (key, row) pairs in which None stands for no row."""
    for key, old in before:
        if old is None:
            rows.pop(key, None)
        else:
            rows[key] = old
