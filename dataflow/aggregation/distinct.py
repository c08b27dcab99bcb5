"""How many different values are held.

Law    len() == number of distinct normal(value) of the values held, nulls aside
State  normal form -> how often it is held;  O(distinct values)
Cost   O(1) per change, O(size) for containers; the result: O(1)
Edges  equality is that of queries: 1 and 1.0 are one value, 1 and True are two
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.values.normal import PLAIN, normal

if TYPE_CHECKING:
    from collections.abc import Hashable


class Distinct:
    """A multiset of values that knows how many different ones it holds.

    >>> distinct = Distinct()
    >>> for value in (1, 1.0, True, None): distinct.add(value)
    >>> len(distinct)
    2
    """

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, value: object) -> None:
        """Add one occurrence of `value`; null is ignored."""
        name: Hashable = value if value.__class__ in PLAIN else normal(value)
        if name is not None:
            self._counts[name] = self._counts.get(name, 0) + 1

    def remove(self, value: object) -> None:
        """Remove one occurrence of a value that was added; null is ignored.

        Raises:
            KeyError: The value is not held.
        """
        name: Hashable = value if value.__class__ in PLAIN else normal(value)
        if name is None:
            return
        count = self._counts[name]
        if count > 1:
            self._counts[name] = count - 1
        else:
            del self._counts[name]

    def _check(self) -> None:
        """Assert every invariant of the state."""
        assert all(count > 0 for count in self._counts.values())
        assert None not in self._counts
