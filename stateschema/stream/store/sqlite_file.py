"""The file of an SQLite store: opened, recognised, checked, and locked for one process.

Foreign    A file that is no database, or the database of somebody else, is refused before anything
           is written to it: ours carry an application id and a version.
Damaged    Opening runs SQLite's quick check over the whole file, about a second per gigabyte, so that
           damage is an error now and not a wrong answer later.
Locked     A lock file beside it, held while the store is open; the system drops it with the process,
           however that ends.
Durable    Write-ahead log with `synchronous=FULL`: COMMIT returns when the log is on the disk.
"""

import secrets
import sqlite3
from io import FileIO
from pathlib import Path
from typing import Final

from stateschema.errors import StreamError
from stateschema.stream.locking import lock

APPLICATION_ID: Final = 0x53545245
"""What tells our files from others: "STRE"."""
VERSION: Final = 1
"""Of the tables; another one is another format."""

_MAGIC = b"SQLite format 3\x00"

_TABLES = """
CREATE TABLE numbers (last INTEGER NOT NULL);
CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    content_type TEXT NOT NULL,
    ttl INTEGER,
    expires_at TEXT,
    parent INTEGER,
    forked_from TEXT,
    base INTEGER NOT NULL,
    deadline REAL,
    first INTEGER NOT NULL,
    tail INTEGER NOT NULL,
    size INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    closer TEXT,
    closer_epoch INTEGER,
    closer_seq INTEGER,
    seq TEXT,
    forks INTEGER NOT NULL,
    deleted INTEGER NOT NULL
);
CREATE INDEX deadlines ON streams (deadline) WHERE deadline IS NOT NULL;
CREATE TABLE producers (
    stream INTEGER NOT NULL,
    producer TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (stream, producer)
) WITHOUT ROWID;
CREATE TABLE records (
    stream INTEGER NOT NULL,
    start INTEGER NOT NULL,
    count INTEGER NOT NULL,
    stored REAL NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (stream, start)
) WITHOUT ROWID;
"""


class SqliteFile:
    """An open database: a connection for writing, one for reading, and the lock.

    Args:
        path: The file; made if it is missing.

    Raises:
        StreamError: The file is in use, damaged, or not one of ours.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        _refuse_other_files(path)
        self._lock = _lock_file(path)
        try:
            self.writing = _connect(path)
            _prepare(self.writing, path)
            self.reading = _connect(path)
            self.reading.execute("PRAGMA query_only = ON")
        except sqlite3.DatabaseError as error:
            self._lock.close()
            raise StreamError(f"database {str(path)!r} is damaged: {error}") from error
        except BaseException:
            self._lock.close()
            raise

    def close(self) -> None:
        """Close both connections, which folds the log into the file, and give up the lock."""
        self.reading.close()
        self.writing.close()
        self._lock.close()


def _refuse_other_files(path: Path) -> None:
    try:
        with path.open("rb") as file:
            begin = file.read(len(_MAGIC))
    except FileNotFoundError:
        if not path.parent.is_dir():
            message = f"database {str(path)!r} cannot be made: its folder does not exist"
            raise StreamError(message) from None
        return
    except OSError as error:
        raise StreamError(f"database {str(path)!r} cannot be opened: {error.strerror}") from error
    if begin not in {b"", _MAGIC}:
        raise StreamError(f"file {str(path)!r} is no SQLite database")


def _lock_file(path: Path) -> FileIO:
    # Beside the database: closing any handle of the file itself would drop SQLite's own locks.
    file = FileIO(f"{path}.lock", "a")
    if not lock(file):
        file.close()
        raise StreamError(f"database {str(path)!r} is in use by another server")
    return file


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    application, version = (
        _pragma(connection, "application_id"),
        _pragma(connection, "user_version"),
    )
    if application == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        connection.execute("PRAGMA journal_mode = WAL")
        first = secrets.randbits(40)
        connection.executescript(
            f"BEGIN; {_TABLES} INSERT INTO numbers VALUES ({first});"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
        )
        return
    if application != APPLICATION_ID:
        raise StreamError(f"database {str(path)!r} holds something else than streams")
    if version != VERSION:
        raise StreamError(f"database {str(path)!r} has format {version}, not {VERSION}")
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise StreamError(f"database {str(path)!r} is damaged: {found}")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value
