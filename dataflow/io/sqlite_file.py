"""SQLite files of our own: opened by one process at a time, and recognized.

Law     a file is changed by whole transactions or not at all, whenever the process dies; after a power cut the last ones may be
        missing, in order
Checks  an application id says that the file is ours, a layout number which tables it has; every page is checked when it is opened
Lock    the file stays locked while it is open: what two processes wrote would not fit together
Errors  whatever is wrong with the file is a `StorageError` that names it and says what to do
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

from dataflow.errors import StorageError

Connect: TypeAlias = Callable[..., sqlite3.Connection]
"""`sqlite3.connect`, or something that behaves like it."""

PREFIX: Final = "sqlite:///"
_BUSY, _CANNOT_OPEN = (
    (5, 6),
    (14, 8, 10),
)  # primary result codes: BUSY, LOCKED; CANTOPEN, READONLY, IOERR
_SMALLEST: Final = 512  # bytes of a page, and so of a database
_DAMAGED: Final = ("is damaged", "delete it, or restore a copy")
_NO_DATABASE: Final = ("is no SQLite database", "choose another file")


class SqliteFile:
    """An open file.

    Args:
        location: `sqlite:///relative.db`, `sqlite:////absolute.db`, or a path.
        application_id: what marks the file as one of this kind.
        layout: number of the tables below; another one is refused.
        tables: the statements that make them.
        connect: how the file is opened.

    Raises:
        StorageError: if the file cannot be opened, is in use, damaged, or not of this kind.
        ValueError: if the location names no file.
    """

    def __init__(
        self,
        location: str | Path,
        *,
        application_id: int,
        layout: int,
        tables: tuple[str, ...],
        connect: Connect = sqlite3.connect,
    ) -> None:
        self.path = path_of(location)
        self._application_id = application_id
        self._layout = layout
        with self.told("opened"):
            self._connection = connect(str(self.path), isolation_level=None, timeout=0)
        try:
            with self.told("opened"):
                self._open(tables)
        except BaseException:
            self._connection.close()
            raise

    def execute(self, sql: str, parameters: Any = ()) -> list[Any]:
        """Run one statement and return its rows."""
        return self._connection.execute(sql, parameters).fetchall()

    def execute_many(self, sql: str, parameters: Any) -> None:
        """Run one statement for each of some parameters."""
        self._connection.executemany(sql, parameters)

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Make the statements inside one change: all of them, or none if an exception leaves.

        Raises:
            StorageError: if SQLite fails.
        """
        with self.told("written"):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file. Closing twice is allowed."""
        self._connection.close()

    @contextmanager
    def told(self, what: str) -> Generator[None]:
        """Tell what is wrong with the file when SQLite fails."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._error(error, what) from error
        except UnicodeDecodeError as error:  # of a message that quotes what is in the file
            raise self._refused(*_DAMAGED) from error

    def _open(self, tables: tuple[str, ...]) -> None:
        self.execute("PRAGMA locking_mode=EXCLUSIVE")
        if self._has_content():
            self._is_empty()  # refuses what is not ours, before the journal mode, which is kept in the file, is changed
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            self.execute(f"PRAGMA {pragma}")
        if self._is_empty():
            with self.transaction():
                for statement in tables:
                    self.execute(statement)
                self.execute(f"PRAGMA application_id={self._application_id}")
                self.execute(f"PRAGMA user_version={self._layout}")
            return
        ((layout,),) = self.execute("PRAGMA user_version")
        if layout != self._layout:
            raise self._refused(
                f"has layout {layout}, and this version of the library reads {self._layout}",
                "use the version that wrote it, or delete the file",
            )
        (check, *_) = self.execute("PRAGMA quick_check(1)")
        if check != ("ok",):
            raise self._refused(f"is damaged: {check[0]}", "delete it, or restore a copy")

    def _has_content(self) -> bool:
        """Tell whether there is anything in the file; what is too short for a database SQLite would write over."""
        try:
            size = self.path.stat().st_size
        except OSError:
            return False  # SQLite says why, or makes it
        if 0 < size < _SMALLEST:
            raise self._refused(*_NO_DATABASE)
        return size > 0

    def _is_empty(self) -> bool:
        """Tell whether there are no tables yet; refuse a file of something else."""
        ((found,),) = self.execute("PRAGMA application_id")
        is_empty = not self.execute("SELECT 1 FROM sqlite_schema LIMIT 1")
        if found != self._application_id and (found or not is_empty):
            raise self._refused("is a database of something else", "choose another file")
        return is_empty

    def _refused(self, why: str, hint: str) -> StorageError:
        error = StorageError(f"file {str(self.path)!r} {why}")
        error.add_note(hint)
        return error

    def _error(self, error: sqlite3.Error, what: str) -> StorageError:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF  # the primary one
        if code in _BUSY:
            return self._refused(
                "is in use", "close it where it is open: another process, or this one"
            )
        if code in _CANNOT_OPEN:
            return self._refused(f"cannot be {what}: {error}", "check the folder and its rights")
        if code == 26:  # NOTADB
            return self._refused(*_NO_DATABASE)
        if code == 11:  # CORRUPT
            return self._refused(*_DAMAGED)
        return StorageError(f"file {str(self.path)!r} cannot be {what}: {error}")


def path_of(location: str | Path) -> Path:
    """Return the path of a location.

    >>> path_of("sqlite:///chat.db"), path_of("sqlite:////var/chat.db")
    (PosixPath('chat.db'), PosixPath('/var/chat.db'))

    Raises:
        ValueError: if it names no file.
        TypeError: if it is neither text nor a path.
    """
    if not isinstance(location, str | Path):
        raise TypeError(f"a file is named by a text or a path, not by {location!r}")
    text = str(location)
    found = text.removeprefix(PREFIX)
    if "://" in found or found in ("", ":memory:"):
        raise ValueError(f"{text!r} names no file: write 'sqlite:///name.db', or a path")
    return Path(found)
