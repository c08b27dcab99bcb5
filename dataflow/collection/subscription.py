"""Subscriptions: a callback that gets the net changes of each epoch.

Law     folding a subscriber's deliveries over its initial rows reproduces what it watches, `where` and `every` included
Edges   a subscription lives until it is closed, also when its handle is dropped, and keeps its source alive; closing takes
        effect at once, even during a delivery; a subscription made during a delivery starts with the next epoch; a row for
        which `where` raises counts as filtered out, and what it raised surfaces as if the callback had raised it; what
        `every` (`gathering`) holds when it is closed is not told any more
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.callables import is_async
from dataflow.closing import Closing
from dataflow.collection.changes import changes_of
from dataflow.collection.gathering import gathering
from dataflow.collection.loop import require_callable
from dataflow.collection.statistics import SubscriptionStatistics
from dataflow.errors import CollectionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.circuit.graph import Graph
    from dataflow.circuit.node import Delta, Node
    from dataflow.collection.gathering import Clock


def check_subscriber(fn: object) -> None:
    """Refuse what cannot be called with changes: values, generators, and coroutine functions, which nobody would await.

    Raises:
        CollectionError: if it is one of those.
    """
    require_callable(fn, "a subscriber")
    if is_async(fn):
        error = CollectionError(f"a subscriber cannot be a coroutine function: {fn!r}")
        error.add_note(
            "write: async for changes in collection.changes(); or start a task in a plain function"
        )
        raise error


class Subscription(Closing):
    """A running subscription; `close()` it, or use it as a context manager.

    Attributes:
        since: the epoch at whose end it was made.
        closed: whether it has been closed.
    """

    __slots__ = (
        "_call",
        "_forget",
        "_gathering",
        "_graph",
        "_inside",
        "_node",
        "_where",
        "closed",
        "since",
    )

    def __init__(
        self,
        graph: Graph,
        call: Callable[[list[Any]], object],
        *,
        forget: Callable[[Any], object],
        where: Callable[[Any], object] | None = None,
        every: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._graph = graph
        self._call = call
        self._where = where
        self._forget = forget  # bound to the source, which the subscription thus keeps alive
        self._inside: set[Any] = set()  # keys of the rows that `where` let through
        self._node: Node | None = None
        self.since: int = graph.epoch
        self.closed: bool = False
        self._gathering = gathering(graph, self, every, clock)
        graph.anchors.add(self)

    def follow(self, node: Node) -> None:
        """Get the deltas of a node from now on."""
        self._node = node
        node.subscribers[self._gathering or self] = None

    def flush(self) -> None:
        """Call the subscriber now with what `every=` has been gathering, if anything."""
        self._graph.check_thread("a subscription")
        if self._gathering is not None and not self.closed:
            self._gathering.flush()

    def statistics(self) -> SubscriptionStatistics:
        """Return a snapshot of what it keeps."""
        waiting = 0 if self._gathering is None else self._gathering.waiting
        return SubscriptionStatistics(len(self._inside), waiting)

    def skip(self, present: Callable[[], Delta]) -> None:
        """Take present rows as known, without delivering them."""
        if self._where is not None:
            _, raised = self._narrow(present())
            if raised is not None:
                raise raised

    def deliver(self, delta: Delta) -> None:
        """Call the subscriber with the changes of one epoch."""
        if self.closed:
            return
        if self._where is None:
            self._call(changes_of(delta))
            return
        narrowed, raised = self._narrow(delta)
        if narrowed:
            self._call(changes_of(narrowed))
        if raised is not None:
            raise raised

    def _narrow(self, delta: Delta) -> tuple[Delta, Exception | None]:
        """Turn a delta into that of the rows for which `where` holds, calling it once per new row."""
        inside = self._inside
        narrowed: Delta = []
        raised: Exception | None = None
        for key, old, new in delta:
            was, now = key in inside, False
            if new is not None:
                try:
                    now = self._holds(new)
                except Exception as error:  # noqa: BLE001 - raised when the other rows are delivered
                    raised = raised or error
            if now:
                inside.add(key)
                narrowed.append((key, old if was else None, new))
            elif was:
                inside.discard(key)
                narrowed.append((key, old, None))
        return narrowed, raised

    def _holds(self, row: Any) -> bool:
        assert self._where is not None
        return bool(self._where(row))

    def close(self) -> None:
        """Stop; no call is made after this returns. Closing twice is allowed."""
        if self.closed:
            return
        self._graph.check_thread("a subscription")
        self.closed = True
        self._graph.anchors.discard(self)
        if self._node is not None:
            self._node.subscribers.pop(self._gathering or self, None)
        self._node = None
        if self._gathering is not None:
            self._gathering.drain()
        self._forget(self)
        self._forget = _forgotten


def _forgotten(_: object) -> None:
    """Stand in for the source of a closed subscription, which is no longer held."""
