"""The two sides of a measurement: the engine and the floor, each with its own rows and one subscriber."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

from dataflow import Collection, LiveQuery, batch, live

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.floors.floor import Event
    from benchmarks.traffic import Row, Tables, Write
    from benchmarks.workloads import Workload
    from dataflow import Change


class Receiver:
    """The one subscriber: counts what it gets, and keeps the last of it."""

    def __init__(self) -> None:
        self.calls = 0
        self.events = 0
        self.last: Sequence[Event | Change[Any]] = ()

    def __call__(self, events: Sequence[Event | Change[Any]]) -> None:
        """Take the events of one commit."""
        self.calls += 1
        self.events += len(events)
        self.last = events


class Side(Protocol):
    """A view that can be hydrated, changed and read."""

    receiver: Receiver

    def hydrate(self) -> None:
        """Build the view from the rows of the tables, once more if it is there."""
        ...

    def forget(self) -> None:
        """Drop the view, so that `hydrate` begins with nothing."""
        ...

    def commit(self, writes: Sequence[Write]) -> None:
        """Apply writes as one commit."""
        ...

    def result(self) -> Mapping[Any, Row]:
        """Return the view, key -> row."""
        ...


class Ours:
    """The engine: collections, one live query, one subscription."""

    def __init__(self, workload: Workload, tables: Tables) -> None:
        self.receiver = Receiver()
        self._workload = workload
        self._collections = {name: Collection(name, key="id") for name in tables}
        self._live: LiveQuery[Any] | None = None
        for name, rows in tables.items():
            with self._collections[name].sync() as write:
                for row in rows:
                    write.insert(row)

    def hydrate(self) -> None:
        """Start the live query; what is left after this is to subscribe, which costs nothing per row."""
        self._live = live(self._workload.ask(self._collections))
        self._live.subscribe(self.receiver)

    def forget(self) -> None:
        """Close the live query, which releases its plan."""
        if self._live is not None:
            self._live.close()
        self._live = None

    def commit(self, writes: Sequence[Write]) -> None:
        """Apply writes as one epoch, the way an application would."""
        if len(writes) == 1:
            op, table, key, row = writes[0]
            with self._collections[table].sync() as write:
                if row is None:
                    write.delete(key)
                elif op == "insert":
                    write.insert(row)
                else:
                    write.update(row)
        elif len(self._collections) == 1:
            self._write_all(writes)
        else:
            with batch():
                self._write_all(writes)

    def _write_all(self, writes: Sequence[Write]) -> None:
        for name, collection in self._collections.items():
            with collection.sync() as write:
                for op, table, key, row in writes:
                    if table != name:
                        continue
                    if row is None:
                        write.delete(key)
                    elif op == "insert":
                        write.insert(row)
                    else:
                        write.update(row)

    def result(self) -> Mapping[Any, Row]:
        """Return the live query."""
        assert self._live is not None
        return self._live


class ByHand:
    """A floor, hydrated as often as wanted."""

    def __init__(self, workload: Workload, tables: Tables) -> None:
        self.receiver = Receiver()
        self._floor = workload.floor(tables, self.receiver)
        self.hydrate = self._floor.hydrate
        self.commit = self._floor.commit
        self.result = self._floor.result

    def forget(self) -> None:
        """Do nothing: hydrating builds everything anew."""


class DisagreementError(AssertionError):
    """The two sides ended in different states, so their times mean nothing."""


def agree(workload: Workload, ours: Side, floor: Side) -> int:
    """Return the checksum of both results.

    Raises:
        DisagreementError: if rows, their order where it matters, or the events delivered differ.
    """
    mine, theirs = dict(ours.result()), dict(floor.result())
    if mine != theirs:
        wrong = [key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key)]
        key = min(wrong, key=repr)
        raise DisagreementError(
            f"{workload.name}: {len(wrong)} keys differ, the first at {key!r}:"
            f" ours {mine.get(key)!r}, by hand {theirs.get(key)!r}"
        )
    if workload.ordered and list(mine) != list(theirs):
        raise DisagreementError(f"{workload.name}: the same rows in another order")
    counts = [(side.receiver.calls, side.receiver.events) for side in (ours, floor)]
    if counts[0] != counts[1]:
        raise DisagreementError(f"{workload.name}: (calls, events) delivered differ: {counts}")
    sums = [checksum(result) for result in (mine, theirs)]
    if sums[0] != sums[1]:
        raise DisagreementError(f"{workload.name}: equal rows, but checksums {sums}")
    return sums[0]


def checksum(rows: Mapping[Any, Row]) -> int:
    """Return a number that depends on keys and rows, not on their order; the same in every process."""
    return sum(crc32(repr(item).encode()) for item in rows.items()) & 0xFFFF_FFFF
