"""A view under the clock in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.apart import Apart
from benchmarks.peers.views import local

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.questions import Question
    from benchmarks.traffic import Row, Tables, Write


class ApartPeer:
    """A peer of `views` in a process of its own.

    Args:
        name: of the view.
        question: what it answers.

    Raises:
        Unavailable: if it cannot be run here.
    """

    def __init__(self, name: str, question: Question) -> None:
        self._apart = Apart(local, name, question)

    def load(self, tables: Tables) -> int:
        """Take copies of the tables in; return the time."""
        return int(self._apart.ask("load", tables))

    def hydrate(self) -> int:
        """Build the answer anew; return the time."""
        return int(self._apart.ask("hydrate"))

    def commits(self, batches: Sequence[Sequence[Write]], allowance: int) -> list[int]:
        """Apply copies of batches; return the times of those that were applied one at a time."""
        plain = [[tuple(write) for write in batch] for batch in batches]
        times: list[int] = self._apart.ask("commits", plain, allowance)
        return times

    def rows(self) -> list[Row]:
        """Return the answer."""
        rows: list[Row] = self._apart.ask("rows")
        return rows

    def checksum(self, *, ordered: bool) -> int:
        """Return the checksum of the answer, made where the answer is."""
        return int(self._apart.ask("checksum", ordered=ordered))

    def heard(self) -> tuple[int, int] | None:
        """Return how often the subscriber was called, and with how many events."""
        heard: tuple[int, int] | None = self._apart.ask("heard")
        return heard

    def close(self) -> None:
        """End the process."""
        self._apart.close()
