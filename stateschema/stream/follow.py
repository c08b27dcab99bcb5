"""Following: how readers of a log wait for appends without polling and without tasks.

A follower that found nothing new registers a future with the log's `Signal` and awaits it; an
append resolves all registered futures. The future is registered before the log is looked at, so an
append in between is never missed; appends from other threads are handed to the follower's loop.
Where others may write unseen (a file), the same future is also resolved by a timer.

State      One future, and maybe one timer, per follower that is waiting right now; none while it
           works, after it ended or was cancelled. There are no tasks.
"""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from typing import Protocol

from stateschema.stream.batch import Batch
from stateschema.stream.offset import Offset


class TimerHandle(Protocol):
    """A timer that can be called off."""

    def cancel(self) -> object:
        """Call the timer off; harmless when it has fired."""
        ...


class CallLater(Protocol):
    """Starts timers, as `asyncio.AbstractEventLoop.call_later` does."""

    def __call__(self, delay: float, callback: Callable[[], None], /) -> TimerHandle:
        """Call `callback` once, after `delay` seconds."""
        ...


class Signal:
    """Wakes the followers of one log.

    Appends also note where they end, so that a live follower that is behind still gets each append
    as a batch of its own. Only the last `max_ends` are kept; further back, appends merge. `wakes`
    counts, so that what was read since the last one can be known to be fresh.
    """

    __slots__ = ("__weakref__", "_ends", "_max_ends", "_waiting", "wakes")

    def __init__(self, *, max_ends: int = 4096) -> None:
        self._ends: list[int] = []
        self._max_ends = max_ends
        self._waiting: set[asyncio.Future[None]] = set()
        self.wakes = 0

    def appended(self, end: int) -> None:
        """Note that an append ended at a position, and wake everybody."""
        if self._ends and self._ends[-1] >= end:  # somebody has cut the log off
            self._ends = self._ends[: bisect_left(self._ends, end)]
        self._ends.append(end)
        if len(self._ends) > self._max_ends:
            self._ends = self._ends[self._max_ends // 2 :]  # a new list: others may be reading
        self.wake()

    def end_of_append(self, position: int) -> int | None:
        """Return where the append that a position lies in ends, None if that is not known."""
        ends = self._ends
        place = bisect_right(ends, position)
        return ends[place] if place < len(ends) else None

    def wake(self) -> None:
        """Wake everybody who waits, in whatever thread."""
        self.wakes += 1
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        for future in tuple(self._waiting):
            loop = future.get_loop()
            if loop is here:  # waking a loop from outside costs a system call
                resolve(future)
            elif not loop.is_closed():
                loop.call_soon_threadsafe(resolve, future)

    @contextmanager
    def listening(self) -> Generator[asyncio.Future[None]]:
        """Register a future that the next append resolves."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            yield future
        finally:
            self._waiting.discard(future)

    @property
    def waiting(self) -> int:
        """How many followers wait right now."""
        return len(self._waiting)


def resolve(future: "asyncio.Future[None]") -> None:
    """Resolve a future unless it is resolved or cancelled already."""
    if not future.done():
        future.set_result(None)


async def follow(
    signal: Signal,
    read: Callable[[Offset, bool], Batch],
    offset: Offset,
    *,
    is_closed: Callable[[], bool],
    poll: Callable[[Callable[[], None]], TimerHandle] | None = None,
) -> AsyncGenerator[Batch, None]:
    """Yield batches from an offset on, as `Stream.follow` promises.

    Args:
        signal: Wakes this follower.
        read: Reads at an offset; told whether the follower is live, and then gives one append.
        offset: Where to begin.
        is_closed: Whether the handle is closed.
        poll: Starts a timer that calls back when it is time to look again.
    """
    is_live = False
    while True:
        with signal.listening() as woken:
            closed = is_closed()
            batch = read(offset, is_live)
            if is_live and not batch.messages:
                if closed:
                    return
                await _wait(woken, poll)
                continue
        is_live = is_live or batch.up_to_date
        offset = batch.next_offset
        yield batch


async def _wait(
    woken: "asyncio.Future[None]", poll: Callable[[Callable[[], None]], TimerHandle] | None
) -> None:
    timer = poll(lambda: resolve(woken)) if poll is not None else None
    try:
        await woken
    finally:
        if timer is not None:
            timer.cancel()
