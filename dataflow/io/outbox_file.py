"""The file of an outbox: calls that have been made and not been confirmed, in order.

Law   a call is in the file from the moment it is shown until it has been confirmed or has failed for good
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from dataflow.errors import StorageError
from dataflow.io.encoding import decode, encode
from dataflow.io.sqlite_file import Connect, SqliteFile

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION_ID: Final = 0x64666F62  # "dfob"
_TABLES = (
    """CREATE TABLE calls (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, lane TEXT NOT NULL, arguments TEXT NOT NULL,
        idempotency_key TEXT NOT NULL UNIQUE, attempts INTEGER NOT NULL, error TEXT
    )""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that has not been confirmed.

    Attributes:
        number: counts the calls of the file.
        name: of the action.
        lane: calls of one lane are sent one after the other.
        args, kwargs: what it was called with.
        idempotency_key: the same for every attempt, different from that of every other call.
        attempts: how many have failed.
        error: what the last one failed on, as text.
    """

    number: int
    name: str
    lane: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    idempotency_key: str
    attempts: int = 0
    error: str | None = None


class OutboxFile:
    """The open file.

    Raises:
        StorageError: if it cannot be opened, is in use, damaged, or no outbox.
    """

    def __init__(self, location: str | Path, *, connect: Connect = sqlite3.connect) -> None:
        self._file = SqliteFile(
            location, application_id=APPLICATION_ID, layout=1, tables=_TABLES, connect=connect
        )

    def calls(self) -> list[Call]:
        """Return the calls in the order in which they were made."""
        with self._file.told("read"):
            lines = self._file.execute(
                "SELECT id, name, lane, arguments, idempotency_key, attempts, error FROM calls ORDER BY id"
            )
        return [self._call(*line) for line in lines]

    def _call(
        self,
        number: int,
        name: str,
        lane: str,
        arguments: str,
        key: str,
        attempts: int,
        error: str | None,
    ) -> Call:
        try:
            args, kwargs = decode(arguments)
        except ValueError as wrong:
            raise StorageError(
                f"file {str(self._file.path)!r}: call {number} is damaged"
            ) from wrong
        return Call(
            number=number,
            name=name,
            lane=lane,
            args=args,
            kwargs=kwargs,
            idempotency_key=key,
            attempts=attempts,
            error=error,
        )

    def add(
        self, name: str, lane: str, args: tuple[Any, ...], kwargs: dict[str, Any], key: str
    ) -> Call:
        """Write a call down.

        Raises:
            TypeError: if an argument cannot be written.
            StorageError: if the file cannot be written.
        """
        arguments = encode((args, kwargs))
        with self._file.transaction():
            self._file.execute(
                "INSERT INTO calls (name, lane, arguments, idempotency_key, attempts) VALUES (?, ?, ?, ?, 0)",
                (name, lane, arguments, key),
            )
            ((number,),) = self._file.execute("SELECT last_insert_rowid()")
        return Call(
            number=number, name=name, lane=lane, args=args, kwargs=kwargs, idempotency_key=key
        )

    def failed(self, call: Call, error: BaseException) -> Call:
        """Count a failed attempt, and return the call with it."""
        text = f"{type(error).__name__}: {error}".encode(errors="backslashreplace").decode()
        with self._file.transaction():
            self._file.execute(
                "UPDATE calls SET attempts = attempts + 1, error = ? WHERE id = ?",
                (text, call.number),
            )
        return replace(call, attempts=call.attempts + 1, error=text)

    def remove(self, call: Call) -> None:
        """Forget a call."""
        with self._file.transaction():
            self._file.execute("DELETE FROM calls WHERE id = ?", (call.number,))

    def close(self) -> None:
        """Close the file. Closing twice is allowed."""
        self._file.close()
