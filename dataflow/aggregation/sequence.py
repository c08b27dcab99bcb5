"""The rows of a group in order, for the aggregates that see them one after the other.

Law    rows() == [row for ... in sorted by (order key, row key)], after any history
State  a sorted map in blocks, (order key, row key) -> row;  O(rows)
Cost   appending at the end: O(1) amortised; any other change: O(log n) comparisons, one block of
       pointers moved, and O(n / block) for the position; rows(): O(n)
Edges  the row key breaks ties, so no two rows share a place; a row whose order key is unchanged is
       replaced in place; one whose order key changes is removed and added by the caller

Both keys arrive ready to compare (`dataflow.values.order`). `collect` is `rows()`, `first` and
`last` are `first()` and `last()`.
"""

from __future__ import annotations

from typing import Any, TypeVar

from dataflow.aggregation.blocks import SortedBlocks

R = TypeVar("R")


class OrderedRows(SortedBlocks[tuple[Any, Any], R]):
    """Rows in order of (order key, row key); iterating yields the rows.

    >>> rows = OrderedRows[str]()
    >>> rows.add(2, "a", "later"), rows.add(1, "b", "earlier"), rows.add(2, "a", "latest")
    (0, 0, 1)
    >>> rows.rows(), rows.first(), rows.last()
    (['earlier', 'latest'], 'earlier', 'latest')
    """

    __slots__ = ()

    def add(self, order_key: Any, row_key: Any, row: R) -> int:
        """Insert a row, or replace the one in its place; return its position.

        Complexity: O(1) amortised at the end, O(log n) comparisons otherwise.
        """
        return self.put((order_key, row_key), row)

    def remove(self, order_key: Any, row_key: Any) -> int:
        """Delete a row; return the position it had.

        Complexity: O(log n) comparisons.

        Raises:
            KeyError: There is no row in that place.
        """
        return self.discard((order_key, row_key))

    def rows(self) -> list[R]:
        """Return the rows in order, in a new list."""
        return list(self)
