"""The observer: how a debug mode gets between a graph and the callables it calls; and the tracer, which counts what epochs do.

A graph has at most one of each. The observer is asked when a query or a subscription starts, never on the way of a delta; the one test that every
epoch pays for it is whether there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.circuit.commit import Announcement
    from dataflow.circuit.node import Node


class Observer(Protocol):
    """A debug mode that watches a graph: it may wrap the callables that the graph will call, and look at new rows."""

    def function(self, call: Callable[..., Any], role: str) -> Callable[..., Any]:
        """Return what a query should call in place of a user function; the same for the same function."""
        ...

    def subscriber(self, call: Callable[[Any], object]) -> Callable[[Any], object]:
        """Return what should be called in place of a subscriber."""
        ...

    def applied(self, changed: list[Node]) -> None:
        """Look at sources whose new rows have just become visible."""
        ...


class Tracer(Protocol):
    """Counts each epoch for those who want to know."""

    def begin(self) -> None:
        """A commit is about to be applied."""
        ...

    def enter(self, changed: list[Node]) -> None:
        """Sources have changed, if any."""
        ...

    def step(self, nodes: list[Node]) -> None:
        """Nodes of one rank are about to run."""
        ...

    def end(self, number: int, due: list[Announcement], errors: list[BaseException]) -> None:
        """Everything has been delivered."""
        ...
