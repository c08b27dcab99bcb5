"""Displays: what a replay is shown on."""

from collections.abc import Sequence
from typing import Any, Protocol

from dataflow.collection.changes import Change
from stateschema.replay.player import Summary


class Display(Protocol):
    """What shows a replay while it runs. It is told of changes within epochs, and draws after."""

    def changed(self, view: str, changes: Sequence[Change[Any]]) -> None:
        """Take in the changes of a view."""

    def after_epoch(self, seen: int) -> None:
        """Show what the epoch brought; `seen` messages were read so far."""

    def finish(self, summary: Summary, *, skipped: int) -> None:
        """Show the end."""
