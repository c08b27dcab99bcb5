"""Batches: commits to several collections as one epoch.

The current batch lives in a ContextVar, so two tasks of one thread do not share it by accident; and because a task, or a thread,
started inside a batch inherits its creator's context, a batch also remembers who opened it and takes no writes from another.

Law     a batch is one epoch over all collections it touches, or nothing at all
Edges   reads see the last published epoch until the outermost batch ends; batches nest, the inner ones join the outermost.
        What transactions note about themselves while a batch is open is taken back with it; what they do when it is
        published, such as calling their mutation function, waits for that.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

from dataflow.circuit.commit import Announcement, Commit
from dataflow.circuit.graph import Graph, current_graph
from dataflow.errors import CollectionError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from dataflow.circuit.node import Node


class Staged(Commit):
    """Staged writes to one collection."""

    __slots__ = ()

    def merge(self, later: Any) -> None:
        """Take over writes that were staged after these."""
        raise NotImplementedError


class Batch(Commit):
    """The commits of one `with batch():`, one per collection, in order of first write; then what became ready in it."""

    __slots__ = ("_published", "_staged", "_starts", "_undo", "graph", "task", "transaction")

    def __init__(self, graph: Graph) -> None:
        self.graph: Graph = graph
        self.task: object = current_task()
        self.transaction: object = None  # whose mutate block is open, if one is
        self._staged: dict[int, tuple[object, Staged]] = {}
        self._starts: list[Callable[[], list[Announcement]]] = []
        self._undo: list[Callable[[], object]] = []
        self._published: list[Callable[[], object]] = []

    def stage(self, collection: object, staged: Staged) -> None:
        """Add the writes of one collection."""
        earlier = self._staged.get(id(collection))
        if earlier is None:
            # the collection is kept alive, as its id stands for it
            self._staged[id(collection)] = (collection, staged)
        else:
            earlier[1].merge(staged)

    def staged(self, collection: object) -> Staged | None:
        """Return what is staged for a collection."""
        found = self._staged.get(id(collection))
        return None if found is None else found[1]

    def start(self, starts: list[Callable[[], list[Announcement]]]) -> None:
        """Make sources ready when the batch ends, after its writes."""
        self._starts += starts

    @property
    def hydrates(self) -> bool:  # type: ignore[override]  # a batch knows only when it ends
        """Whether a source became ready in the batch."""
        return bool(self._starts)

    def apply(self) -> list[Node]:
        """Apply every commit; called by the graph."""
        return [node for _, staged in self._staged.values() for node in staged.apply()]

    def hydrate(self) -> list[Announcement]:
        """Start what became ready; called by the graph."""
        return [announcement for start in self._starts for announcement in start()]

    # -- what transactions note ----------------------------------------------------------------------------------------

    @property
    def mark(self) -> int:
        """A place that `take_back` can go back to."""
        return len(self._undo)

    def on_discard(self, undo: Callable[[], object]) -> None:
        """Do something if the batch is discarded, in reverse order."""
        self._undo.append(undo)

    def on_published(self, action: Callable[[], object]) -> None:
        """Do something once the batch has been published, unless what is noted now is taken back."""
        self._published.append(action)
        self._undo.append(partial(self._published.remove, action))

    def take_back(self, mark: int = 0) -> None:
        """Undo what was noted since a mark; what is staged stays."""
        while len(self._undo) > mark:
            self._undo.pop()()

    def publish(self) -> None:
        """Run the batch as one epoch, then what waited for it.

        Raises:
            ExceptionGroup: what subscribers raised; what waited has been done all the same.
        """
        try:
            self.graph.refuse_while_stepping("write to a collection")
        except CollectionError:
            self.take_back()
            raise
        with ExitStack() as waiting:
            for action in reversed(self._published):
                waiting.callback(action)
            if self._staged or self._starts:
                self.graph.run(self)


open_batch: ContextVar[Batch | None] = ContextVar("dataflow_batch", default=None)
"""The batch of the context, if there is one. Whether it takes what is written here, `current_batch` tells."""


def current_batch() -> Batch | None:
    """Return the batch that writes of this task go to, if any."""
    found = open_batch.get()
    if found is None or found.task is not current_task() or found.graph is not current_graph():
        return None
    return found


def current_task() -> object:
    """Return the running asyncio task, or None. asyncio is not imported for it: without it there are no tasks."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        return asyncio.current_task()
    except RuntimeError:  # no running loop
        return None


@contextmanager
def batch() -> Generator[None]:
    """Make all commits inside the `with` one epoch.

    An exception that leaves the outermost `with` discards everything. Reads inside see the last published epoch.

    Raises:
        ExceptionGroup: what subscribers raised, from the end of the outermost `with`.
    """
    if current_batch() is not None:
        yield
        return
    mine = Batch(current_graph())
    token = open_batch.set(mine)
    try:
        yield
    except BaseException:
        mine.take_back()
        raise
    finally:
        open_batch.reset(token)
    mine.publish()
