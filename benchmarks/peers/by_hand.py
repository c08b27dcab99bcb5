"""The floor: the question's view written by hand with dicts and lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.peers.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.floors.floor import Floor
    from benchmarks.questions import Question
    from benchmarks.traffic import Row, Tables, Write


class ByHand:
    """A floor and its subscriber.

    Attributes:
        commit: applies writes as one commit; there once tables are loaded.
    """

    def __init__(self, question: Question) -> None:
        self.receiver = Receiver()
        self._question = question
        self._floor: Floor | None = None
        self.commit: Callable[[Sequence[Write]], None]

    def load(self, tables: Tables) -> None:
        """Make the floor of the tables."""
        floor = self._floor = self._question.floor(tables, self.receiver)
        self.commit = floor.commit  # with nothing between it and the clock

    def hydrate(self) -> None:
        """Build everything anew."""
        self._made().hydrate()

    def forget(self) -> None:
        """Do nothing: hydrating builds everything anew."""

    def result(self) -> dict[Any, Row]:
        """Return the view, key -> row."""
        return self._made().result()

    def rows(self) -> list[Row]:
        """Return the rows of the view."""
        return list(self.result().values())

    def close(self) -> None:
        """Let go of the rows."""
        self._floor = None

    def _made(self) -> Floor:
        assert self._floor is not None
        return self._floor
