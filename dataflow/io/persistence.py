"""Persistence: the synced rows of collections, and facts about them, survive a restart.

    store = persist([messages, presence], "sqlite:///chat.db")     # what was kept is there again
    offset = store.metadata.get("offset")
    with batch():                                                   # one epoch: rows and offset agree, always
        ...                                                         # write rows
        store.set_metadata(offset=next_offset)

Law      what the file holds is the synced state after some epoch, metadata included; it is written when an outermost commit is over,
         as one transaction, so a process that is killed at any moment leaves the state before it or after it
What     synced rows; of a local collection all that is confirmed. Pending mutations are not rows of the collection: an `Outbox`
         keeps those
Versions `version` is that of the rows. Rows of an older one go through `migrate`, field by field, once, in one transaction
Failure  a write that fails surfaces from the commit, as what a subscriber raises; the rows stay due and are written with the next
         epoch, or by `flush()`
Cost     O(rows touched) per commit and one transaction of SQLite; O(rows) when it is opened
"""

from __future__ import annotations

import sqlite3
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from dataflow.circuit.graph import current_graph
from dataflow.closing import Closing
from dataflow.collection.batch import Staged, batch, current_batch
from dataflow.collection.collection import Collection
from dataflow.errors import CollectionError, StorageError
from dataflow.io.encoding import decode, encode
from dataflow.io.kept_rows import KeptRows, key_text
from dataflow.io.sqlite_file import Connect, SqliteFile
from dataflow.io.statistics import StoreStatistics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from dataflow.circuit.node import Node

Migrate: TypeAlias = "Callable[[str, int, dict[str, Any]], dict[str, Any] | None]"
"""(collection name, old version, fields) -> fields of the new version, or None to drop the row."""

APPLICATION_ID: Final = 0x64666C77  # "dflw"
_TABLES = (
    "CREATE TABLE rows (collection TEXT, key TEXT, row TEXT NOT NULL, PRIMARY KEY (collection, key)) WITHOUT ROWID",
    "CREATE TABLE collections (name TEXT PRIMARY KEY, version INTEGER, ready INTEGER, synced INTEGER)",
    "CREATE TABLE metadata (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
)


