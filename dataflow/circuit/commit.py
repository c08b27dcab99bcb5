"""Commits: what one epoch does, as far as the graph has to know.

    apply      sources take over their new rows; the nodes downstream hear of what changed
    hydrate    results that waited for their sources are built, when every running node is up to date

Either may be empty. What `hydrate` builds is announced to its own followers only: it did not exist before the epoch, so
nothing downstream has to hear of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from dataflow.circuit.node import Delta, Node, Subscriber

Announcement: TypeAlias = "tuple[int, tuple[Subscriber, ...], Delta]"
"""What is delivered at the end of an epoch: the rank that decides when, to whom, and the delta of a node or first rows."""


class Commit:
    """What one epoch does first. Subclasses override what they have to do.

    Attributes:
        hydrates: whether `hydrate` has to be called.
    """

    __slots__ = ()

    hydrates: bool = False

    def apply(self) -> list[Node]:
        """Make changes visible, set the `out` of each source that changed, and return those."""
        return []

    def hydrate(self) -> list[Announcement]:
        """Build what waited for its sources. Called when all running nodes are up to date."""
        return []


class Greeting(Commit):
    """The present rows, for one subscriber that asked for them. It is an epoch, so that commits of its callback follow it."""

    __slots__ = ("_delta", "_subscriber")

    hydrates = True

    def __init__(self, subscriber: Subscriber, delta: Delta) -> None:
        self._subscriber = subscriber
        self._delta = delta

    def hydrate(self) -> list[Announcement]:
        """Announce the rows."""
        return [(0, (self._subscriber,), self._delta)]
