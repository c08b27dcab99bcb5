"""The one subscriber of a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.floors.floor import Event, Step
    from dataflow import Change, Splice

Told: TypeAlias = "Event | Step | Change[Any] | Splice[Any]"


class Receiver:
    """Counts what it gets, and keeps the last of it."""

    def __init__(self) -> None:
        self.calls = 0
        self.events = 0
        self.last: Sequence[Told] = ()

    def __call__(self, events: Sequence[Told]) -> None:
        """Take the events of one commit."""
        self.calls += 1
        self.events += len(events)
        self.last = events
