"""Tables in SQLite, over one connection: that of the writer, or that of readers.

Deadlines that reads move are kept in a dictionary that both share and are written down by the next
sweep, so that a read does not wait for the disk; a crash forgets those of the last second.
"""

import sqlite3
from collections.abc import Iterator
from typing import Any

from stateschema.stream.protocol.expiry import Expiry
from stateschema.stream.protocol.producer import Claim, ProducerState
from stateschema.stream.protocol.record import Record
from stateschema.stream.protocol.state import StreamState
from stateschema.stream.store.tables import Stored

_FIXED = ("id", "name", "content_type", "ttl", "expires_at", "parent", "forked_from", "base")
_CHANGING = (
    "deadline",
    "first",
    "tail",
    "size",
    "closed",
    "closer",
    "closer_epoch",
    "closer_seq",
    "seq",
    "forks",
    "deleted",
)
_COLUMNS = ", ".join(_FIXED + _CHANGING)
_INSERT = f"INSERT INTO streams ({_COLUMNS}) VALUES ({', '.join('?' * len(_FIXED + _CHANGING))})"
_UPDATE = f"UPDATE streams SET {', '.join(f'{name} = ?' for name in _CHANGING)} WHERE id = ?"
_BY_NAME = f"SELECT {_COLUMNS} FROM streams WHERE name = ?"
_BY_ID = f"SELECT {_COLUMNS} FROM streams WHERE id = ?"
_FORKS = f"SELECT {_COLUMNS} FROM streams WHERE parent = ?"
_EXPIRED = f"SELECT {_COLUMNS} FROM streams WHERE deadline <= ? AND NOT deleted"
_OVERDUE = f"""
SELECT {_COLUMNS} FROM streams WHERE size > ? OR
    (SELECT stored FROM records WHERE stream = id ORDER BY start LIMIT 1) < ?
"""
_RECORDS = """
SELECT start, count, data FROM records WHERE stream = ?1 AND start < ?3 AND start >=
    coalesce((SELECT max(start) FROM records WHERE stream = ?1 AND start <= ?2), ?2)
ORDER BY start
"""


