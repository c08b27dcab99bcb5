"""Order: rows in a total order, and the window of them that limit and offset show.

Law         rows == the input's rows at positions offset … offset + limit of sorted(rows, order, then row key), after every epoch
Delta rule  each changed row moves at most one other row over each edge of the window; per key only the net change is emitted
State       the entries (`entries`): all of them, or with a limit only the head of the order; the window's rows. Where every row is
            shown, the entries follow when somebody reads the order, until then it is noted which rows have changed
Cost        O(log window) per changed row with a limit, O(log input) with an offset alone, O(1) where every row is shown: O(log input)
            falls on the next reader, or one sort if many have changed, beside the pass over all rows that reading is anyway.
            An update that keeps its place touches only the window. A window that moves costs O(window), and the first two times a
            pass over the input
Edges       ties by row key, ascending, always; a row that leaves the window is a delete, one that moves up an insert. Where
            rows stand is computed for those who ask (`watched`), after the step, from the rows that came and went. An object
            that raises when asked for a column does so in the step, or where nothing but the order needs that, in the reader
Source      engine notes in ARCHITECTURE.md; measured in benchmarks/ (top100)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dataflow.circuit.node import Delta, Node, restore, undo_changes
from dataflow.query.compiler.bulk_order import first_rows, places_of
from dataflow.query.compiler.entries import SPARE, Entry, Head, Sorted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataflow.query.compiler.bulk_order import Leading
    from dataflow.query.compiler.make_entries import MakeEntries

FEW: Final = 8  # from one in so many rows on, sorting them all takes no longer than moving those that have changed


class Order(Node):
    """Sorted rows and a window over them.

    Args:
        upstream: a node that keeps its rows.
        entries: how rows get their entries.
        leading: the first column, None if there is none.
        limit: size of the window in rows, or None.
        offset: rows skipped before it.

    Attributes:
        watched: how many want to know where rows stand.
        arrived: the input's delta in the last step, for them; None when the rows were built anew.
    """

    __slots__ = (
        "_entries",
        "_entries_of",
        "_entry_of",
        "_leading",
        "_misplaced",
        "_net",
        "_refills",
        "_shows_all",
        "_stale",
        "_start",
        "_stop",
        "arrived",
        "watched",
    )

    def __init__(
        self,
        upstream: Node,
        entries: MakeEntries,
        limit: int | None,
        offset: int,
        leading: Leading | None = None,
    ) -> None:
        super().__init__((upstream,))
        self._entry_of, self._entries_of = entries
        self._leading = leading
        self._entries: Sorted | Head = Sorted(())
        self.move_window(limit, offset)
        self.watched: int = 0
        self.arrived: Delta | None = None
        self._refills = 0
        self._stale = False  # whether the window has to be read anew at the end of the step
        # key -> the entry that it still has, None for no entry; None if all entries have to be made anew
        self._misplaced: dict[Any, Any] | None = {}
        self._net: dict[Any, Any] = {}
        self.rows = {}

    def step(self) -> Delta:
        delta = self.inputs[0].out
        self.touched += len(delta)
        net: dict[Any, Any] = {}
        self._net = net
        if self._stale:
            self._settle()
        elif self._shows_all:
            return self._step_whole(delta)
        entry_of = self._entry_of
        for key, old, new in delta:
            before = None if old is None else entry_of(key, old)
            after = None if new is None else entry_of(key, new)
            if before is not None and before == after:
                self._refresh(key, new)
                continue
            if before is not None:
                self._remove(before)
            if after is not None:
                self._insert(after)
        if self._stale:
            self._refill()
        if self.watched:
            self.arrived = delta
        rows = self.rows
        assert rows is not None
        return [(key, old, new) for key, old in net.items() if (new := rows.get(key)) is not old]

    def _step_whole(self, delta: Delta) -> Delta:
        """Do a step of an order that shows every row: none comes or goes because of another one."""
        rows, misplaced, entry_of = self.rows, self._misplaced, self._entry_of
        assert rows is not None
        try:
            for key, old, new in delta:
                if misplaced is not None and key not in misplaced:
                    misplaced[key] = None if old is None else entry_of(key, old)
                if new is None:
                    del rows[key]
                else:
                    rows[key] = new
            if misplaced is not None and len(misplaced) * FEW > len(rows):
                self._misplaced = None
            if self.watched:
                self._settle()
                self.arrived = delta
        except BaseException:
            undo_changes(rows, delta)
            raise
        return delta

    def _settle(self) -> None:
        """Put the entries in order, if rows have changed since somebody last asked for it."""
        misplaced, rows = self._misplaced, self.rows
        if misplaced == {}:
            return
        assert rows is not None
        self._misplaced = None  # an interrupt leaves entries that are worth nothing
        self.touched += len(rows if misplaced is None else misplaced)
        if misplaced is None:
            self._entries = self._sorted(rows)
        else:
            entries, entry_of = self._entries, self._entry_of
            assert isinstance(entries, Sorted)
            for key, before in misplaced.items():
                new = rows.get(key)
                after = None if new is None else entry_of(key, new)
                if before != after:
                    entries.move(before, after)
        self._misplaced = {}

    def hydrate(self) -> None:
        self._refills = 0
        self._stale = False
        self.arrived = None
        self.rows = self._load()

    def undo(self) -> None:
        assert self.rows is not None
        restore(self.rows, self._net.items())
        self._net = {}

    def ordered_keys(self) -> Iterable[Any]:
        if self.error is None:
            self._settle()
            return self._window()
        # the entries may be from amid the step that failed, and the window may have moved since
        assert self.rows is not None
        return [entry[-1] for entry in self._sorted(self.rows).window(0, None)]

    def _window(self) -> list[Any]:
        """Return the keys of the window in order, from entries that are in order."""
        return [entry[-1] for entry in self._entries.window(self._start, self._stop)]

    def move_window(self, limit: int | None, offset: int) -> None:
        """Show another window from the next step on."""
        self.label: str = "order by" if limit is None else f"order by, limit {limit}"
        self._start = offset
        self._stop = None if limit is None else offset + limit
        self._shows_all = limit is None and not offset
        self._stale = True

    @property
    def offset(self) -> int:
        """How many rows stand before the window."""
        return self._start

    def entry(self, key: Any, row: Any) -> Entry:
        """Return what a row is sorted by."""
        return self._entry_of(key, row)

    def position(self, entry: Entry) -> int | None:
        """Return how many rows stand before an entry; None far behind the window. O(log rows)."""
        self.touched += 1
        return self._entries.position(entry)

    def state_rows(self) -> int:
        assert self.rows is not None
        return len(self.rows if self._shows_all else self._entries)

    def _all(self) -> dict[Any, Any]:
        rows = self.inputs[0].rows
        assert rows is not None
        return rows

    def _load(self) -> dict[Any, Any]:
        """Build the entries from all rows; return the rows of the window."""
        kept, stop = self._all(), self._stop
        self._misplaced = {}
        if stop is None or self._refills > 1:
            self._entries = self._sorted(kept)
        else:
            entries = self._entries_of(*first_rows(kept, self._leading, stop + SPARE))
            self._entries = Head(entries, len(kept), stop)
        return dict(kept) if self._shows_all else {key: kept[key] for key in self._window()}

    def _sorted(self, kept: dict[Any, Any]) -> Sorted:
        """Return the entries of rows in order."""
        entries = self._entries_of(list(kept), list(kept.values()))
        places = places_of(entries)
        return Sorted(entries if places is None else [entries[place] for place in places])

    def _refill(self) -> None:
        """Read the window anew, after it has moved or the head has run short."""
        self._stale = False
        if not self._entries.covers(self._stop):
            self._refills += 1
            self._load()
            self.touched += len(self._entries)
        kept, rows = self._all(), self.rows
        assert rows is not None
        shown = dict.fromkeys(self._window())
        self.touched += len(shown) + len(rows)
        for key in [key for key in rows if key not in shown]:
            self._leave(key)
        for key in shown:
            if rows.get(key) is not kept[key]:
                self._enter(key)

    # Inside an epoch the input already shows its new rows while the entries follow change by change. A key that enters the
    # window although a later change of the same epoch deletes it stands there without row until that change comes.

    def _refresh(self, key: Any, row: Any) -> None:
        rows = self.rows
        assert rows is not None
        if key in rows:
            self._net.setdefault(key, rows[key])
            rows[key] = row

    def _enter(self, key: Any) -> None:
        rows = self.rows
        assert rows is not None
        self._net.setdefault(key, rows.get(key))
        rows[key] = self._all().get(key)

    def _leave(self, key: Any) -> None:
        assert self.rows is not None
        self._net.setdefault(key, self.rows[key])
        del self.rows[key]

    def _remove(self, entry: Entry) -> None:
        entries, start, stop = self._entries, self._start, self._stop
        position = entries.remove(entry)
        if entries.short:
            self._stale = True
        if (
            position is None
            or self._stale
            or (stop is not None and position >= stop)
            or start == stop
        ):
            return
        if position >= start:
            self._leave(entry[-1])
        elif len(entries) >= start:
            self._leave(entries.at(start - 1)[-1])
        if stop is not None and len(entries) >= stop:
            self._enter(entries.at(stop - 1)[-1])

    def _insert(self, entry: Entry) -> None:
        entries, start, stop = self._entries, self._start, self._stop
        position = entries.add(entry)
        if (
            position is None
            or self._stale
            or (stop is not None and position >= stop)
            or start == stop
        ):
            return
        if position >= start:
            self._enter(entry[-1])
        elif len(entries) > start:
            self._enter(entries.at(start)[-1])
        if stop is not None and len(entries) > stop:
            self._leave(entries.at(stop)[-1])
