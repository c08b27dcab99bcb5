"""Clocks: what timed things ask for the time, and ask to be called.

The event loop is the usual clock: it has both methods. Tests pass `dataflow.testing.ManualClock`, which moves when it is told to.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from dataflow.errors import CollectionError

if TYPE_CHECKING:
    from collections.abc import Callable


class Timer(Protocol):
    """A call that is to come."""

    def cancel(self) -> None:
        """Take it back."""
        ...


class Clock(Protocol):
    """Time in seconds from any start, and calls at a later time. An asyncio event loop is one."""

    def time(self) -> float:
        """Return the present time, in seconds."""
        ...

    def call_later(self, delay: float, callback: Callable[..., Any], /) -> Timer:
        """Call `callback()` after some seconds, in the thread of the event loop."""
        ...


def clock_or_loop(clock: Clock | None) -> Clock:
    """Return the clock, or the running event loop.

    Raises:
        CollectionError: if there is neither.
    """
    if clock is not None:
        return clock
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        error = CollectionError("no event loop is running to measure the time")
        error.add_note("call this from a coroutine, or pass clock=")
        raise error from None


async def sleep(clock: Clock, seconds: float) -> None:
    """Wait by a clock."""
    over = asyncio.Event()
    timer = clock.call_later(seconds, over.set)
    try:
        await over.wait()
    finally:
        timer.cancel()
