"""Waiting: readers at the tail of a stream, until it changes, time is up, or they are sent away.

State      Per reader that waits one future, one timer, and one task that learns when it has gone.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from stateschema.stream.follow import resolve
from stateschema.stream.server.asgi import Receive


class Departure:
    """Learns that the peer of a request has gone; begins to listen when somebody asks.

    Args:
        receive: Of the request, whose body has been read.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._task: asyncio.Task[None] | None = None

    @property
    def has_come(self) -> bool:
        """Whether the peer is known to have gone."""
        return self._task is not None and self._task.done()

    @contextmanager
    def resolving(self, woken: "asyncio.Future[None]") -> Generator[None]:
        """Resolve a future when the peer goes."""

        def left(_: object) -> None:
            resolve(woken)

        task = self.listen()
        task.add_done_callback(left)
        try:
            yield
        finally:
            task.remove_done_callback(left)

    def listen(self) -> "asyncio.Task[None]":
        """Begin to listen."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen())
        return self._task

    def forget(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


class Waiting:
    """All readers that wait, so that a server that shuts down can send them away."""

    def __init__(self) -> None:
        self._futures: set[asyncio.Future[None]] = set()
        self._is_draining = False

    @property
    def is_draining(self) -> bool:
        """Whether nobody may wait any more."""
        return self._is_draining

    @property
    def count(self) -> int:
        """How many wait right now."""
        return len(self._futures)

    async def wait(
        self, woken: "asyncio.Future[None]", *, until: float, departure: Departure
    ) -> bool:
        """Wait for a future, and tell whether it makes sense to look again.

        Args:
            woken: Resolved when there may be something new.
            until: When to give up, in the time of the loop.
            departure: Of the reader.
        """
        loop = asyncio.get_running_loop()
        if self._ends(departure) or loop.time() >= until:
            return False
        timer = loop.call_at(until, resolve, woken)
        self._futures.add(woken)
        try:
            with departure.resolving(woken):
                await woken
        finally:
            self._futures.discard(woken)
            timer.cancel()
        return not self._ends(departure)

    def drain(self) -> None:
        """Send everybody away, and let nobody wait again."""
        self._is_draining = True
        for future in tuple(self._futures):
            resolve(future)

    def _ends(self, departure: Departure) -> bool:
        return self._is_draining or departure.has_come
