"""Entries: the sorted places of rows, whole or only as far as a window reaches.

An entry is a flat tuple (sort keys of the order columns …, of the tie-break, row key); entries compare as the rows stand, and no two
are equal. A sort key is a rank and what to compare within it, which are laid out one after the other: keys of one rank have one length.

structure   holds                                 add, remove                         position
Sorted      every entry                           O(log n)                            any
Head        the first `capacity` entries, and     O(log capacity) inside, O(1) for    inside only: None means beyond,
            how many stand beyond them            the many that stand beyond          which is behind every window

A head that has lost so many entries that the window is no longer covered is `short`; whoever owns it refills it from all rows,
O(rows). Once is bad luck; a second time is a queue that always loses its head, so the owner changes over to `Sorted`.

Source  sortedcontainers for the whole; bounded buffer as in top-k operators of streaming engines
"""

from __future__ import annotations

from bisect import bisect_left
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from sortedcontainers import SortedList

if TYPE_CHECKING:
    from collections.abc import Iterable

Entry = tuple[Any, ...]

SPARE = 64  # entries kept beyond the window at least, so that a refill needs as many losses


class Sorted:
    """All entries in order."""

    __slots__ = ("_entries",)

    short = False

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries: Any = SortedList(entries)

    def covers(self, stop: int | None) -> bool:
        """Tell whether a window that ends at `stop` can be read: any can."""
        return True

    def position(self, entry: Entry) -> int | None:
        """Return how many entries stand before one, which need not be present."""
        return int(self._entries.bisect_left(entry))

    def __len__(self) -> int:
        return len(self._entries)

    def move(self, before: Entry | None, after: Entry | None) -> None:
        """Remove an entry and add one, None standing for none; half the cost where nobody asks for positions."""
        if before is not None:
            self._entries.remove(before)
        if after is not None:
            self._entries.add(after)

    def add(self, entry: Entry) -> int | None:
        """Add an entry and return its position."""
        self._entries.add(entry)
        return int(self._entries.bisect_left(entry))

    def remove(self, entry: Entry) -> int | None:
        """Remove an entry and return the position it had."""
        position = int(self._entries.bisect_left(entry))
        del self._entries[position]
        return position

    def at(self, position: int) -> Entry:
        """Return the entry at a position."""
        entry: Entry = self._entries[position]
        return entry

    def window(self, start: int, stop: int | None) -> Iterable[Entry]:
        """Iterate over the entries from one position to another."""
        window: Iterable[Entry] = self._entries.islice(start, stop)
        return window


class Head:
    """The first entries in order, enough for a window that ends at `stop`.

    Attributes:
        short: whether the window is no longer covered although entries stand beyond.
    """

    __slots__ = ("_beyond", "_capacity", "_entries", "_stop", "short")

    def __init__(self, entries: Iterable[Entry], count: int, stop: int) -> None:
        self._stop = stop
        self._capacity = 2 * (stop + SPARE)
        self._entries: list[Entry] = nsmallest(stop + SPARE, entries)
        self._beyond = count - len(self._entries)
        self.short: bool = False

    def __len__(self) -> int:
        return len(self._entries) + self._beyond

    def covers(self, stop: int | None) -> bool:
        """Tell whether a window that ends at `stop` can be read, and goes on being kept: the one this was made for."""
        return stop == self._stop and not self.short

    def position(self, entry: Entry) -> int | None:
        """Return how many entries stand before one, which need not be present; None beyond the head."""
        position = bisect_left(self._entries, entry)
        return None if self._beyond and position == len(self._entries) else position

    def add(self, entry: Entry) -> int | None:
        """Add an entry; return its position, None when it stands beyond the head."""
        entries = self._entries
        if self._beyond and (not entries or entry > entries[-1]):
            self._beyond += 1
            return None
        position = bisect_left(entries, entry)
        entries.insert(position, entry)
        if len(entries) > self._capacity:
            del entries[self._stop + SPARE :]
            self._beyond += self._capacity + 1 - len(entries)
        return position

    def remove(self, entry: Entry) -> int | None:
        """Remove an entry; return the position it had, None when it stood beyond the head."""
        entries = self._entries
        if not entries or entry > entries[-1]:
            self._beyond -= 1
            return None
        position = bisect_left(entries, entry)
        del entries[position]
        self.short = self._beyond > 0 and len(entries) < self._stop
        return position

    def at(self, position: int) -> Entry:
        """Return the entry at a position inside the head."""
        return self._entries[position]

    def window(self, start: int, stop: int | None) -> Iterable[Entry]:
        """Iterate over the entries from one position to another."""
        return self._entries[start:stop]
