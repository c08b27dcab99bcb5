"""Subscriptions: a callback that gets the net changes of each epoch.

Law     folding a subscriber's deliveries over its initial rows reproduces what it watches, `where` included
Edges   a subscription lives until it is closed, also when its handle is dropped, and keeps its source alive; closing takes
        effect at once, even during a delivery; a subscription made during a delivery starts with the next epoch
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from dataflow.collection.changes import Change, changes_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from dataflow.circuit.graph import Graph
    from dataflow.circuit.node import Delta, Node


class Subscription:
    """A running subscription; `close()` it, or use it as a context manager.

    Attributes:
        since: the epoch at whose end it was made.
        closed: whether it has been closed.
    """

    __slots__ = ("_call", "_inside", "_node", "_source", "_where", "closed", "since")

    def __init__(
        self,
        source: object,
        graph: Graph,
        call: Callable[[list[Change[Any]]], object],
        *,
        where: Callable[[Any], object] | None,
    ) -> None:
        self._source = source  # kept alive by the subscription
        self._call = call
        self._where = where
        self._inside: set[Any] = set()  # keys of the rows that `where` let through
        self._node: Node | None = None
        self.since = graph.epoch
        self.closed = False

    def attach(self, node: Node, *, initial: bool) -> None:
        """Start to follow a node; with `initial` its present rows are delivered at once, as inserts."""
        self._node = node
        node.subscribers.append(self)
        if not initial and self._where is None:
            return
        keys = node.ordered_keys()
        rows = node.rows or {}
        present: Delta = [(key, None, rows[key]) for key in (rows if keys is None else keys)]
        if self._where is not None:
            present = self._narrow(present)
        if initial and present:
            self._call(changes_of(present))

    def deliver(self, delta: Delta) -> None:
        """Call the subscriber with the changes of one epoch."""
        if self.closed:
            return
        if self._where is not None:
            delta = self._narrow(delta)
        if delta:
            self._call(changes_of(delta))

    def _narrow(self, delta: Delta) -> Delta:
        """Turn a delta into that of the rows for which `where` holds, calling it once per new row."""
        where, inside = self._where, self._inside
        assert where is not None
        narrowed: Delta = []
        for key, old, new in delta:
            was, now = key in inside, new is not None and bool(where(new))
            if now:
                inside.add(key)
                narrowed.append((key, old if was else None, new))
            elif was:
                inside.discard(key)
                narrowed.append((key, old, None))
        return narrowed

    def close(self) -> None:
        """Stop; no call is made after this returns. Closing twice is allowed."""
        if self.closed:
            return
        self.closed = True
        if self._node is not None:
            self._node.subscribers.remove(self)
        self._node = None
        self._source = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
