"""Arrangement: a shared index over the rows of a relation.

Law        `index[value]` holds exactly the rows whose key expression is `value`, under their row keys, as of the last epoch
State      value -> {row key: row}; rows are references, never copies. O(rows)
Cost       `apply` is O(delta); an update that keeps the value replaces one reference
Edges      null values are not indexed (a null never matches); `before(value)` answers as of the previous epoch
Source     McSherry et al., "Shared Arrangements", VLDB 2020
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Bucket = dict[Any, Any]
Values = tuple[list[Any], list[Any]]
"""Of each change of a delta the indexed value before, and that after; None for a null value, and where there is no row."""
Move = tuple[tuple[Any, Any, Any], Any, Any]
"""A change with the indexed value before and after."""

NO_ROWS: Bucket = {}


class Arrangement:
    """Index of a relation by one expression of its rows.

    Args:
        key_of: row -> normal form of the indexed expression, or None when that is null.
    """

    __slots__ = ("buckets", "key_of")

    def __init__(self, key_of: Callable[[Any], Any]) -> None:
        self.key_of: Callable[[Any], Any] = key_of
        self.buckets: dict[Any, Bucket] = {}

    def load(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        """Index all (key, row) pairs anew. O(rows)."""
        buckets: dict[Any, Bucket] = {}
        key_of = self.key_of
        for key, row in pairs:
            value = key_of(row)
            if value is not None:
                bucket = buckets.get(value)
                if bucket is None:
                    buckets[value] = {key: row}
                else:
                    bucket[key] = row
        self.buckets = buckets

    def apply(self, delta: Iterable[tuple[Any, Any, Any]]) -> Values:
        """Apply a net delta, and return the indexed values before and after each change. O(delta).

        They are two lists beside the delta: a tuple for each change would be one more for the garbage collector to go through.
        """
        buckets, key_of = self.buckets, self.key_of
        values: Values = [], []
        befores, afters = values
        for key, old, new in delta:
            before = None if old is None else key_of(old)
            after = None if new is None else key_of(new)
            befores.append(before)
            afters.append(after)
            if before is after or before == after:
                if after is not None:
                    buckets[after][key] = new
                continue
            if before is not None:
                bucket = buckets[before]
                del bucket[key]
                if not bucket:
                    del buckets[before]
            if after is not None:
                bucket = buckets.get(after, NO_ROWS)
                if bucket is NO_ROWS:
                    buckets[after] = {key: new}
                else:
                    bucket[key] = new
        return values

    def before(self, moves: Iterable[Move]) -> Past:
        """Return a view of the index as it was before the delta just applied, given with its values. O(moves)."""
        return Past(self, moves)

    def rows(self) -> int:
        """Count the rows indexed."""
        return sum(map(len, self.buckets.values()))

    def _check(self) -> None:
        for value, bucket in self.buckets.items():
            assert bucket, f"empty bucket for {value!r}"
            for row in bucket.values():
                found = self.key_of(row)
                assert found is value or found == value, f"row {row!r} filed under {value!r}"


class Past:
    """The buckets of an arrangement as of the previous epoch; copies a changed bucket only when it is asked for."""

    __slots__ = ("_changed", "_index")

    def __init__(self, index: Arrangement, moves: Iterable[Move]) -> None:
        self._index = index
        self._changed: dict[Any, Bucket] = {}
        for (key, old, new), before, after in moves:
            if new is not None and after is not None:
                self._changed.setdefault(after, {}).setdefault(key, None)
            if old is not None and before is not None:
                self._changed.setdefault(before, {})[key] = old

    @property
    def changed(self) -> Iterable[Any]:
        """The values whose buckets the delta touched."""
        return self._changed.keys()

    def get(self, value: Any, default: Bucket = NO_ROWS) -> Bucket:
        """Return the bucket of a value before the delta. O(bucket) if it changed, else O(1)."""
        now = self._index.buckets.get(value, default)
        changed = self._changed.get(value)
        if changed is None:
            return now
        past = {key: row for key, row in now.items() if key not in changed}
        past.update((key, row) for key, row in changed.items() if row is not None)
        return past

    def count(self, value: Any) -> int:
        """Count the rows of a bucket before the delta. O(changes of that bucket)."""
        now = self._index.buckets.get(value, NO_ROWS)
        changed = self._changed.get(value, NO_ROWS)
        return len(now) + sum((row is not None) - (key in now) for key, row in changed.items())
