"""A store in an SQLite file: what it has acknowledged survives the end of the process and of power.

Writes     One transaction per append holds its record, the producer's state and the closure; waiting
           appends share a commit. A write returns after the commit has been synced.
Reads      On a connection of their own, in the thread of the loop: they see all that was committed and
           never wait for a writer.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import time

from stateschema.stream.follow import Signal
from stateschema.stream.protocol.append import Append, Decision
from stateschema.stream.protocol.create import Creation
from stateschema.stream.protocol.record import Record
from stateschema.stream.protocol.state import StreamState
from stateschema.stream.store.commits import Commits
from stateschema.stream.store.interface import Created, Piece
from stateschema.stream.store.operations import Operations, Retention
from stateschema.stream.store.signals import Signals
from stateschema.stream.store.sqlite_file import SqliteFile
from stateschema.stream.store.sqlite_tables import SqliteTables


class SqliteStore:
    """Streams in a file; belongs to one process, and to the thread of one event loop in it.

    Args:
        path: The database; made if it is missing. The log and the lock stand beside it.
        clock: Seconds since 1970.
        retention: How much of each stream is kept.

    Raises:
        StreamError: The file is in use, damaged, or not one of ours.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        clock: Callable[[], float] = time,
        retention: Retention | None = None,
    ) -> None:
        self._file = SqliteFile(Path(path))
        self._signals = Signals()
        self._commits = Commits(self._file.writing.execute, self._signals.wake)
        renewed: dict[int, float] = {}
        self._tables = SqliteTables(self._file.writing, renewed)
        make = partial(
            Operations,
            clock=clock,
            retention=retention or Retention(),
            changed=self._commits.changed,
        )
        self._writing = make(self._tables)
        self._reading = make(SqliteTables(self._file.reading, renewed))

    async def create(self, name: str, wish: Creation) -> Created:
        """Create a stream, or accept the one that is there if it is the same."""
        return await self._commits.run(lambda: self._writing.create(name, wish))

    async def append(self, name: str, wish: Append) -> Decision:
        """Append to a stream, close it, or both."""
        return await self._commits.run(lambda: self._writing.append(name, wish))

    async def append_made(
        self, name: str, start: int, make: Callable[[Sequence[bytes]], Sequence[Record]]
    ) -> StreamState:
        """Append what is made of everything from a position on."""
        return await self._commits.run(lambda: self._writing.append_made(name, start, make))

    async def drop(self, name: str, end: int) -> None:
        """Drop what is before a position."""
        await self._commits.run(lambda: self._writing.drop(name, end))

    def larger_than(self, size: int) -> Sequence[StreamState]:
        """Return the streams whose own records take more bytes."""
        return self._reading.larger_than(size)

    async def delete(self, name: str) -> None:
        """Delete a stream."""
        await self._commits.run(lambda: self._writing.delete(name))

    def head(self, name: str) -> StreamState:
        """Return what is known about a stream, without counting as use of it."""
        return self._reading.head(name)

    def use(self, name: str) -> StreamState:
        """Return what is known about a stream, and begin its time to live anew."""
        return self._reading.use(name)

    def read(self, name: str, start: int | None, *, max_bytes: int) -> Piece:
        """Return what follows a position."""
        return self._reading.read(name, start, max_bytes=max_bytes)

    def signal(self, stream: int) -> Signal:
        """Return what the next change of a stream wakes."""
        return self._signals.of(stream)

    async def sweep(self) -> None:
        """Delete what has expired and drop what is retained no longer."""
        await self._commits.run(self._sweep)

    async def close(self) -> None:
        """Finish what has been begun, then close the file; idempotent."""
        if not self._commits.is_closed:
            await self._commits.run(self._tables.write_renewed)
        await self._commits.close()
        self._file.close()

    def _sweep(self) -> None:
        self._tables.write_renewed()
        self._writing.sweep()
