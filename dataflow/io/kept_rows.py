"""The rows of one collection that a store keeps: which of them are due to be written, and as what.

State   the keys of the rows touched since the last write. What is written under them is the synced row at the time of the write, so
        a key noted once too often costs a line, never a wrong row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.errors import CollectionError
from dataflow.io.rowtype import RowType
from dataflow.values.normal import expose, normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dataflow.collection.collection import Collection
    from dataflow.collection.status import StatusSubscription


class KeptRows:
    """One collection, and which of its rows are due.

    Attributes:
        keys: of the rows that are due, in normal form.
        written_state: the state in the file, None if there is none.
    """

    def __init__(self, collection: Collection[Any], due: Callable[[], None]) -> None:
        if collection.journal is not None:
            raise CollectionError(f"{collection} is kept by another store")
        self.collection = collection
        self.rows = RowType(collection.row_type, owner=collection)
        self.keys: dict[Any, None] = dict.fromkeys(map(normal, collection))  # not in the file yet
        self.written_state: tuple[bool, bool] | None = None
        self._due = due
        self._subscription: StatusSubscription | None = None

    def restore(self, rows: list[Any], *, ready: bool, synced: bool) -> None:
        """Show what the file keeps; called inside a batch."""
        self.written_state = (ready, synced)
        if rows:
            self.collection.restore(rows, synced=synced)
        if ready:
            self.collection.mark_ready()

    def begin(self) -> None:
        """Take note of what is written from now on."""
        self.collection.journal = self
        self._subscription = self.collection.subscribe_status(lambda _: self._due())

    def end(self) -> None:
        """Take note of nothing more."""
        self.collection.journal = None
        if self._subscription is not None:
            self._subscription.close()

    def note(self, keys: Iterable[Any]) -> None:
        """Take note of the keys of a commit."""
        self.keys.update(dict.fromkeys(keys))
        self._due()

    @property
    def state(self) -> tuple[bool, bool]:
        """Whether the collection is past its first rows, and whether they come from elsewhere."""
        return not self.collection.is_waiting, self.collection.was_synced

    def lines(self) -> list[tuple[str, str | None]]:
        """Return what to write, as (key, row), None for a row that is gone."""
        lines: list[tuple[str, str | None]] = []
        for key in self.keys:
            row = self.collection.synced_row(key)
            lines.append((key_text(key), None if row is None else self.rows.dump(row)))
        return lines

    def written(self) -> None:
        """Forget what was due."""
        self.keys.clear()
        self.written_state = self.state


def key_text(key: Any) -> str:
    """Return a text that no other key has.

    >>> key_text(1), key_text("1"), key_text((1, "a"))
    ('1', "'1'", "(1, 'a')")
    """
    return repr(expose(key))
