"""Batches: commits to several collections as one epoch.

The current batch lives in a ContextVar, so two tasks of one thread do not share it by accident; and because a task, or a thread,
started inside a batch inherits its creator's context, a batch also remembers who opened it and takes no writes from another.

Law     a batch is one epoch over all collections it touches, or nothing at all
Edges   reads see the last published epoch until the outermost batch ends; batches nest, the inner ones join the outermost
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from dataflow.circuit.commit import Announcement, Commit
from dataflow.circuit.graph import Graph, current_graph

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

    __slots__ = ("_staged", "_starts", "graph", "task")

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.task = current_task()
        self._staged: dict[int, tuple[object, Staged]] = {}
        self._starts: list[Callable[[], list[Announcement]]] = []

    def stage(self, collection: object, staged: Staged) -> None:
        """Add the writes of one collection."""
        earlier = self._staged.get(id(collection))
        if earlier is None:
            self._staged[id(collection)] = (
                collection,
                staged,
            )  # kept alive, as the id stands for it
        else:
            earlier[1].merge(staged)

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

    def __bool__(self) -> bool:
        return bool(self._staged or self._starts)


_current: ContextVar[Batch | None] = ContextVar("dataflow_batch", default=None)


def current_batch() -> Batch | None:
    """Return the batch that writes of this task go to, if any."""
    found = _current.get()
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
    token = _current.set(mine)
    try:
        yield
    finally:
        _current.reset(token)
    if mine:
        mine.graph.run(mine)
