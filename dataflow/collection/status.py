"""Status: where a collection or live result is in its life, and who is told when that changes.

    idle ──▶ loading ──▶ ready ──▶ closed          error from any of the first three, and back to ready
                 └───▶ error ◀──┘

Law     a status subscriber is called once for each status it can see, never twice in a row for the same one; what it gets is
        the status at the time of the call, so a status that passes within an epoch is not told
Form    `subscribe_status(fn)` returns a handle to close, as `subscribe(fn)` does. There are no names of events to mistype, and
        no `once`: to wait for one status is `await wait_ready()`.
Edges   called after the epoch that brought the change, like every subscriber, and what it raises surfaces like theirs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from dataflow.circuit.commit import Commit
from dataflow.closing import Closing

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.circuit.commit import Announcement
    from dataflow.circuit.graph import Graph
    from dataflow.circuit.node import Delta, Node

Status: TypeAlias = Literal["idle", "loading", "ready", "error", "closed"]


class HasStatus(Protocol):
    """What has a status."""

    @property
    def status(self) -> Status:
        """The present status."""
        ...


class StatusSubscription(Closing):
    """A running subscription to a status; `close()` it, or use it as a context manager.

    Attributes:
        since: the epoch at whose end it was made.
        closed: whether it has been closed.
    """

    __slots__ = ("_call", "_forget", "_graph", "_node", "_seen", "_source", "closed", "since")

    def __init__(
        self,
        source: HasStatus,
        graph: Graph,
        call: Callable[[Status], object],
        *,
        forget: Callable[[Any], object],
    ) -> None:
        self._source: HasStatus | None = source
        self._graph = graph
        self._call = call
        self._forget = forget
        self._seen = source.status
        self._node: Node | None = None
        self.since: int = graph.epoch
        self.closed: bool = False
        graph.anchors.add(self)

    def follow(self, node: Node) -> None:
        """Be told when a node fails or recovers."""
        self._node = node
        node.watchers[self] = None

    def status_changed(self) -> None:
        """Call the subscriber once the epoch is over, if the status is another one by then."""
        if not self.closed and self._source is not None and self._source.status != self._seen:
            self._graph.run(_News(self))

    def deliver(self, delta: Delta) -> None:
        """Call the subscriber if the status differs from what it was told; rows are not its business."""
        if self.closed or self._source is None:
            return
        status = self._source.status
        if status != self._seen:
            self._seen = status
            if status == "closed":  # the last one there is
                self.close()
            self._call(status)

    def close(self) -> None:
        """Stop; no call is made after this returns. Closing twice is allowed."""
        if self.closed:
            return
        self._graph.check_thread("a subscription")
        self.closed = True
        self._graph.anchors.discard(self)
        if self._node is not None:
            self._node.watchers.pop(self, None)
        self._node = None
        self._source = None
        self._forget(self)


class _News(Commit):
    """Calls a status subscriber as the epoch delivers, so that what it raises never starves others."""

    __slots__ = ("_subscription",)

    hydrates = True

    def __init__(self, subscription: StatusSubscription) -> None:
        self._subscription = subscription

    def hydrate(self) -> list[Announcement]:
        """Announce nothing but the status."""
        return [(0, (self._subscription,), [])]
