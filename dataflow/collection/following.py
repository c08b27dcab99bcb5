"""Following: the changes of a source as an asynchronous iterator.

It subscribes when it is made, not when it is first awaited, so nothing is missed between. A fast consumer gets one list per
epoch; a slow one gets the epochs it missed merged into one net change per key (`netting`): what waits for it is bounded by the
rows there were when it last looked and the rows there are, whatever happened in between.

The graph holds the `Inbox`, whoever consumes holds the `Changes`: an iterator that is dropped without `aclose()` (a `break` out
of `async for`) is let go by garbage collection, unless somebody is awaiting it. The source lives as long as the iterator does.

asyncio is imported here, inside the functions that wait, and nowhere else in the engine's lower layers.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from dataflow.collection.changes import Change, changes_of
from dataflow.collection.gathering import gathering
from dataflow.collection.loop import wake
from dataflow.collection.netting import Net
from dataflow.collection.statistics import SubscriptionStatistics
from dataflow.errors import CollectionError

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable
    from types import TracebackType

    from dataflow.circuit.graph import Graph
    from dataflow.circuit.node import Delta, Node
    from dataflow.collection.gathering import Clock

R = TypeVar("R")


class Followed(Protocol):
    """What is followed: it can be asked for its state when there is nothing more to hand out."""

    @property
    def status(self) -> str:
        """`error` and `closed` end the following."""
        ...

    @property
    def error(self) -> BaseException | None:
        """Why the status is `error`."""
        ...


class Inbox:
    """What has happened since the consumer last looked.

    Attributes:
        since: the epoch at whose end it was made.
        closed: whether it takes in nothing more.
        wake: what the consumer is waiting on, if it is.
    """

    __slots__ = ("_forget", "_gathering", "_net", "_node", "closed", "since", "wake")

    def __init__(
        self,
        graph: Graph,
        *,
        forget: Callable[[Any], object],
        every: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._forget = forget
        self._net = Net()
        self._node: Node | None = None
        self.since: int = graph.epoch
        self.closed: bool = False
        self.wake: Future[None] | None = None
        self._gathering = gathering(graph, self, every, clock)

    def follow(self, node: Node) -> None:
        """Get the deltas and the status of a node from now on."""
        self._node = node
        node.subscribers[self._gathering or self] = None
        node.watchers[self] = None

    def deliver(self, delta: Delta) -> None:
        """Take in the delta of an epoch."""
        if not self.closed:
            self._net.add(delta)
            self._wake()

    def status_changed(self) -> None:
        """Let the consumer look again: the source has failed, recovered or closed."""
        if self._gathering is not None:
            self._net.add(self._gathering.drain())
        self._wake()

    def _wake(self) -> None:
        if self.wake is not None:
            wake(self.wake)

    def take(self) -> Delta:
        """Return the net changes since the last call."""
        return self._net.take()

    @property
    def waiting(self) -> int:
        """How many keys have changes that have not been taken."""
        return len(self._net) + (0 if self._gathering is None else self._gathering.waiting)

    def close(self) -> None:
        """Take in nothing more; what has come in so far can still be taken."""
        if self.closed:
            return
        self.closed = True
        self._forget(self)
        if self._node is not None:
            self._node.subscribers.pop(self._gathering or self, None)
            self._node.watchers.pop(self, None)
            self._node = None
        self.status_changed()


class Changes(Generic[R]):
    """Asynchronous iterator over lists of changes; leaving it (`async with`, `aclose()`) unsubscribes at once.

    Raises:
        CollectionError: from iteration, when the source is in status "error"; its cause is the source's.
    """

    def __init__(
        self,
        source: Followed,
        graph: Graph,
        inbox: Inbox,
        initial: Delta | None,
    ) -> None:
        self._source: Followed | None = source
        self._graph = graph
        self._inbox = inbox
        self._initial = initial
        self._finalizer = weakref.finalize(self, graph.later, inbox.close)
        self._finalizer.atexit = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Change[R]]:
        import asyncio

        inbox = self._inbox
        if inbox.wake is not None:
            raise CollectionError(
                "changes() is awaited twice at a time: give each consumer its own"
            )
        while self._source is not None:
            ready = self._take()
            if ready is not None:
                return ready
            status = self._source.status
            if status == "error":
                raise CollectionError(
                    f"{self._source} is in status 'error': {self._source.error!r}"
                ) from self._source.error
            if status == "closed":
                break
            inbox.wake = asyncio.get_running_loop().create_future()
            try:
                await inbox.wake
            finally:
                inbox.wake = None
        raise StopAsyncIteration

    def _take(self) -> list[Change[R]] | None:
        if self._initial is not None:
            initial, self._initial = self._initial, None
            return changes_of(initial)
        net = self._inbox.take()
        return changes_of(net) if net else None

    def statistics(self) -> SubscriptionStatistics:
        """Return a snapshot of what waits for the consumer."""
        return SubscriptionStatistics(0, self._inbox.waiting)

    async def aclose(self) -> None:
        """Unsubscribe; a pending iteration ends. Closing twice is allowed."""
        if self._source is None:
            return
        self._graph.check_thread("changes()")
        self._finalizer.detach()
        self._source = None
        self._inbox.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