class Store(Closing):
    """A file that keeps collections; made by `persist`. Close it, or use it as a context manager."""

    def __init__(
        self,
        collections: Iterable[Collection[Any]],
        location: str | Path,
        *,
        version: int,
        migrate: Migrate | Literal["discard"] | None,
        connect: Connect,
    ) -> None:
        self._kept = {each.name: KeptRows(each, self._due) for each in collections}
        self._version = version
        self._graph = current_graph()
        self._metadata: dict[str, Any] = {}
        self._new_metadata: dict[str, Any] = {}
        self._is_due = False
        self._is_held = False
        self._closed = False
        self._rows_written = self._transactions = 0
        self._file = SqliteFile(
            location, application_id=APPLICATION_ID, layout=1, tables=_TABLES, connect=connect
        )
        try:
            self._load(migrate)
            if any(kept.keys for kept in self._kept.values()):
                self.flush()
        except BaseException:
            self._file.close()
            raise
        for kept in self._kept.values():
            kept.begin()

    # -- metadata ----------------------------------------------------------------------------------------------------

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What `set_metadata` has set, as of the last epoch."""
        return MappingProxyType(self._metadata)

    def set_metadata(self, **values: Any) -> None:
        """Keep facts beside the rows; None forgets one. Inside a batch they belong to its epoch, else they are one by themselves.

        Raises:
            TypeError: if a value cannot be written: it is one of JSON, or a time, a Decimal, a UUID, bytes, a tuple or a set.
            StorageError: if they cannot be written now.
        """
        self._check_open()
        for value in values.values():
            encode(value)
        open_batch = current_batch()
        if open_batch is None:
            self._take(values)
            self.flush()
        else:
            open_batch.stage(self, _StagedMetadata(self, values))

    def _take(self, values: Mapping[str, Any]) -> None:
        self._new_metadata.update(values)
        for name, value in values.items():
            if value is None:
                self._metadata.pop(name, None)
            else:
                self._metadata[name] = value
        self._due()

    # -- writing -----------------------------------------------------------------------------------------------------

    def _due(self) -> None:
        """Write when the outermost commit is over."""
        if not self._is_due and not self._closed:
            self._is_due = True
            self._graph.later(self._write_due)

    def _write_due(self) -> None:
        if self._is_due and not self._closed:
            if self._is_held:
                self._is_due = False
            else:
                self.flush()

    def hold(self) -> None:
        """Leave the file as it is until `release`: rows are in a state that nobody should resume from. What is held is lost by `close`."""
        self._is_held = True

    def release(self) -> None:
        """Write again, what was held included: with the batch that is open, else at once."""
        self._is_held = False
        current = current_batch()
        if current is None:
            self.flush()
        else:
            current.on_published(self._write_rest)

    def _write_rest(self) -> None:
        """Write what was held, if the batch itself wrote nothing that would have taken it along."""
        if (
            not self._closed
            and not self._is_held
            and any(each.keys for each in self._kept.values())
        ):
            self.flush()

    def flush(self) -> None:
        """Write what is due now; only needed after a write that failed.

        Raises:
            StorageError: if it cannot be written.
            CollectionError: if a value in a row cannot be written.
        """
        self._check_open()
        self._is_due = False
        rows = {name: kept.lines() for name, kept in self._kept.items()}
        with self._file.transaction():
            for name, lines in rows.items():
                self._write(name, lines)
            for name, value in self._new_metadata.items():
                if value is None:
                    self._file.execute("DELETE FROM metadata WHERE name = ?", (name,))
                else:
                    self._file.execute(
                        "INSERT OR REPLACE INTO metadata VALUES (?, ?)", (name, encode(value))
                    )
        for kept in self._kept.values():
            kept.written()
        self._new_metadata.clear()
        self._rows_written += sum(map(len, rows.values()))
        self._transactions += 1

    def _write(self, name: str, lines: list[tuple[str, str | None]]) -> None:
        kept = self._kept[name]
        gone = [(name, key) for key, row in lines if row is None]
        there = [(name, key, row) for key, row in lines if row is not None]
        if gone:
            self._file.execute_many("DELETE FROM rows WHERE collection = ? AND key = ?", gone)
        if there:
            self._file.execute_many("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", there)
        if kept.state != kept.written_state:
            self._file.execute(
                "INSERT OR REPLACE INTO collections VALUES (?, ?, ?, ?)",
                (name, self._version, *kept.state),
            )

    def statistics(self) -> StoreStatistics:
        """Return a snapshot of counters."""
        due = sum(len(kept.keys) for kept in self._kept.values())
        return StoreStatistics(due, self._rows_written, self._transactions)

    # -- reading -----------------------------------------------------------------------------------------------------

    def _load(self, migrate: Migrate | Literal["discard"] | None) -> None:
        with self._file.told("read"):
            known = {
                name: (version, bool(ready), bool(synced))
                for name, version, ready, synced in self._file.execute("SELECT * FROM collections")
            }
        for name in self._kept:
            version, _, _ = known.get(name, (self._version, False, False))
            if version != self._version:
                self._migrate(name, version, migrate)
                if migrate == "discard":
                    del known[name]
        with self._file.told("read"):
            metadata = self._file.execute("SELECT name, value FROM metadata")
            lines = {name: self._lines(name) for name in self._kept}
        self._metadata = {name: self._decoded(decode, value) for name, value in metadata}
        with batch():
            for name, kept in self._kept.items():
                rows = [self._decoded(kept.rows.load, text) for _, text in lines[name]]
                _, ready, synced = known.get(name, (0, False, False))
                kept.restore(rows, ready=ready, synced=synced)

    def _lines(self, name: str) -> list[tuple[str, str]]:
        return self._file.execute(
            "SELECT key, row FROM rows WHERE collection = ? ORDER BY key", (name,)
        )

    def _migrate(
        self, name: str, version: int, migrate: Migrate | Literal["discard"] | None
    ) -> None:
        """Rewrite the rows of a collection in the present version."""
        if migrate is None or (version > self._version and migrate != "discard"):
            error = StorageError(
                f"file {str(self._file.path)!r} keeps version {version} of collection {name!r}, not {self._version}"
            )
            error.add_note(
                "migrate= says how rows of an older version become newer; 'discard' drops them"
            )
            raise error
        with self._file.told("read"):
            lines = self._lines(name)
        with self._file.transaction():
            self._file.execute("DELETE FROM rows WHERE collection = ?", (name,))
            if migrate == "discard":
                self._file.execute("DELETE FROM metadata")
                self._file.execute("DELETE FROM collections WHERE name = ?", (name,))
                return
            kept = self._kept[name]
            for _, text in lines:
                fields = migrate(name, version, self._decoded(decode, text))
                if fields is not None:
                    row = kept.rows.build(fields)
                    line = (name, key_text(kept.collection.key_of(row)), kept.rows.dump(row))
                    self._file.execute("INSERT INTO rows VALUES (?, ?, ?)", line)
            self._file.execute(
                "UPDATE collections SET version = ? WHERE name = ?", (self._version, name)
            )

    def _decoded(self, read: Callable[[str], Any], text: str) -> Any:
        try:
            return read(text)
        except Exception as error:  # a validator of the row type may raise anything
            reason = error if isinstance(error, ValueError) else repr(error)
            wrong = StorageError(
                f"file {str(self._file.path)!r} keeps something else than expected: {reason}"
            )
            wrong.add_note("rows of another shape need a new version= and migrate=")
            raise wrong from error

    # -- end ---------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Write what is due and close the file; the collections go on without it. Closing twice is allowed."""
        if self._closed:
            return
        try:
            if not self._is_held and (
                self._is_due or any(kept.keys for kept in self._kept.values()) or self._new_metadata
            ):
                self.flush()
        finally:
            self._closed = True
            for kept in self._kept.values():
                kept.end()
            self._file.close()

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError(f"the store {str(self._file.path)!r} is closed")


