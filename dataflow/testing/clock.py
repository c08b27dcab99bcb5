"""A clock that moves when it is told to, for tests of timed things."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class ManualTimer:
    """A call of a `ManualClock` that is to come."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], Any]) -> None:
        self.callback: Callable[[], Any] | None = callback

    def cancel(self) -> None:
        """Take the call back."""
        self.callback = None


class ManualClock:
    """Time that passes by `advance()` alone; give it to whatever takes `clock=`.

    >>> clock = ManualClock()
    >>> _ = clock.call_later(2.0, lambda: print("at", clock.time()))
    >>> clock.advance(5.0)
    at 2.0
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._order = count()
        self._timers: list[tuple[float, int, ManualTimer]] = []

    def time(self) -> float:
        """Return the seconds advanced so far."""
        return self._now

    def call_later(self, delay: float, callback: Callable[..., Any], /) -> ManualTimer:
        """Call `callback()` when the time has come; timers of the same time run in the order of their making."""
        timer = ManualTimer(callback)
        heapq.heappush(self._timers, (self._now + delay, next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Let time pass, and make the calls that fall due, those they ask for included.

        What a call wakes in an event loop runs when the loop does: `await asyncio.sleep(0)`.
        """
        end = self._now + seconds
        while self._timers and self._timers[0][0] <= end:
            self._now, _, timer = heapq.heappop(self._timers)
            if timer.callback is not None:
                timer.callback()
        self._now = end

    @property
    def pending(self) -> int:
        """How many calls are to come."""
        return sum(timer.callback is not None for _, _, timer in self._timers)
