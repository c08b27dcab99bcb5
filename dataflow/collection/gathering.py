"""Gathering: what happens within some seconds is told at once.

It stands between a node and a subscriber. The first change after a quiet time asks a clock to call back; until then further
changes are netted with it. So a subscriber is called at most once in `every` seconds, and hears of a change at most that late.

The engine reads no clock, it is called by one: whatever has `call_later(seconds, callback)`, which returns something to
`cancel()`. An asyncio loop has, and the running one is taken where none is given; a test gives `dataflow.testing.ManualClock`.
With `every=math.inf` nobody calls, and nothing is told until `flush()`.

Edges  a clock calls in the thread of the graph, never in the middle of an epoch or a callback; what is told then is an epoch of
       its own, and what the subscriber raises goes to the clock
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

from dataflow.collection.netting import Net
from dataflow.errors import CollectionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.circuit.graph import Graph
    from dataflow.circuit.node import Delta, Subscriber


class Scheduled(Protocol):
    """A call that is still to come."""

    def cancel(self) -> object:
        """Do not make the call."""
        ...


class Clock(Protocol):
    """Calls back after some seconds, as an asyncio event loop does."""

    def call_later(self, delay: float, callback: Callable[[], Any], /) -> Scheduled:
        """Call `callback` once, `delay` seconds from now."""
        ...


class Gathering:
    """Nets deltas and passes them on together.

    Args:
        target: who gets them.
        every: seconds from the first change to the call; `math.inf` waits for `flush()`.
        clock: calls back; the running asyncio loop if None.

    Raises:
        CollectionError: if `every` is no positive number, or there is no clock and no running loop.
    """

    __slots__ = ("_clock", "_every", "_graph", "_net", "_scheduled", "_target", "since")

    def __init__(self, graph: Graph, target: Subscriber, every: float, clock: Clock | None) -> None:
        if not every > 0:  # NaN neither
            raise CollectionError(f"every is a positive number of seconds, not {every!r}")
        self._graph = graph
        self._target = target
        self._every = every
        self._clock = None if math.isinf(every) else clock or _running_loop()
        self._net = Net()
        self._scheduled: Scheduled | None = None
        self.since: int = target.since

    @property
    def waiting(self) -> int:
        """How many keys have changes that have not been passed on."""
        return len(self._net)

    def deliver(self, delta: Delta) -> None:
        """Take in the delta of an epoch."""
        self._net.add(delta)
        if self._scheduled is None and self._clock is not None:
            self._scheduled = self._clock.call_later(self._every, self.flush)

    def flush(self) -> None:
        """Pass on what has been gathered, if anything."""
        net = self.drain()
        if net:
            self._graph.greet(self._target, net)

    def drain(self) -> Delta:
        """Return what has been gathered instead of passing it on."""
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None
        return self._net.take()


def gathering(
    graph: Graph, target: Subscriber, every: float | None, clock: Clock | None
) -> Gathering | None:
    """Return what gathers for a subscriber, None if it wants to be told of every epoch."""
    if every is not None:
        return Gathering(graph, target, every, clock)
    if clock is not None:
        raise CollectionError("clock= tells when to call, and needs every=: how often")
    return None


def _running_loop() -> Clock:
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        error = CollectionError("every= needs a clock, and no event loop is running")
        error.add_note(
            "give one: clock= has call_later(seconds, callback); or every=math.inf, and call flush() yourself"
        )
        raise error from None
