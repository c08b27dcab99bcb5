"""Nest: beside each row the list of the rows that belong to it, for each of several nested queries.

Law         the list of a row == its children sorted by (order, then key), cut to the window, after every epoch
Delta rule  children move in and out of the sorted entries of their owner; the list of each owner touched is built anew, once
State       per nested query: owner -> sorted entries and the list shown, child key -> row. O(children)
Cost        O(the lists of the outer rows touched) per epoch, plus O(log children of the owner) per changed child
Edges       a child whose row is equal to the one before keeps it; equal lists are no change; outer rows without children have [],
            None, or the row that aggregates of nothing have
Source      engine notes in ARCHITECTURE.md; sorted runs per key as in top-k-by-key operators
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Any

from dataflow.circuit.node import Delta, Node, Pairs
from dataflow.frozen import frozen
from dataflow.values.equality import equal

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.query.compiler.entries import Entry


@frozen
class Window:
    """What is shown of a list.

    Attributes:
        limit: How many rows, None for all.
        offset: How many to skip before.
        one: Whether the first of them is shown instead of the list.
    """

    limit: int | None
    offset: int
    one: bool

    def cut(self, items: list[Any]) -> list[Any]:
        """Return the part of a list that is in the window."""
        return items[self.offset : None if self.limit is None else self.offset + self.limit]

    def shown(self, items: list[Any]) -> Any:
        """Return what users see of a list in the window."""
        if self.one:
            return items[0] if items else None
        return items


class Children:
    """The rows of one nested query by owner.

    Args:
        node: the rows.
        owner_of: key of a row -> key of the outer row it belongs to.
        entry_of: (key, row) -> entry, see `entries`.
        value_of: row -> what is put into the list.
        empty: a node whose one row, if any, an owner without rows has.
    """

    __slots__ = (
        "_empty",
        "_entries",
        "_entry_of",
        "_owner_of",
        "_shown",
        "_value_of",
        "_values",
        "empty",
        "node",
        "window",
    )

    def __init__(
        self,
        node: Node,
        window: Window,
        owner_of: Callable[[Any], Any],
        entry_of: Callable[[Any, Any], Entry],
        value_of: Callable[[Any], Any],
        empty: Node | None,
    ) -> None:
        self.node: Node = node
        self.window: Window = window
        self.empty: Node | None = empty
        self._owner_of = owner_of
        self._entry_of = entry_of
        self._value_of = value_of
        self._empty: list[Any] = []
        self._entries: dict[Any, list[Entry]] = {}
        self._values: dict[Any, Any] = {}
        self._shown: dict[Any, list[Any]] = {}

    def load(self) -> None:
        """Build everything anew. O(n log n)."""
        self._entries, self._values, self._shown = {}, {}, {}
        self._empty = (
            [] if self.empty is None else [self._value_of(row) for _, row in self.empty.scan()]
        )
        for key, row in self.node.scan():
            self._values[key] = self._value_of(row)
            self._entries.setdefault(self._owner_of(key), []).append(self._entry_of(key, row))
        for owner, entries in self._entries.items():
            entries.sort()
            self._shown[owner] = self._built(entries)

    def follow(self) -> tuple[dict[Any, Any], int]:
        """Take in an epoch; return owner -> what was shown before, where that has changed, and how many rows were looked at."""
        touched: dict[Any, None] = {}
        for key, old, new in self.node.out:
            owner = self._owner_of(key)
            touched[owner] = None
            self._move(owner, key, old, new)
        before: dict[Any, Any] = {}
        looked = len(self.node.out)
        for owner in touched:
            was, entries = self._list(owner), self._entries.get(owner)
            if entries:
                self._shown[owner] = self._built(entries)
            else:
                self._entries.pop(owner, None)
                self._shown.pop(owner, None)
            now = self._list(owner)
            looked += len(now)
            if same(was, now):
                if owner in self._shown:
                    self._shown[owner] = was
            else:
                before[owner] = self.window.shown(was)
        return before, looked

    def of(self, owner: Any) -> Any:
        """Return what an outer row shows."""
        return self.window.shown(self._list(owner))

    def count(self) -> int:
        """Count the rows held."""
        return len(self._values)

    def _list(self, owner: Any) -> list[Any]:
        found = self._shown.get(owner)
        return self.window.cut(self._empty) if found is None else found

    def _built(self, entries: list[Entry]) -> list[Any]:
        values = self._values
        return [values[entry[-1]] for entry in self.window.cut(entries)]

    def _move(self, owner: Any, key: Any, old: Any, new: Any) -> None:
        before = None if old is None else self._entry_of(key, old)
        after = None if new is None else self._entry_of(key, new)
        if after is None:
            del self._values[key]
        else:
            value = self._value_of(new)
            if old is None or not equal(self._values[key], value):
                self._values[key] = value
        if before == after:
            return
        entries = self._entries.setdefault(owner, [])
        if before is not None:
            del entries[bisect_left(entries, before)]
        if after is not None:
            insort(entries, after)


def same(a: list[Any], b: list[Any]) -> bool:
    """Tell whether two lists have equal rows in the same order."""
    return len(a) == len(b) and all(
        one is other or equal(one, other) for one, other in zip(a, b, strict=True)
    )


class Nest(Node):
    """Outer rows, each followed by what its nested queries show.

    Args:
        outer: the outer rows, kept.
        flat: whether they are tuples already.
        parts: the nested queries.
    """

    __slots__ = ("_flat", "_parts")

    def __init__(self, outer: Node, parts: tuple[Children, ...], *, flat: bool) -> None:
        nodes = [part.node for part in parts]
        empties = [part.empty for part in parts if part.empty is not None]
        super().__init__((outer, *nodes, *empties), label="nest: whole lists of changed rows")
        self._flat = flat
        self._parts = parts

    def step(self) -> Delta:
        outer = self.inputs[0]
        rows = outer.rows
        assert rows is not None
        moved = {key: (old, new) for key, old, new in outer.out}
        self.touched += len(moved)
        befores: list[dict[Any, Any]] = []
        for part in self._parts:
            before, looked = part.follow()
            befores.append(before)
            self.touched += looked
        changes: Delta = []
        for key in dict.fromkeys(key for keys in (moved, *befores) for key in keys):
            old, new = moved[key] if key in moved else (rows[key], rows[key])
            now = [part.of(key) for part in self._parts]
            was = [before.get(key, value) for before, value in zip(befores, now, strict=True)]
            changes.append((key, self._row(old, was), self._row(new, now)))
        return changes

    def scan(self) -> Pairs:
        for key, row in self.inputs[0].scan():
            yield key, self._row(row, [part.of(key) for part in self._parts])

    def hydrate(self) -> None:
        for part in self._parts:
            part.load()

    def state_rows(self) -> int:
        return sum(part.count() for part in self._parts)

    def _row(self, row: Any, values: list[Any]) -> Any:
        if row is None:
            return None
        return (*row, *values) if self._flat else (row, *values)


class Owned(Node):
    """The right rows of a join's pairs, under the keys of the pairs; a change of the left row alone is none.

    Args:
        pairs: the pairs.
        owner_of: key of a pair -> key of its left row, to put that in front of each row; None for the bare right row.
    """

    __slots__ = ("_owner_of",)

    def __init__(self, pairs: Node, owner_of: Callable[[Any], Any] | None) -> None:
        super().__init__((pairs,), label="rows by owner")
        self._owner_of = owner_of

    def step(self) -> Delta:
        changes: Delta = []
        for key, old, new in self.inputs[0].out:
            before, after = None if old is None else old[-1], None if new is None else new[-1]
            if before is not after:
                changes.append((key, self._row(key, before), self._row(key, after)))
        self.touched += len(self.inputs[0].out)
        return changes

    def scan(self) -> Pairs:
        return ((key, self._row(key, row[-1])) for key, row in self.inputs[0].scan())

    def hydrate(self) -> None:
        """Do nothing: there is no state."""

    def _row(self, key: Any, row: Any) -> Any:
        if row is None or self._owner_of is None:
            return row
        return (self._owner_of(key), row)
