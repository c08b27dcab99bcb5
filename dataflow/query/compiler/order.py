"""Order: rows in a total order, and the window of them that limit and offset show.

Law         rows == the input's rows at positions offset … offset + limit of sorted(rows, order, then row key), after every epoch
Delta rule  each changed row moves at most one other row over each edge of the window; per key only the net change is emitted
State       one sorted list of (order, tie-break, key) over the whole input; the window's rows. O(input)
Cost        O(log input) per changed row; an update that keeps its place touches only the window
Edges       ties by row key, ascending, always; a row that leaves the window is a delete, one that moves up an insert
Source      sortedcontainers (list of lists), measured against bisect and bounded buffers in benchmarks/
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from sortedcontainers import SortedList

from dataflow.circuit.node import Delta, Node
from dataflow.values.order import row_sort_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Entry = tuple[Any, Any, Any]  # order of the row, order of its key, its key


class Order(Node):
    """Sorted rows and a window over them.

    Args:
        order_of: row -> sortable tuple.
        limit: size of the window in rows, or None.
        offset: rows skipped before it.
    """

    __slots__ = ("_entries", "_entry_of", "_kept", "_net", "_order_of", "_start", "_stop")

    def __init__(
        self, upstream: Node, order_of: Callable[[Any], Any], limit: int | None, offset: int
    ) -> None:
        super().__init__((upstream,), label="order by")
        self._order_of = order_of
        self._start = offset
        self._stop = None if limit is None else offset + limit
        self._entries: Any = SortedList()
        self._entry_of: dict[Any, Entry] = {}
        self._kept: dict[Any, Any] | None = (
            None  # the input's rows, where it does not keep them itself
        )
        self._net: dict[Any, Any] = {}
        self.rows = {}

    def step(self) -> Delta:
        delta = self.inputs[0].out
        self.touched += len(delta)
        net: dict[Any, Any] = {}
        self._net = net
        if self._kept is not None:
            keep(self._kept, delta)
        for key, old, new in delta:
            before = None if old is None else self._entry_of[key]
            entry = None if new is None else (self._order_of(new), row_sort_key(key), key)
            if before is not None and entry is not None and before[0] == entry[0]:
                self._refresh(key, new)
                continue
            if before is not None:
                self._remove(before)
            if entry is not None:
                self._insert(entry)
        rows = self.rows
        assert rows is not None
        return [(key, old, new) for key, old in net.items() if (new := rows.get(key)) is not old]

    def hydrate(self) -> None:
        source = self.inputs[0]
        self._kept = dict(source.scan()) if source.rows is None else None
        order_of = self._order_of
        entries = [(order_of(row), row_sort_key(key), key) for key, row in self._all().items()]
        self._entries = SortedList(entries)
        self._entry_of = {entry[2]: entry for entry in entries}
        kept = self._all()
        self.rows = {key: kept[key] for key in self.ordered_keys()}

    def undo(self) -> None:
        rows = self.rows
        assert rows is not None
        for key, old in self._net.items():
            if old is None:
                rows.pop(key, None)
            else:
                rows[key] = old
        self._net = {}

    def ordered_keys(self) -> Iterable[Any]:
        return (entry[2] for entry in islice(self._entries, self._start, self._stop))

    def state_rows(self) -> int:
        return len(self._entries)

    def _all(self) -> dict[Any, Any]:
        rows = self.inputs[0].rows if self._kept is None else self._kept
        assert rows is not None
        return rows

    # Inside an epoch the input already shows its new rows while the entries follow change by change. A key that enters the
    # window although a later change of the same epoch deletes it stands there without row until that change comes.

    def _refresh(self, key: Any, row: Any) -> None:
        rows = self.rows
        assert rows is not None
        if key in rows:
            self._net.setdefault(key, rows[key])
            rows[key] = row

    def _enter(self, entry: Entry) -> None:
        key, rows = entry[2], self.rows
        assert rows is not None
        self._net.setdefault(key, rows.get(key))
        rows[key] = self._all().get(key)

    def _leave(self, key: Any) -> None:
        assert self.rows is not None
        self._net.setdefault(key, self.rows[key])
        del self.rows[key]

    def _remove(self, entry: Entry) -> None:
        entries, start, stop, key = self._entries, self._start, self._stop, entry[2]
        assert self.rows is not None
        inside = key in self.rows
        before_window = not inside and start > 0 and entries.bisect_left(entry) < start
        entries.remove(entry)
        del self._entry_of[key]
        if inside:
            self._leave(key)
        elif before_window:
            if stop != start and len(entries) >= start:
                self._leave(entries[start - 1][2])
        else:
            return
        if stop is not None and len(entries) >= stop > start:
            self._enter(entries[stop - 1])

    def _insert(self, entry: Entry) -> None:
        entries, start, stop, key = self._entries, self._start, self._stop, entry[2]
        entries.add(entry)
        self._entry_of[key] = entry
        place = entries.bisect_left(entry) if start or stop is not None else 0
        if stop is not None and place >= stop:
            return
        if place >= start:
            self._enter(entry)
        elif len(entries) > start:
            if stop is not None and start == stop:
                return
            self._enter(entries[start])
        if stop is not None and len(entries) > stop > start:
            self._leave(entries[stop][2])


def keep(rows: dict[Any, Any], delta: Delta) -> None:
    """Apply a delta to a dict of rows."""
    for key, _, new in delta:
        if new is None:
            del rows[key]
        else:
            rows[key] = new
