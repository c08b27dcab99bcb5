"""The minimum and the maximum of values that come and go.

Law    minimum() and maximum() == first and last of sorted(values held, key=sort_key), null if none
State  as long as all values are of one plain class, those values, sorted, with their repeats (a `run`):
       8 bytes each. Then name -> cell of every value held, and the cells in a sorted map, in which a
       value that went keeps its place until it reaches an end, or until places without a value
       outnumber the others; O(distinct values)
Cost   run: two bisections' worth of comparisons, and moving pointers: of a plain list while it is
       short, of a `SortedList` above `LONGEST`. After it add: O(1) for a value held already, else
       O(log n) comparisons; remove and results: O(1) amortised. Never a rescan, and no difference
       between the two ends
Edges  nulls are ignored; NaN is the largest number; values of different kinds compare by rank

Equal scalars of different looks (1, 1.0 and Decimal("1.00"), one instant in two time zones) are one
value to a query, yet users see which one comes out. So the key of such a value ends in its look:
the smallest look is the minimum, the largest the maximum, and what comes out was put in and depends
on the values held alone. Equal containers and objects are one value, and come out as first added.

Source multiset with lazily cleaned order. Two lazily cleaned heaps instead of the sorted map were
       measured: as fast for numbers, but a max-heap of texts compares in Python (2 to 4 times
       slower when the maximum leaves), and both ends need two of them. A count per value instead of
       the run: as fast, at ten times the memory, with a pause when an end went
"""

from __future__ import annotations

from bisect import bisect_left, insort
from math import copysign
from typing import TYPE_CHECKING, Any, Final

from sortedcontainers import SortedList

from dataflow.aggregation.blocks import SortedBlocks
from dataflow.values import kinds
from dataflow.values.equality import EXACT
from dataflow.values.kinds import kind_of, plain
from dataflow.values.normal import normal
from dataflow.values.null import is_null
from dataflow.values.order import SortKey, sort_key

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST: Final = 4_096
"""Values in a plain list: from there on moving them takes longer than finding one in a list of lists."""

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

    __slots__ = ("_cells", "_class", "_order", "_run", "_serial")

    _cells: dict[object, _Cell]  # these three are there once the run has ended
    _order: SortedBlocks[SortKey, _Cell]
    _serial: int

    def __init__(self) -> None:
        self._run: Any = []  # a list or SortedList; None once the run has ended
        self._class: type | None = None  # of the values in the run

    def load(self, values: list[Any], cls: type | None = None) -> None:
        """Add many values, nulls ignored. The first call on a new object is the cheap one.

        Args:
            cls: the class of all values, if it is known.
        """
        if cls is None:
            classes = set(map(type, values))
            cls = classes.pop() if len(classes) == 1 else None
        if cls is not None and self._run == [] and is_run(values, cls):
            self._run = sorted(values) if len(values) <= LONGEST else SortedList(values)
            self._class = cls
        else:
            for value in values:
                self.add(value)

    def add(self, value: object) -> None:
        """Add one occurrence of `value`; null is ignored.

        Complexity: O(log n) comparisons; O(1) without a run for a value held already.
        """
        run = self._run
        if run is not None:
            cls = value.__class__
            if cls is self._class and (cls is not float or value > 0.0 or _is_plain(value)):  # type: ignore[operator]  # a float
                if run.__class__ is list:
                    insort(run, value)
                    if len(run) > LONGEST:
                        self._run = SortedList(run)
                else:
                    run.add(value)
                return
            if value is None:
                return
            if not run and (cls in _OWN_NAME or (cls is float and _is_plain(value))):
                self._class, self._run = cls, [value]
                return
            self._end_run(run)
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

        Complexity: O(log n) comparisons; O(1) amortised without a run.

        Raises:
            KeyError: The value is not held.
        """
        run = self._run
        if run is not None:
            if value.__class__ is self._class:
                at = bisect_left(run, value) if run.__class__ is list else run.bisect_left(value)
                if at == len(run) or run[at] != value:
                    raise KeyError(value)
                del run[at]
            elif not is_null(value):
                raise KeyError(value)
            return
        name = value if value.__class__ in _OWN_NAME else _name(value)
        if name is None:
            return
        cell = self._cells[name]
        cell.count -= 1
        if not cell.count:
            del self._cells[name]
            if len(self._order) > 2 * len(self._cells) + _SPARE_PLACES:
                self._rebuild()

    def minimum(self) -> Any:  # Any: whatever was added
        """Return the smallest value, null if there is none."""
        run = self._run
        if run is not None:
            return run[0] if run else None
        while (cell := self._order.first()) is not None and not cell.count:
            self._order.discard(cell.key)
        return None if cell is None else cell.value

    def maximum(self) -> Any:  # Any: whatever was added
        """Return the largest value, null if there is none."""
        run = self._run
        if run is not None:
            return run[-1] if run else None
        while (cell := self._order.last()) is not None and not cell.count:
            self._order.discard(cell.key)
        return None if cell is None else cell.value

    def _end_run(self, run: Iterable[Any]) -> None:
        """Turn the run into cells and their order."""
        self._run, self._cells, self._order, self._serial = None, {}, SortedBlocks(), 0
        for value in run:
            self._count(value if value.__class__ in _OWN_NAME else _name(value), value)

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
        if self._run is not None:
            assert {value.__class__ for value in self._run} <= {self._class}
            assert list(self._run) == sorted(self._run)
            assert self._class is not float or all(map(_is_plain, self._run))
            return
        self._order._check()  # noqa: SLF001 - a part of this state
        held = [cell for cell in self._order if cell.count]
        assert {id(cell) for cell in held} == {id(cell) for cell in self._cells.values()}
        assert len(held) == len(self._cells)
        assert all(cell.count > 0 for cell in held)
        assert len(self._order) <= 2 * len(self._cells) + _SPARE_PLACES + 1


def is_run(values: list[Any], cls: type | None) -> bool:
    """Tell whether values of one class can be told apart, and put in order, by Python alone."""
    if cls is not float:
        return cls in _OWN_NAME
    total = sum(values)
    return total == total and (all(values) or all(map(_is_plain, values)))


def _is_plain(value: Any) -> bool:
    """Tell a float that is known by its value from NaN, and from the negative zero."""
    return bool(value == value and (value != 0.0 or copysign(1.0, value) > 0.0))


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
