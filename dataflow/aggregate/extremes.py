"""The minimum and the maximum of values that come and go.

Law    minimum() and maximum() == first and last of sorted(values held, key=sort_key), null if none
State  name -> cell of every value held, and both ends; once an end has gone, the cells in a sorted
       map too, in which a value that went keeps its place until it reaches an end, or until places
       without a value outnumber the others; O(distinct values)
Cost   add: O(1) for a value held already, and for any while no end has gone, else O(log n)
       comparisons; remove: O(1) amortised, but the first end to go sorts what is held;
       results: O(1) amortised; never a rescan, and no difference between the two ends
Edges  nulls are ignored; NaN is the largest number; values of different kinds compare by rank

Equal scalars of different looks (1, 1.0 and Decimal("1.00"), one instant in two time zones) are one
value to a query, yet users see which one comes out. So the key of such a value ends in its look:
the smallest look is the minimum, the largest the maximum, and what comes out was put in and depends
on the values held alone. Equal containers and objects are one value, and come out as first added.

Source multiset with lazily cleaned order. Two lazily cleaned heaps instead of the sorted map were
       measured: as fast for numbers, but a max-heap of texts compares in Python (2 to 4 times
       slower when the maximum leaves), and both ends need two of them
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from dataflow.aggregate.blocks import SortedBlocks
from dataflow.values import kinds
from dataflow.values.equality import EXACT
from dataflow.values.kinds import kind_of, plain
from dataflow.values.normal import normal
from dataflow.values.null import is_null
from dataflow.values.order import SortKey, sort_key

if TYPE_CHECKING:
    from collections.abc import Iterable

_OWN_NAME: Final = EXACT - {bool}  # as dict keys, True and 1 are the same
_SPARE_PLACES: Final = 16  # for values that went, before the order is rebuilt
_KEY: Final = attrgetter("key")


class _Cell:
    """One distinct value: how often it is held (0: it went), and its place in the order."""

    __slots__ = ("count", "key", "value")

    def __init__(self, key: SortKey, value: object) -> None:
        self.key = key
        self.value = value
        self.count = 0


class Extremes:
    """A multiset of values that knows its smallest and its largest.

    >>> extremes = Extremes()
    >>> for value in (3, None, 1.0, 1): extremes.add(value)
    >>> extremes.minimum(), extremes.maximum()
    (1, 3)
    """

    __slots__ = ("_cells", "_high", "_low", "_order", "_serial")

    def __init__(self) -> None:
        self._cells: dict[object, _Cell] = {}
        self._low: _Cell | None = None  # both ends, as long as there is no order
        self._high: _Cell | None = None
        self._order: SortedBlocks[SortKey, _Cell] | None = None  # from the day an end goes
        self._serial = 0

    def add(self, value: object) -> None:
        """Add one occurrence of `value`; null is ignored.

        Complexity: O(1) for a value held already or while no end has gone, else O(log n).
        """
        name = value if value.__class__ in _OWN_NAME else _name(value)
        if name is None:
            return
        cell = self._cells.get(name)
        if cell is None:
            cell = self._cells[name] = self._place(value)
        cell.count += 1

    def remove(self, value: object) -> None:
        """Remove one occurrence of a value that was added; null is ignored.

        Complexity: O(1) amortised; O(n log n) for the first end to go.

        Raises:
            KeyError: The value is not held.
        """
        name = value if value.__class__ in _OWN_NAME else _name(value)
        if name is None:
            return
        cell = self._cells[name]
        cell.count -= 1
        if cell.count:
            return
        del self._cells[name]
        if self._order is not None:
            if len(self._order) > 2 * len(self._cells) + _SPARE_PLACES:
                self._sort(self._order)
        elif cell is self._low or cell is self._high:
            self._sort(sorted(self._cells.values(), key=_KEY))

    def minimum(self) -> Any:  # Any: whatever was added
        """Return the smallest value, null if there is none."""
        cell, order = self._low, self._order
        if order is not None:
            while (cell := order.first()) is not None and not cell.count:
                order.discard(cell.key)
        return None if cell is None else cell.value

    def maximum(self) -> Any:  # Any: whatever was added
        """Return the largest value, null if there is none."""
        cell, order = self._high, self._order
        if order is not None:
            while (cell := order.last()) is not None and not cell.count:
                order.discard(cell.key)
        return None if cell is None else cell.value

    def _place(self, value: object) -> _Cell:
        key = sort_key(value)
        if value.__class__ not in _OWN_NAME:
            self._serial += 1  # some opaque objects have no order; no two cells share a place
            key = (*key, _look(value), self._serial)
        if self._order is not None:
            return self._order.setdefault(key, _Cell(key, value))
        cell = _Cell(key, value)
        if self._low is None or key < self._low.key:
            self._low = cell
        if self._high is None or self._high.key < key:
            self._high = cell
        return cell

    def _sort(self, cells: Iterable[_Cell]) -> None:
        """Keep an order from now on: that of `cells`, which come in order, without those that went."""
        order: SortedBlocks[SortKey, _Cell] = SortedBlocks()
        for cell in cells:
            if cell.count:
                order.put(cell.key, cell)
        self._order = order
        self._low = self._high = None

    def _check(self) -> None:
        """Assert every invariant of the state."""
        assert all(cell.count > 0 for cell in self._cells.values())
        if self._order is None:
            ordered = sorted(self._cells.values(), key=_KEY)
            ends = (ordered[0], ordered[-1]) if ordered else (None, None)
            assert (self._low, self._high) == ends
            return
        self._order._check()  # noqa: SLF001 - a part of this state
        held = [cell for cell in self._order if cell.count]
        assert {id(cell) for cell in held} == {id(cell) for cell in self._cells.values()}
        assert len(held) == len(self._cells)
        assert len(self._order) <= 2 * len(self._cells) + _SPARE_PLACES + 1


def _name(value: object) -> object:
    return None if is_null(value) else (normal(value), _look(value))


def _look(value: object) -> str:
    """Return what tells equal scalars apart, beside the plain instances of `_OWN_NAME`."""
    if value.__class__ is float:
        return "float" if value else str(value)  # 0.0 and -0.0 are equal
    kind = kind_of(value)
    if kind == kinds.NUMBER:
        return f"{value.__class__.__name__} {plain(value)}"
    if kind in (kinds.DATETIME, kinds.TIME):
        moment = plain(value)
        return f"{moment.tzinfo} {moment.fold}"
    return ""
