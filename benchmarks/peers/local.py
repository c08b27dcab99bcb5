"""A view with plain methods, and the clock around it: a peer in the process that it is made in."""

from __future__ import annotations

import gc
from time import perf_counter_ns
from typing import TYPE_CHECKING, Protocol

from benchmarks.checksum import checksum
from benchmarks.peers.peer import AT_LEAST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.peers.receiver import Receiver
    from benchmarks.traffic import Row, Tables, Write


class View(Protocol):
    """What a peer does, without a clock.

    Attributes:
        receiver: the subscriber of the answer; None where nobody is told what changed.
    """

    @property
    def receiver(self) -> Receiver | None:
        """See the class."""
        ...

    def load(self, tables: Tables) -> None:
        """Take the tables in."""
        ...

    def hydrate(self) -> None:
        """Build the answer from the tables; there is none."""
        ...

    def forget(self) -> None:
        """Drop the answer, if there is one."""
        ...

    def commit(self, writes: Sequence[Write]) -> None:
        """Apply writes as one commit, and bring the answer up to date."""
        ...

    def rows(self) -> list[Row]:
        """Return the answer, in its order if it has one."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class Local:
    """A view under the clock. Garbage collection stays on; what is over is collected before bulk work."""

    def __init__(self, view: View) -> None:
        self.view = view

    def load(self, tables: Tables) -> int:
        """Take the tables in; return the time."""
        gc.collect()
        start = perf_counter_ns()
        self.view.load(tables)
        return perf_counter_ns() - start

    def hydrate(self) -> int:
        """Build the answer anew; return the time."""
        self.view.forget()
        gc.collect()
        start = perf_counter_ns()
        self.view.hydrate()
        return perf_counter_ns() - start

    def commits(self, batches: Sequence[Sequence[Write]], allowance: int) -> list[int]:
        """Apply batches; return the times of those that were applied one at a time."""
        commit, clock = self.view.commit, perf_counter_ns
        times: list[int] = []
        end = clock() + allowance
        for number, writes in enumerate(batches):
            start = clock()
            if start > end and number >= AT_LEAST:
                commit([write for batch in batches[number:] for write in batch])
                break
            commit(writes)
            times.append(clock() - start)
        return times

    def rows(self) -> list[Row]:
        """Return the answer."""
        return self.view.rows()

    def checksum(self, *, ordered: bool) -> int:
        """Return the checksum of the answer."""
        return checksum(self.view.rows(), ordered=ordered)

    def heard(self) -> tuple[int, int] | None:
        """Return how often the subscriber was called, and with how many events."""
        receiver = self.view.receiver
        return None if receiver is None else (receiver.calls, receiver.events)

    def close(self) -> None:
        """Close the view."""
        self.view.close()
