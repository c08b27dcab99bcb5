"""Bulk order: all rows of an order at once, put in order by one column of plain numbers or texts before entries are made of them.

Entries are tuples of tuples, which take long to compare and longer to allocate. Where every value of the first column is of one
class that compares as queries do, a limit needs entries of no more rows than can be in its head, and a whole order gets its
entries so nearly sorted that sorting them again is one pass.

Law     what is left out stands behind the first `wanted` entries; the order of what is returned is a hint, never relied upon
Cost    O(rows); numpy sorts long columns of numbers, and is imported for nothing else, as that takes as long as a small sort
"""

from __future__ import annotations

from heapq import nlargest, nsmallest
from itertools import compress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MANY: Final = 50_000  # rows from which numpy is worth its import


class Leading(NamedTuple):
    """The first column of an order.

    Attributes:
        values_of: rows -> values of the column, None if some row has none.
        descending: how it is ordered.
    """

    values_of: Callable[[Iterable[Any]], list[Any] | None]
    descending: bool

    def plain_values(self, rows: Iterable[Any]) -> list[Any] | None:
        """Return the values of rows if Python's order of them is that of queries, else None."""
        values = self.values_of(rows)
        classes = set(map(type, values or ()))
        # the sort keys of descending texts are made another way
        return values if classes == {int} or (classes == {str} and not self.descending) else None


def first_rows(
    rows: dict[Any, Any], leading: Leading | None, wanted: int
) -> Iterable[tuple[Any, Any]]:
    """Return the (key, row) pairs among which the first `wanted` of an order are."""
    values = None if leading is None else leading.plain_values(rows.values())
    if leading is None or values is None or len(values) <= wanted:
        return rows.items()
    if leading.descending:
        edge = nlargest(wanted, values)[-1]
        return compress(rows.items(), [value >= edge for value in values])
    edge = nsmallest(wanted, values)[-1]
    return compress(rows.items(), [value <= edge for value in values])


def presorted(rows: dict[Any, Any], leading: Leading | None) -> Iterable[tuple[Any, Any]]:
    """Return all (key, row) pairs, in order of the first column if it is of one plain class."""
    values = None if leading is None else leading.plain_values(rows.values())
    if leading is None or values is None:
        return rows.items()
    pairs = list(rows.items())
    return [pairs[place] for place in _places(values, descending=leading.descending)]


def _places(values: list[Any], *, descending: bool) -> Iterable[int]:
    if len(values) >= MANY and values[0].__class__ is int:
        import numpy as np

        try:
            places = np.argsort(np.array(values, dtype=np.int64), kind="stable")
        except OverflowError:  # larger than a machine word
            pass
        else:
            found: list[int] = places[::-1].tolist() if descending else places.tolist()
            return found
    return sorted(range(len(values)), key=values.__getitem__, reverse=descending)
