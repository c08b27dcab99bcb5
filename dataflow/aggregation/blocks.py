"""A sorted map kept in blocks: cheap at both ends, never slow in the middle.

Law    iteration == [value for key, value in sorted(entries)], after any history
State  blocks of at most `CAPACITY` keys with their values in parallel lists, and the separators
       between them: separator[b - 1] <= every key of block b < separator[b];  O(n) pointers
Cost   appending past the last key: O(1); any other look-up, insert or delete: two bisections, and
       moving at most one block of pointers, so O(log n + CAPACITY + n / CAPACITY), the last two
       being `memmove` of pointers; a position: O(n / CAPACITY), counted from the nearer end
Edges  at most `CAPACITY` entries is one plain list with bisect; a separator is a bound and need not
       be present, so deleting the first key of a block changes nothing else
Source list of lists with a bounded load, as in sortedcontainers; separators as in the root of a
       B+ tree. Of sortedcontainers itself, SortedDict needs keys that hash, and SortedList has no
       fast path for the append, which is what streams do nearly always
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

K = TypeVar("K", bound=Any)  # bound: keys compare with each other, which no type can say
V = TypeVar("V")

CAPACITY: Final = 1024
"""Keys per block: of 256, 512, 1024 and 2048 the fastest at 100,000 entries, within noise below."""


class SortedBlocks(Generic[K, V]):
    """A map from unique comparable keys to values, in ascending order of keys.

    >>> blocks = SortedBlocks[int, str]()
    >>> blocks.put(2, "b"), blocks.put(3, "c"), blocks.put(1, "a"), blocks.put(3, "C")
    (0, 1, 0, 2)
    >>> blocks.discard(2), list(blocks)
    (1, ['a', 'C'])
    """

    __slots__ = ("_keys", "_length", "_separators", "_values")

    def __init__(self) -> None:
        self._keys: list[list[K]] = [[]]
        self._values: list[list[V]] = [[]]
        self._separators: list[K] = []
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[V]:
        """Iterate over the values in order of their keys."""
        return chain.from_iterable(self._values)

    def put(self, key: K, value: V) -> int:
        """Insert an entry, or replace the value of `key` in place; return its position.

        Complexity: O(1) past the last key, O(log n + CAPACITY) pointers otherwise.
        """
        keys = self._keys[-1]
        if not keys or keys[-1] < key:
            if len(keys) == CAPACITY:
                return self._append_block(key, value)
            keys.append(key)
            self._values[-1].append(value)
            position = self._length
            self._length = position + 1
            return position
        block = bisect_right(self._separators, key)
        keys = self._keys[block]
        index = bisect_left(keys, key)
        if index < len(keys) and keys[index] == key:
            self._values[block][index] = value
        else:
            self._insert(block, index, key, value)
        return self._start(block) + index if index < len(keys) else self.position(key)

    def setdefault(self, key: K, value: V) -> V:
        """Return the value of `key`, inserted as `value` if the key is missing."""
        block = bisect_right(self._separators, key)
        keys = self._keys[block]
        index = bisect_left(keys, key)
        if index < len(keys) and keys[index] == key:
            return self._values[block][index]
        self._insert(block, index, key, value)
        return value

    def discard(self, key: K) -> int:
        """Delete the entry of `key`; return the position it had.

        Raises:
            KeyError: There is no such key.
        """
        block, index = self._locate(key)
        position = self._start(block) + index
        del self._keys[block][index], self._values[block][index]
        self._length -= 1
        if self._separators:
            self._join_neighbours(block)
        return position

    def position(self, key: K) -> int:
        """Return how many keys are smaller than `key`, which need not be present."""
        block = bisect_right(self._separators, key)
        return self._start(block) + bisect_left(self._keys[block], key)

    def first(self) -> V | None:
        """Return the value of the smallest key, None if empty."""
        return self._values[0][0] if self._length else None

    def last(self) -> V | None:
        """Return the value of the largest key, None if empty."""
        return self._values[-1][-1] if self._length else None

    def starting_at(self, position: int) -> Iterator[V]:
        """Iterate over the values from `position` to the end.

        Complexity: O(n - position), plus O(CAPACITY).
        """
        block = len(self._values) - 1
        start = self._length - len(self._values[block])
        while start > position:
            block -= 1
            start -= len(self._values[block])
        return islice(
            chain.from_iterable(islice(self._values, block, None)), position - start, None
        )

    def _append_block(self, key: K, value: V) -> int:
        self._keys.append([key])
        self._values.append([value])
        self._separators.append(key)
        self._length += 1
        return self._length - 1

    def _insert(self, block: int, index: int, key: K, value: V) -> None:
        keys, values = self._keys[block], self._values[block]
        keys.insert(index, key)
        values.insert(index, value)
        self._length += 1
        if len(keys) > CAPACITY:
            half = len(keys) // 2
            self._separators.insert(block, keys[half])
            self._keys.insert(block + 1, keys[half:])
            self._values.insert(block + 1, values[half:])
            del keys[half:], values[half:]

    def _locate(self, key: K) -> tuple[int, int]:
        block = bisect_right(self._separators, key)
        keys = self._keys[block]
        index = bisect_left(keys, key)
        if index == len(keys) or keys[index] != key:
            raise KeyError(key)
        return block, index

    def _start(self, block: int) -> int:
        """Return the position of the first key of a block."""
        if block < len(self._keys) - block:
            return sum(map(len, self._keys[:block]))
        return self._length - sum(map(len, self._keys[block:]))

    def _join_neighbours(self, block: int) -> None:
        """Restore: no block is empty, and two neighbours together fill half a block."""
        for left in (block, block - 1):
            if 0 <= left < len(self._separators):
                keys, following = self._keys[left], self._keys[left + 1]
                if not keys or not following or len(keys) + len(following) <= CAPACITY // 2:
                    keys += following
                    self._values[left] += self._values[left + 1]
                    del self._keys[left + 1], self._values[left + 1], self._separators[left]

    def _check(self) -> None:
        """Assert every invariant of the state."""
        sizes = [len(keys) for keys in self._keys]
        assert [len(values) for values in self._values] == sizes
        assert sum(sizes) == self._length
        assert max(sizes) <= CAPACITY
        assert len(self._separators) == len(sizes) - 1
        every = list(chain.from_iterable(self._keys))
        assert all(a < b for a, b in pairwise(every)), "keys out of order"
        if self._separators:
            assert min(sizes) > 0
            assert all(a + b > CAPACITY // 2 for a, b in pairwise(sizes))
        for bound, (keys, following) in zip(self._separators, pairwise(self._keys), strict=True):
            assert keys[-1] < bound
            assert not following[0] < bound
