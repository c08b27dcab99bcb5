"""The rows of a SQLite query, as a source.

Law     the collection shows what the query answers at some moment since the last read
Cost    a read asks `PRAGMA data_version` first: as long as no other connection has committed, that is all it does
Edges   the connection is this source's own, read-only, and opened by the first read, so that a database which is not there (yet)
        is a failure like any other, and the next read may succeed. A file that has taken the place of another is opened anew.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dataflow.io.polling import Polled
from dataflow.io.rowtype import RowType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataflow.collection.collection import Collection
    from dataflow.io.clock import Clock

R = TypeVar("R")


def sqlite_query(
    collection: Collection[R],
    database: str | Path,
    sql: str,
    parameters: Sequence[Any] | Mapping[str, Any] = (),
    *,
    every: float | None = None,
    clock: Clock | None = None,
) -> Polled[R]:
    """Keep a collection equal to the answer of a query on a SQLite file that others write.

    Args:
        collection: what to fill; its row type, if declared, is built from the columns.
        database: path of the file.
        sql: one SELECT; its columns are the fields of the rows.
        parameters: those of the query.
        every: seconds between reads; None reads once, and again when `refetch()` is called.
        clock: what measures them; the event loop by default.
    """
    reader = _Reader(
        Path(database), sql, parameters, RowType(collection.row_type, owner=collection)
    )
    return Polled(
        collection, reader.read, every=every, clock=clock, thread=False, stop=reader.close
    )


class _Reader:
    """Runs the query when the database has changed."""

    def __init__(self, path: Path, sql: str, parameters: Any, row_type: RowType) -> None:
        self._path = path
        self._sql = sql
        self._parameters = parameters
        self._build = row_type.build
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None  # the one that is open
        self._version: int | None = None  # of the database, as of the last answer

    def read(self) -> list[Any] | None:
        """Return the rows, or None if nothing has been committed since the last time."""
        file = _identity(self._path)
        if file != self._file:
            self.close()
            self._file = file
        connection = self._connection
        if connection is None:
            connection = self._connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
            )
        try:
            connection.execute("BEGIN")  # the version and the rows are those of one moment
            try:
                return self._answer(connection)
            finally:
                connection.execute("ROLLBACK")
        except BaseException:
            self.close()  # the file may be another one by the next time
            raise

    def _answer(self, connection: sqlite3.Connection) -> list[Any] | None:
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()  # takes the snapshot
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if version == self._version:
            return None
        cursor = connection.execute(self._sql, self._parameters)
        names = [column[0] for column in cursor.description]
        lines = cursor.fetchall()  # before a line that does not fit can leave the cursor open
        rows = [self._build(dict(zip(names, line, strict=True))) for line in lines]
        self._version = version
        return rows

    def close(self) -> None:
        """Close the file; the next read opens it anew."""
        self._version = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one of its name; None if there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
