"""Peer: somebody who answers questions to live data, and times it.

A peer keeps the clock itself, because some live in another process, where the way there must not count. It is given whole
segments of commits, runs each alone under its clock until its allowance is used up, and applies what is left at once,
untimed: so slow peers end in the same state as fast ones without holding them up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write

SECOND = 1_000_000_000
"""Times are in nanoseconds."""

AT_LEAST = 15
"""As many commits are timed, whatever they take; `node/protocol.mjs` has the same number."""


class Unavailable(Exception):  # noqa: N818 - not an error: the run goes on without the peer
    """A peer that cannot run here; the message says why."""


class Peer(Protocol):
    """One question being answered. Made without tables; closed in the end."""

    def load(self, tables: Tables) -> int:
        """Take the tables in, which are the peer's own; return the time."""
        ...

    def hydrate(self) -> int:
        """Drop the answer if there is one, then build it from the tables; return the time of building."""
        ...

    def commits(self, batches: Sequence[Sequence[Write]], allowance: int) -> list[int]:
        """Apply batches; return the times of those that were applied one at a time.

        Args:
            batches: each is one commit.
            allowance: time after which the rest is applied as one commit; but `AT_LEAST` are timed, so that one interruption
                by the machine decides nothing.
        """
        ...

    def rows(self) -> list[Row]:
        """Return the answer, in its order if it has one."""
        ...

    def checksum(self, *, ordered: bool) -> int:
        """Return the checksum of the answer, and of its order where that matters."""
        ...

    def heard(self) -> tuple[int, int] | None:
        """Return how often the subscriber was called, and with how many events; None where nobody counts."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...
