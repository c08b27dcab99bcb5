"""Listings: what has been published of a collection, and what of it an epoch changes.

A listing turns what subscribers are told into changes of wire values, net per key. Without an order
that needs no memory. With one, each row gets an order key as a field of its value, and the listing
keeps keys and wire values of all rows, to know neighbours, and what a move leaves as it was.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from dataflow.collection.changes import Change
from dataflow.collection.readable import Readable
from dataflow.errors import QueryError
from dataflow.live.live import LiveQuery
from dataflow.live.splices import Insert, Move, Remove, Replace, Reset, Splice
from dataflow.live.window import order_of
from stateschema.errors import SchemaError
from stateschema.streamdb.publishing.events import Wire, wire_key, wire_value
from stateschema.streamdb.publishing.order import order_keys, put_key


class WireChange(NamedTuple):
    """One row on the wire, before and after; None is no row."""

    key: str
    old: Wire | None
    new: Wire | None


class Listing(Protocol):
    """What has been published, as far as that has to be known."""

    def begin(
        self, said: dict[str, Wire], keys: Sequence[Any], rows: Sequence[Any]
    ) -> list[WireChange]:
        """Return what turns rows that were published before into those of the collection."""
        ...

    def changes(self, told: list[Any]) -> list[WireChange]:
        """Return the net changes of an epoch."""
        ...


class PlainListing:
    """The listing of a collection without order; keeps nothing."""

    def begin(
        self, said: dict[str, Wire], keys: Sequence[Any], rows: Sequence[Any]
    ) -> list[WireChange]:
        """Return what turns rows that were published before into those of the collection."""
        return difference(said, dict(zip(map(wire_key, keys), map(wire_value, rows), strict=True)))

    def changes(self, told: Iterable[Change[Any]]) -> list[WireChange]:
        """Return the changes of an epoch."""
        return [
            WireChange(
                wire_key(change.key),
                None if change.old is None else wire_value(change.old),
                None if change.op == "delete" else wire_value(change.value),
            )
            for change in told
        ]


class OrderedListing:
    """The listing of a query with an order.

    Args:
        field: Where rows carry their order keys on the wire.
    """

    def __init__(self, field: str) -> None:
        self._field = field
        self._keys: list[str] = []
        self._order: list[str] = []  # the order key of each
        self._rows: dict[str, Wire] = {}

    def begin(
        self, said: dict[str, Wire], keys: Sequence[Any], rows: Sequence[Any]
    ) -> list[WireChange]:
        """Return what turns rows that were published before into those of the collection."""
        self._rows = said
        return self._reset(keys, rows)

    def changes(self, told: Iterable[Splice[Any]]) -> list[WireChange]:
        """Return the net changes of an epoch."""
        before: dict[str, Wire | None] = {}
        for splice in told:
            match splice:
                case Reset(rows, keys):
                    return self._reset(keys, rows)  # it is alone
                case Remove(index):
                    key = self._take(index)
                    before.setdefault(key, self._rows.pop(key))
                case Move(index, to, _):
                    key = self._take(index)
                    before.setdefault(key, self._rows[key])
                    self._put(to, key, self._rows[key], before)
                case Insert(index, row_key, row):
                    key = wire_key(row_key)
                    before.setdefault(key, None)
                    self._put(index, key, self._value(row), before)
                case Replace(index, row):
                    key = self._keys[index]
                    before.setdefault(key, self._rows[key])
                    self._rows[key] = {**self._value(row), self._field: self._order[index]}
        return [
            WireChange(key, old, new)
            for key, old in before.items()
            if old != (new := self._rows.get(key))
        ]

    def _take(self, index: int) -> str:
        del self._order[index]
        return self._keys.pop(index)

    def _put(self, index: int, key: str, value: Wire, before: dict[str, Wire | None]) -> None:
        """Put a row into its place, and note the rows that make room for it."""
        self._keys.insert(index, key)
        self._rows[key] = value
        for place in put_key(self._order, index):
            moved = self._keys[place]
            before.setdefault(moved, self._rows[moved])
            self._rows[moved] = {**self._rows[moved], self._field: self._order[place]}

    def _reset(self, keys: Sequence[Any], rows: Sequence[Any]) -> list[WireChange]:
        before = self._rows
        self._keys = [wire_key(key) for key in keys]
        self._order = order_keys([before.get(key, {}).get(self._field) for key in self._keys])
        self._rows = {
            key: {**self._value(row), self._field: order}
            for key, row, order in zip(self._keys, rows, self._order, strict=True)
        }
        return difference(before, self._rows)

    def _value(self, row: object) -> Wire:
        value = wire_value(row)
        if self._field in value:
            error = SchemaError(f"rows have a field {self._field!r} of their own")
            error.add_note("choose another name for order keys: publish(..., order_field=...)")
            raise error
        return value


def difference(before: dict[str, Wire], after: dict[str, Wire]) -> list[WireChange]:
    """Return what turns some rows into others; rows that go come first.

    >>> difference({"a": {"n": 1}, "b": {}}, {"a": {"n": 2}})
    [WireChange(key='b', old={}, new=None), WireChange(key='a', old={'n': 1}, new={'n': 2})]
    """
    gone = [WireChange(key, old, None) for key, old in before.items() if key not in after]
    return gone + [
        WireChange(key, before.get(key), new)
        for key, new in after.items()
        if before.get(key) != new
    ]


def is_ordered(view: Readable[Any]) -> bool:
    """Tell whether the rows of a collection have an order."""
    if not isinstance(view, LiveQuery):
        return False
    try:
        order_of(view.tree)
    except QueryError:
        return False
    return True
