"""The one subscriber of a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.floors.floor import Event
    from dataflow import Change


class Receiver:
    """Counts what it gets, and keeps the last of it."""

    def __init__(self) -> None:
        self.calls = 0
        self.events = 0
        self.last: Sequence[Event | Change[Any]] = ()

    def __call__(self, events: Sequence[Event | Change[Any]]) -> None:
        """Take the events of one commit."""
        self.calls += 1
        self.events += len(events)
        self.last = events