class _StagedMetadata(Staged):
    """Metadata set inside a batch."""

    __slots__ = ("_store", "_values")

    def __init__(self, store: Store, values: Mapping[str, Any]) -> None:
        self._store = store
        self._values = dict(values)

    def merge(self, later: _StagedMetadata) -> None:
        """Take over what was set after this."""
        self._values.update(later._values)

    def apply(self) -> list[Node]:
        """Set it; called by the graph at the start of the epoch."""
        self._store._take(self._values)  # noqa: SLF001 - a part of it
        return []


def persist(
    collections: Collection[Any] | Iterable[Collection[Any]],
    location: str | Path,
    *,
    version: int = 1,
    migrate: Migrate | Literal["discard"] | None = None,
    connect: Connect = sqlite3.connect,
) -> Store:
    """Keep collections in a SQLite file: what it has is shown at once, what is committed from now on is written.

    Rows of the file replace rows with the same key. A collection that was past its first rows when it was written is ready.

    Args:
        collections: one or several; their names tell them apart in the file.
        location: `sqlite:///relative.db`, `sqlite:////absolute.db`, or a path. One process at a time can open it.
        version: that of the shape of the rows, counted up when it changes.
        migrate: turns the fields of a row of an older version into those of the present one, or answers None to drop the row;
            "discard" drops all rows and all metadata of any other version.
        connect: how the file is opened.

    Raises:
        StorageError: if the file is in use, damaged, of another application, of another version, or keeps rows that do not fit.
        CollectionError: if two collections have one name, one is kept already, or rows of its type cannot be written.
        ValueError: if the location names no file.
    """
    several = [collections] if isinstance(collections, Collection) else list(collections)
    names = [each.name for each in several]
    for name in names:
        if names.count(name) > 1:
            raise CollectionError(f"two collections to keep are named {name!r}")
    return Store(several, location, version=version, migrate=migrate, connect=connect)
