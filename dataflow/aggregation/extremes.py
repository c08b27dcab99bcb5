"""The minimum and the maximum of values that come and go.

Law    minimum() and maximum() == first and last of sorted(values held, key=sort_key), null if none
State  as long as all values are of one plain class and no end has gone: both ends, and the values as
       loaded, from the first change on a tally, value -> how often it is held; then name -> cell of every value held, and the cells in a
       sorted map, in which a value that went keeps its place until it reaches an end, or until
       places without a value outnumber the others; O(distinct values)
Cost   tally: O(1), but its begin counts and its end sorts what is held. After it add: O(1) for a value held
       already, else O(log n) comparisons; remove and results: O(1) amortised; never a rescan, and
       no difference between the two ends
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

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from dataflow.aggregation.blocks import SortedBlocks
from dataflow.values import kinds
from dataflow.values.equality import EXACT
from dataflow.values.kinds import kind_of, plain
from dataflow.values.normal import normal
from dataflow.values.null import is_null
from dataflow.values.order import SortKey, sort_key

if TYPE_CHECKING:
    from collections.abc import Sequence

_OWN_NAME: Final = EXACT - {bool}  # as dict keys, True and 1 are the same
_SPARE_PLACES: Final = 16  # for values that went, before the order is rebuilt


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

    __slots__ = ("_cells", "_class", "_high", "_loaded", "_low", "_order", "_serial", "_tally")

    _cells: dict[object, _Cell]  # these three are there once the tally has ended
    _order: SortedBlocks[SortKey, _Cell]
    _serial: int

    def __init__(self) -> None:
        self._tally: dict[Any, int] | None = {}  # None before and after
        self._loaded: Sequence[Any] | None = None  # until there is a tally
        self._class: type | None = None  # of the values loaded or in the tally
        self._low: Any = None
        self._high: Any = None

    def load(self, values: Sequence[Any]) -> None:
        """Add many values, which must not be changed after; nulls are ignored. The first call on a new object is the cheap one."""
        classes = set(map(type, values))
        if len(classes) == 1 and classes <= _OWN_NAME and self._tally == {}:
            self._tally, self._loaded = None, values
            self._class, self._low, self._high = classes.pop(), min(values), max(values)
        else:
            for value in values:
                self.add(value)

    def _begin_tally(self, values: Sequence[Any]) -> None:
        """Turn loaded values into the tally."""
        self._tally, self._loaded = dict(Counter(values)), None

    def add(self, value: object) -> None:
        """Add one occurrence of `value`; null is ignored.

        Complexity: O(1) for a value held already and in a tally, else O(log n).
        """
        tally = self._tally
        if tally is not None:
            if value.__class__ is self._class:
                count = tally.get(value)
                if count:
                    tally[value] = count + 1
                    return
                tally[value] = 1
                if value < self._low:
                    self._low = value
                elif value > self._high:
                    self._high = value
                return
            if value is None:
                return
            if not tally and value.__class__ in _OWN_NAME:
                self._class, self._low, self._high = value.__class__, value, value
                tally[value] = 1
                return
            self._end_tally(tally)
        elif self._loaded is not None:
            self._begin_tally(self._loaded)
            self.add(value)
            return
        name = value if value.__class__ in _OWN_NAME else _name(value)
        if name is not None:
            self._count(name, value)

    def _count(self, name: object, value: object) -> None:
        cell = self._cells.get(name)
        if cell is None:
            cell = self._cells[name] = self._place(value)
        cell.count += 1

    def remove(self, value: object) -> None:
        """Remove one occurrence of a value that was added; null is ignored.

        Complexity: O(1) amortised; O(n log n) when it ends the tally.

        Raises:
            KeyError: The value is not held.
        """
        tally = self._tally
        if tally is not None and value.__class__ is self._class:
            count = tally[value]
            if count > 1:
                tally[value] = count - 1
                return
            del tally[value]
            if not tally:
                self._class = None
            elif value == self._low or value == self._high:
                self._end_tally(tally)
            return
        if self._loaded is not None:
            self._begin_tally(self._loaded)
            self.remove(value)
            return
        name = value if value.__class__ in _OWN_NAME else _name(value)
        if name is None:
            return
        if tally is not None:
            raise KeyError(value)
        cell = self._cells[name]
        cell.count -= 1
        if not cell.count:
            del self._cells[name]
            if len(self._order) > 2 * len(self._cells) + _SPARE_PLACES:
                self._rebuild()

    def minimum(self) -> Any:  # Any: whatever was added
        """Return the smallest value, null if there is none."""
        if self._tally is not None:
            return self._low if self._tally else None
        if self._loaded is not None:
            return self._low
        while (cell := self._order.first()) is not None and not cell.count:
            self._order.discard(cell.key)
        return None if cell is None else cell.value

    def maximum(self) -> Any:  # Any: whatever was added
        """Return the largest value, null if there is none."""
        if self._tally is not None:
            return self._high if self._tally else None
        if self._loaded is not None:
            return self._high
        while (cell := self._order.last()) is not None and not cell.count:
            self._order.discard(cell.key)
        return None if cell is None else cell.value

    def _end_tally(self, tally: dict[Any, int]) -> None:
        """Turn the tally into cells and their order."""
        self._tally, self._cells, self._order, self._serial = None, {}, SortedBlocks(), 0
        for value in sorted(tally):
            cell = self._cells[value] = self._place(value)
            cell.count = tally[value]

    def _place(self, value: object) -> _Cell:
        key = sort_key(value)
        if value.__class__ not in _OWN_NAME:
            self._serial += 1  # some opaque objects have no order; no two cells share a place
            key = (*key, _look(value), self._serial)
        return self._order.setdefault(key, _Cell(key, value))

    def _rebuild(self) -> None:
        held: SortedBlocks[SortKey, _Cell] = SortedBlocks()
        for cell in self._order:
            if cell.count:
                held.put(cell.key, cell)
        self._order = held

    def _check(self) -> None:
        """Assert every invariant of the state."""
        if self._loaded is not None:
            assert self._tally is None
            assert set(map(type, self._loaded)) == {self._class}
            assert (self._low, self._high) == (min(self._loaded), max(self._loaded))
            return
        if self._tally is not None:
            assert {value.__class__ for value in self._tally} <= {self._class}
            ends = (min(self._tally), max(self._tally)) if self._tally else (self._low, self._high)
            assert (self._low, self._high) == ends
            return
        self._order._check()  # noqa: SLF001 - a part of this state
        held = [cell for cell in self._order if cell.count]
        assert {id(cell) for cell in held} == {id(cell) for cell in self._cells.values()}
        assert len(held) == len(self._cells)
        assert all(cell.count > 0 for cell in held)
        assert len(self._order) <= 2 * len(self._cells) + _SPARE_PLACES + 1


def _name(value: object) -> object:
    if value.__class__ is float and value == value:  # its normal form is equal to it
        return (value, _look(value))
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
