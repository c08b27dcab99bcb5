"""Intervals of sort keys: who is interested in a value, found without asking each.

State   the intervals, sorted by their lower end, in blocks, and a tree of the largest ends of blocks. O(intervals)
Cost    O(blocks hit * (BLOCK + log intervals)) to find who holds a value; O(intervals / BLOCK) to come or to go, and once more for
        the first search after that
Source  sorted blocks with the largest end of each are a flat form of the augmented tree of Cormen et al., "Introduction to
        Algorithms"
"""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import accumulate
from math import inf
from typing import Any, Generic, TypeAlias, TypeVar

BLOCK = 16  # intervals per block at most; of 8 to 64 the fastest to search among 10,000

T = TypeVar("T")

SortKey: TypeAlias = "tuple[Any, ...]"

LOWEST: SortKey = ()
HIGHEST: SortKey = (inf,)


def above(key: SortKey) -> SortKey:
    """Return the bound between the sort key of a scalar and all larger ones: none continues another."""
    return (*key, inf)


class Intervals(Generic[T]):
    """Intervals of sort keys without their upper end, each with its reader."""

    __slots__ = ("_blocks", "_highest", "_largest", "_lowest", "_peaks")

    def __init__(self) -> None:
        self._blocks: list[list[tuple[SortKey, int, SortKey, T]]] = []  # low, id, high, reader
        self._lowest: list[SortKey] = []  # of each block
        self._highest: list[SortKey] = []  # of each block
        # Largest ends, each empty until somebody asks:
        self._largest: list[SortKey] = []  # of a block and those before it
        self._peaks: list[SortKey] = []  # of a tree over the blocks, from place 1 down

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def add(self, low: SortKey, high: SortKey, reader: T) -> None:
        """Add an interval."""
        self._largest, self._peaks = [], []
        entry = (low, id(reader), high, reader)
        if not self._blocks:
            self._blocks.append([])
            self._lowest.append(low)
            self._highest.append(high)
        at = max(bisect_right(self._lowest, low) - 1, 0)
        block = self._blocks[at]
        insort(block, entry)
        if len(block) > BLOCK:
            half = len(block) // 2
            self._blocks[at : at + 1] = [block[:half], block[half:]]
            self._lowest.insert(at, low)
            self._highest.insert(at, high)
            self._measure(at)
            self._measure(at + 1)
        else:
            self._lowest[at] = block[0][0]
            self._highest[at] = max(self._highest[at], high)

    def remove(self, low: SortKey, reader: T) -> None:
        """Remove the interval of a reader, which begins at `low`."""
        self._largest, self._peaks = [], []
        at = max(bisect_right(self._lowest, low) - 1, 0)
        while not self._drop(self._blocks[at], reader):
            at -= 1  # equal lower ends may fill several blocks
        if self._blocks[at]:
            self._measure(at)
        else:
            del self._blocks[at], self._lowest[at], self._highest[at]

    def stab(self, value: SortKey, hit: dict[T, None]) -> None:
        """Add the readers whose interval holds a value."""
        last = bisect_right(self._lowest, value) - 1
        if last < 0:
            return
        self._scan(last, value, hit)
        if not self._largest:
            self._largest = list(accumulate(self._highest, max))
        if last and value < self._largest[last - 1]:
            for at in self._reaching(last, value):
                self._scan(at, value, hit)

    def _scan(self, at: int, value: SortKey, hit: dict[T, None]) -> None:
        for low, _, high, reader in self._blocks[at]:
            if value < low:
                break
            if value < high:
                hit[reader] = None

    def _reaching(self, before: int, value: SortKey) -> list[int]:
        """Return the places of the blocks before one that end above a value."""
        peaks = self._peaks = self._peaks or _peaks(self._highest)
        size = len(peaks) // 2
        found = []
        pending = [(1, size)]  # subtrees and how many blocks each has
        while pending:
            node, span = pending.pop()
            if node * span < size + before and value < peaks[node]:
                if span == 1:
                    found.append(node - size)
                else:
                    span //= 2
                    pending += ((2 * node + 1, span), (2 * node, span))
        return found

    @staticmethod
    def _drop(block: list[tuple[SortKey, int, SortKey, T]], reader: T) -> bool:
        for position, entry in enumerate(block):
            if entry[3] is reader:
                del block[position]
                return True
        return False

    def _measure(self, at: int) -> None:
        block = self._blocks[at]
        self._lowest[at] = block[0][0]
        self._highest[at] = max(entry[2] for entry in block)


def _peaks(highest: list[SortKey]) -> list[SortKey]:
    """Return a tree as a list: the leaves at its end, padded to a power of two, and above each two the larger one."""
    size = 1 << (len(highest) - 1).bit_length()
    peaks = [LOWEST] * size + highest + [LOWEST] * (size - len(highest))
    for node in range(size - 1, 0, -1):
        peaks[node] = max(peaks[2 * node], peaks[2 * node + 1])
    return peaks
