"""Following: the changes of a source as an asynchronous iterator.

It subscribes when it is made, not when it is first awaited, so nothing is missed between. A fast consumer gets one list per
epoch; a slow one gets the epochs it missed merged into one net change per key, so what waits is never more than the rows touched.

asyncio is imported here, inside the functions that wait, and nowhere else in the engine's lower layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from dataflow.collection.changes import Change, changes_of
from dataflow.errors import CollectionError
from dataflow.values.equality import equal

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable
    from types import TracebackType

    from dataflow.circuit.node import Delta

R = TypeVar("R")


class Followed(Protocol):
    """What is followed: it can be asked for its state when there is nothing more to hand out."""

    @property
    def name(self) -> str:
        """Label for errors."""
        ...

    @property
    def status(self) -> str:
        """`error` and `closed` end the following."""
        ...

    @property
    def error(self) -> BaseException | None:
        """Why the status is `error`."""
        ...


class Changes(Generic[R]):
    """Asynchronous iterator over lists of changes; leaving it (`async with`, `aclose()`) unsubscribes at once.

    Raises:
        CollectionError: from iteration, when the source is in status "error"; its cause is the source's.
    """

    def __init__(
        self,
        source: Followed,
        detach: Callable[[Changes[R]], None],
        initial: Delta | None,
        *,
        since: int,
    ) -> None:
        self.since = since
        self.nodes: list[Any] = []  # where it is attached, for whoever detaches it
        self._source = source
        self._detach: Callable[[Changes[R]], None] | None = detach
        self._initial = initial
        self._waiting: dict[Any, tuple[Any, Any]] = {}
        self._wake: Future[None] | None = None

    def deliver(self, delta: Delta) -> None:
        """Take in the delta of an epoch."""
        waiting = self._waiting
        for key, old, new in delta:
            earlier = waiting.get(key)
            waiting[key] = (old, new) if earlier is None else (earlier[0], new)
        self.status_changed()

    def status_changed(self) -> None:
        """Look again: there are changes, or the source has failed or closed."""
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Change[R]]:
        import asyncio

        while True:
            if self._detach is None:
                raise StopAsyncIteration
            ready = self._take()
            if ready is not None:
                return ready
            if self._source.status == "error":
                raise CollectionError(
                    f"{self._source.name!r} is in status 'error'"
                ) from self._source.error
            if self._source.status == "closed":
                raise StopAsyncIteration
            self._wake = asyncio.get_running_loop().create_future()
            try:
                await self._wake
            finally:
                self._wake = None

    def _take(self) -> list[Change[R]] | None:
        if self._initial is not None:
            initial, self._initial = self._initial, None
            return changes_of(initial)
        if not self._waiting:
            return None
        waiting, self._waiting = self._waiting, {}
        net = [
            (key, old, new)
            for key, (old, new) in waiting.items()
            if not (old is new or (old is not None and new is not None and equal(old, new)))
        ]
        return changes_of(net) if net else None

    async def aclose(self) -> None:
        """Unsubscribe; a pending iteration ends."""
        detach, self._detach = self._detach, None
        if detach is not None:
            detach(self)
            self.status_changed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
