"""The median of numbers that come and go.

Law    median() == the middle of sorted(numbers held), or the mean of the two in the middle
State  every number with its place in the order, in a sorted list;  O(n)
Cost   O(log n) comparisons and one block of pointers per change; the result: O(log n)
Edges  nulls, bools and whatever is no number do not count; NaN is the largest number; the mean of two
       is that of `Total`: exact, rounded once, refused for a float beside a Decimal

Equal numbers of different looks (1 and 1.0) have places of their own, so that what comes out depends
on the numbers held alone.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from sortedcontainers import SortedList

from dataflow.aggregation.sums import Total
from dataflow.values.kinds import NUMBER, kind_of, plain
from dataflow.values.normal import NAN
from dataflow.values.order import sort_key

if TYPE_CHECKING:
    from decimal import Decimal

_EXACT: Final = ""  # how an int looks


class Median:
    """The middle of the numbers added and not removed.

    >>> median = Median()
    >>> for value in (5, 1, None, 2, "x"): median.add(value)
    >>> median.median()
    2
    >>> median.add(10)
    >>> median.median()
    3.5
    """

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places: SortedList[tuple[Any, ...]] = SortedList()

    def __len__(self) -> int:
        return len(self._places)

    def add(self, value: object) -> None:
        """Add one occurrence of `value`; what is no number is ignored."""
        place = _place(value)
        if place is not None:
            self._places.add(place)

    def remove(self, value: object) -> None:
        """Remove one occurrence of a value that was added; what is no number is ignored.

        Raises:
            ValueError: The number is not held.
        """
        place = _place(value)
        if place is not None:
            self._places.remove(place)

    def median(self) -> int | float | Decimal | None:
        """Return the number in the middle, or the mean of the two there; null if there is none.

        Raises:
            QueryError: One of the two is a float and the other a Decimal.
        """
        count = len(self._places)
        if not count:
            return None
        upper = _number(self._places[count // 2])
        if count % 2:
            return upper
        mean = Total()
        mean.add(_number(self._places[count // 2 - 1]))
        mean.add(upper)
        return mean.mean()

    def _check(self) -> None:
        """Assert every invariant of the state."""
        assert all(not b < a for a, b in pairwise(self._places))


def _place(value: object) -> tuple[Any, ...] | None:
    """Return what sorts a number: its sort key, then its look."""
    if value.__class__ is int:
        return (NUMBER, value, _EXACT)
    if kind_of(value) != NUMBER:
        return None
    number = plain(value)
    return (*sort_key(number), _EXACT if isinstance(number, int) else repr(number))


def _number(place: tuple[Any, ...]) -> int | float | Decimal:
    return place[1] if place[0] == NUMBER else NAN
