"""Bulk order: all rows of an order at once, put in order by one column of plain numbers or texts before entries are made of them.

Entries are tuples of tuples, which take long to compare and longer to allocate. Where every value of the first column is of one
class that compares as queries do, a limit needs entries of no more rows than can be in its head, and of a whole order the entries
are made column by column and put in order by their first column, so that sorting them is one pass.

Law     what is left out stands behind the first `wanted` entries; the order of places is a hint, never relied upon
Cost    O(rows); numpy sorts long columns of numbers, and is imported for nothing else, as that takes as long as a small sort
"""

from __future__ import annotations

from heapq import nlargest, nsmallest
from itertools import compress, repeat
from operator import neg
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from dataflow.values import kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dataflow.query.compiler.entries import Entry

MANY: Final = 50_000  # rows from which numpy is worth its import


Columns: TypeAlias = "tuple[list[Any], list[Any]]"
"""Row keys, and their rows."""


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


def first_rows(rows: dict[Any, Any], leading: Leading | None, wanted: int) -> Columns:
    """Return the keys and the rows among which the first `wanted` of an order are."""
    values = None if leading is None else leading.plain_values(rows.values())
    if leading is None or values is None or len(values) <= wanted:
        return list(rows), list(rows.values())
    if leading.descending:
        edge = nlargest(wanted, values)[-1]
        kept = [value >= edge for value in values]
    else:
        edge = nsmallest(wanted, values)[-1]
        kept = [value <= edge for value in values]
    return list(compress(rows, kept)), list(compress(rows.values(), kept))


def places_of(entries: list[Entry]) -> list[int] | None:
    """Return where the entries stand that come first, second … in order, or nearly so; None if sorting finds that out as fast."""
    if len({entry[0] for entry in entries}) != 1:
        return None
    column = [entry[1] for entry in entries]
    classes = set(map(type, column))
    if len(classes) != 1 or not classes <= {int, float, str}:
        return None
    if len(column) >= MANY and classes == {int}:
        import numpy as np

        try:
            found: list[int] = np.argsort(np.array(column, dtype=np.int64), kind="stable").tolist()
        except OverflowError:  # larger than a machine word
            pass
        else:
            return found
    return sorted(range(len(column)), key=column.__getitem__)


def plain_entries(columns: Iterable[tuple[list[Any], bool]], keys: list[Any]) -> list[Entry] | None:
    """Return the entries of rows whose columns, and whose keys, are each of one plain class; None if they are not.

    Args:
        columns: the values of each column, and whether it is descending.
        keys: the row keys.
    """
    parts: list[Iterable[Any]] = []
    for values, is_descending in (*columns, (keys, False)):
        classes = set(map(type, values))
        if classes == {int}:
            rank = kinds.NUMBER
        elif classes == {str} and not is_descending:
            rank = kinds.TEXT
        else:
            return None
        parts += [
            repeat(-rank if is_descending else rank),
            map(neg, values) if is_descending else values,
        ]
    return list(zip(*parts, keys, strict=False))  # ranks repeat for ever
