"""Readiness: queries over sources that are still loading hydrate together when the sources are there.

Law     a live result is empty and "loading" until all its sources are ready; then it hydrates in one epoch, together with
        everything that waited for it, and only then is any subscriber called
Edges   who waits is told once, whether the source got ready, failed or closed: it looks at the status and decides
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from dataflow.circuit.commit import Commit
from dataflow.collection.loop import wake

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Iterable

    from dataflow.circuit.commit import Announcement


class Waiting(Protocol):
    """Something that waits for a source: a live query, or somebody's `wait_ready()`."""

    def source_ready(self) -> list[Announcement]:
        """Look at the source's status again; return what is to be announced of it."""
        ...


class RowSource(Protocol):
    """A source that delivers the rows of a collection once it is started."""

    @property
    def is_started(self) -> bool:
        """Whether it has been started."""
        ...

    def start(self) -> None:
        """Begin to deliver rows: the collection turns to "loading", and gets ready or fails later on."""
        ...


class Readiness(Commit):
    """The commit that hydrates what waited.

    Args:
        starts: each makes one source ready and returns what is to be announced of it.
    """

    __slots__ = ("_starts",)

    hydrates = True

    def __init__(self, starts: Iterable[Callable[[], list[Announcement]]]) -> None:
        self._starts = starts

    def hydrate(self) -> list[Announcement]:
        """Start everything; called by the graph."""
        return [announcement for start in self._starts for announcement in start()]


class Wake:
    """Wakes a coroutine that waits for a source."""

    __slots__ = ("_future",)

    def __init__(self, future: Future[None]) -> None:
        self._future = future

    def source_ready(self) -> list[Announcement]:
        """Let the coroutine look at the status."""
        wake(self._future)
        return []