class SqliteTables:
    """The tables of an open database.

    Args:
        connection: Where they are.
        renewed: Deadlines that are not written down yet, by stream; shared between connections.
    """

    def __init__(self, connection: sqlite3.Connection, renewed: dict[int, float]) -> None:
        self._execute = connection.execute
        self._renewed = renewed

    def find(self, name: str) -> StreamState | None:
        """Return the stream of a name."""
        row = self._execute(_BY_NAME, (name,)).fetchone()
        return None if row is None else self._state(row)

    def get(self, stream: int) -> StreamState:
        """Return a stream that is known to exist."""
        return self._state(self._execute(_BY_ID, (stream,)).fetchone())

    def forks(self, stream: int) -> list[StreamState]:
        """Return the forks of a stream, hidden ones too."""
        return [self._state(row) for row in self._execute(_FORKS, (stream,)).fetchall()]

    def new_id(self) -> int:
        """Return a number that no stream has had."""
        row = self._execute("UPDATE numbers SET last = last + 1 RETURNING last").fetchall()
        number: int = row[0][0]
        return number

    def put(self, state: StreamState) -> None:
        """Store a stream, new or changed."""
        closer = state.closer
        changing = (
            state.deadline,
            state.first,
            state.tail,
            state.size,
            state.closed,
            None if closer is None else closer.producer,
            None if closer is None else closer.epoch,
            None if closer is None else closer.seq,
            state.seq,
            state.forks,
            state.deleted,
        )
        if self._execute(_UPDATE, (*changing, state.id)).rowcount:
            return
        expiry = state.expiry
        fixed = (state.id, state.name, state.content_type, expiry.ttl, expiry.expires_at)
        origin = (state.parent, state.forked_from, state.base)
        self._execute(_INSERT, (*fixed, *origin, *changing))

    def renew(self, stream: int, deadline: float) -> None:
        """Move the deadline of a stream."""
        self._renewed[stream] = deadline

    def write_renewed(self) -> None:
        """Write down the deadlines that were moved."""
        for stream in tuple(self._renewed):
            deadline = self._renewed[stream]
            self._execute(
                "UPDATE streams SET deadline = ?1 WHERE id = ?2 AND deadline < ?1",
                (deadline, stream),
            )
            if self._renewed[stream] == deadline:
                del self._renewed[stream]

    def remove(self, stream: int) -> None:
        """Remove a stream, its records and its producers."""
        self._execute("DELETE FROM streams WHERE id = ?", (stream,))
        self._execute("DELETE FROM producers WHERE stream = ?", (stream,))
        self._execute("DELETE FROM records WHERE stream = ?", (stream,))

    def producer(self, stream: int, producer: str) -> ProducerState | None:
        """Return what is remembered of a producer."""
        row = self._execute(
            "SELECT epoch, seq FROM producers WHERE stream = ? AND producer = ?",
            (stream, producer),
        ).fetchone()
        return None if row is None else ProducerState(*row)

    def put_producer(self, stream: int, producer: str, state: ProducerState) -> None:
        """Remember a producer."""
        self._execute(
            "INSERT INTO producers VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET epoch = excluded.epoch, seq = excluded.seq",
            (stream, producer, state.epoch, state.seq),
        )

    def add(self, stream: int, start: int, record: Record, now: float) -> None:
        """Store a record at the tail."""
        self._execute(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?)",
            (stream, start, record.count, now, record.data),
        )

    def records(self, stream: int, start: int, end: int) -> Iterator[tuple[int, Record]]:
        """Iterate over the own records that overlap a range."""
        found = self._execute(_RECORDS, (stream, start, end))
        try:
            for place, count, data in found:
                yield place, Record(data, count)
        finally:
            found.close()  # an open cursor would keep the log from being folded into the file

    def drop(self, stream: int, end: int) -> None:
        """Drop the own records before a position."""
        self._execute("DELETE FROM records WHERE stream = ? AND start < ?", (stream, end))

    def oldest(self, stream: int) -> Iterator[Stored]:
        """Iterate over a stream's own records, from the oldest on."""
        found = self._execute(
            "SELECT stored, start + count, length(data) FROM records WHERE stream = ?"
            " ORDER BY start",
            (stream,),
        )
        try:
            for row in found:
                yield Stored(*row)
        finally:
            found.close()

    def overdue(self, *, before: float | None, max_bytes: int | None) -> list[StreamState]:
        """Return the streams that retention may have to cut."""
        most = 2**62 if max_bytes is None else max_bytes
        return [self._state(row) for row in self._execute(_OVERDUE, (most, before)).fetchall()]

    def expired(self, now: float) -> list[StreamState]:
        """Return the streams whose deadline has passed."""
        found = [self._state(row) for row in self._execute(_EXPIRED, (now,)).fetchall()]
        return [state for state in found if state.is_expired(now)]

    def _state(self, row: tuple[Any, ...]) -> StreamState:
        (id_, name, content_type, ttl, expires_at, parent, forked_from, base) = row[:8]
        (deadline, first, tail, size, closed, closer, epoch, number, seq, forks, deleted) = row[8:]
        if deadline is not None:
            deadline = max(deadline, self._renewed.get(id_, deadline))
        return StreamState(
            id=id_,
            name=name,
            content_type=content_type,
            expiry=Expiry(ttl, expires_at),
            deadline=deadline,
            parent=parent,
            forked_from=forked_from,
            base=base,
            first=first,
            tail=tail,
            size=size,
            closed=bool(closed),
            closer=None if closer is None else Claim(closer, epoch, number),
            seq=seq,
            forks=forks,
            deleted=bool(deleted),
        )
