"""Rekey: the same rows, known under another key.

Law         rows == {key_of(row): row}, and no two rows share a key, after every epoch
Delta rule  owners of each touched key are collected first; at the end of the epoch each has one owner or none
State       new key -> its owners, old key -> new key. O(input)
Cost        O(delta)
Edges       two owners at the end of an epoch, or a null key, put the query in status "error"; within an epoch a key may change hands
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.circuit.node import Delta, Node, StepError, undo_changes
from dataflow.errors import CollectionError
from dataflow.values.normal import expose, normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Rekey(Node):
    """Rows under a new key.

    Args:
        key_of: row -> new key; called once per row version.
        label: how the key is named in errors.
    """

    __slots__ = ("_changes", "_key_of", "_new_key", "_owners")

    def __init__(self, upstream: Node, key_of: Callable[[Any], Any], *, label: str) -> None:
        super().__init__((upstream,), label=f"key {label}")
        self._key_of = key_of
        self._new_key: dict[Any, Any] = {}
        self._owners: dict[Any, dict[Any, Any]] = {}
        self._changes: Delta = []
        self.rows = {}

    def step(self) -> Delta:
        delta = self.inputs[0].out
        self.touched += len(delta)
        self._changes = []
        touched = dict.fromkeys(self._move(delta))
        changes = self._net(touched)
        rows = self.rows
        assert rows is not None
        self._changes = changes
        for key, _, new in changes:
            if new is None:
                del rows[key]
            else:
                rows[key] = new
        return changes

    def _move(self, delta: Delta) -> Iterable[Any]:
        """Take old rows from their owners and give new rows to theirs; yield the keys touched."""
        owners = self._owners
        for key, old, new in delta:
            if old is not None:
                was = self._new_key.pop(key)
                del owners[was][key]
                yield was
            if new is not None:
                now = self._key(key, new)
                self._new_key[key] = now
                owners.setdefault(now, {})[key] = new
                yield now

    def _key(self, key: Any, row: Any) -> Any:
        """Return the new key of the row known as `key`."""
        try:
            new_key = normal(self._key_of(row))
        except Exception as error:
            raise StepError(key) from error
        if new_key is None:
            raise StepError(key) from CollectionError(f"{self.label} is null in row {row!r}")
        return new_key

    def _net(self, touched: Iterable[Any]) -> Delta:
        rows = self.rows
        assert rows is not None
        changes: Delta = []
        for key in touched:
            holders = self._owners[key]
            if len(holders) > 1:
                first, second = list(holders)[:2]
                raise CollectionError(
                    f"{self.label}: rows {expose(first)!r} and {expose(second)!r} have the same key {expose(key)!r}"
                )
            if not holders:
                del self._owners[key]
            old, new = rows.get(key), next(iter(holders.values()), None)
            if old is not new:
                changes.append((key, old, new))
        return changes

    def new_key(self, key: Any) -> Any:
        """Return the key under which a row of the input is known here."""
        return self._new_key[key]

    def hydrate(self) -> None:
        self._new_key, self._owners = {}, {}
        before, self.rows = self.rows, {}
        try:
            touched = dict.fromkeys(
                self._move([(key, None, row) for key, row in self.inputs[0].scan()])
            )
            self.rows = {key: row for key, _, row in self._net(touched)}
        except Exception:
            self.rows = before
            raise

    def undo(self) -> None:
        assert self.rows is not None
        undo_changes(self.rows, self._changes)
        self._changes = []

    def ordered_keys(self) -> Any:
        keys = self.inputs[0].ordered_keys()
        new_key = self._new_key
        return None if keys is None else (new_key[key] for key in keys if key in new_key)
