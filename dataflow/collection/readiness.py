"""Readiness: queries over sources that are still loading hydrate together when the sources are there.

Law     a live result is empty and "loading" until all its sources are ready; then it hydrates in one epoch, together with
        everything that waited for it, and only then is any subscriber called
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataflow.circuit.node import Node


class Waiting(Protocol):
    """Something that waits for a source: a live query, held weakly."""

    def source_ready(self) -> Iterable[Node]:
        """Hydrate if everything is there; return the nodes that now have rows to announce."""


class Readiness:
    """The commit that hydrates what waited. Its nodes hold the new rows already: nothing downstream has to hear of them."""

    __slots__ = ("_waiting",)

    propagates = False

    def __init__(self, waiting: list[Waiting]) -> None:
        self._waiting = waiting

    def apply(self) -> list[Node]:
        """Hydrate; called by the graph at the start of the epoch."""
        return [node for waiting in self._waiting for node in waiting.source_ready()]
