"""A store that is one log file: the format of replay, served and appended to over HTTP.

The stream has the name of the file without its ending, is always there, and holds events, one per
line; positions are those of `LogFile`, bytes at the start of a line. An append is acknowledged once
the disk has it. A log holds messages and nothing else, so what would need more is refused with 501:
closure, `Stream-Seq`, idempotent producers, expiry, forks. It cannot be deleted (405).

Writer     This process alone, from its first append on; the file is locked.
Readers    Appends by this process wake them at once, those of another one when `sweep` next looks.
Crash      An append of several events may be cut between two of them, unlike in the other stores.
Cost       A read decodes the lines it returns. The loop waits while an append is synced.
"""

import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic_core import to_json

from stateschema.errors import EventError, LocalProtocolError, OffsetGoneError
from stateschema.events import parse_events
from stateschema.stream.follow import Signal
from stateschema.stream.logfile import LogFile
from stateschema.stream.offset import Offset
from stateschema.stream.protocol.append import Accepted, Append, Decision, decide
from stateschema.stream.protocol.create import Creation, check_same
from stateschema.stream.protocol.expiry import NEVER
from stateschema.stream.protocol.record import JSON, Record
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.protocol.state import StreamState
from stateschema.stream.store.interface import Created, Piece


class LogStore:
    """One stream in a log file; belongs to the thread of one event loop.

    Args:
        path: The file; made if it is missing.

    Raises:
        OSError: The file can neither be opened nor made.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._log = LogFile(path, create=True, fsync=True)
        self._name = Path(path).stem
        self._id = secrets.randbits(48)  # tags of another run must not match
        self._signal = Signal()
        self._seen = self._log.head_now()
        self._is_closed = False

    async def create(self, name: str, wish: Creation) -> Created:
        """Accept the stream that is there."""
        self._check_open()
        if wish.fork is not None or wish.closed or wish.expiry != NEVER:
            raise _unsupported("forks, closure and expiry")
        if name != self._name:
            raise RejectedError(403, "forbidden", f"this server holds {self._name!r} alone")
        check_same(self._state(), wish)
        return Created(self._state(), is_new=False)

    async def append(self, name: str, wish: Append) -> Decision:
        """Append events."""
        self._check_open()
        if wish.close or wish.seq is not None or wish.claim is not None:
            raise _unsupported("closure, Stream-Seq and producers")
        decision = decide(self.head(name), wish, None)
        if not isinstance(decision, Accepted) or decision.record is None:
            return decision
        try:
            self._log.append_now(parse_events(b"[%b]" % decision.record.data))
        except (EventError, LocalProtocolError) as error:
            raise RejectedError(400, "bad-event", str(error)) from error
        self._look()
        return Accepted(self._state(), decision.record, None)

    async def append_made(
        self, name: str, start: int, make: Callable[[Sequence[bytes]], Sequence[Record]]
    ) -> StreamState:
        """Refuse: nobody needs it where nothing can be dropped."""
        raise _unsupported("compaction")

    async def drop(self, name: str, end: int) -> None:
        """Refuse: offsets are positions in the file."""
        raise _unsupported("compaction")

    def larger_than(self, size: int) -> Sequence[StreamState]:
        """Return nothing: the file cannot be made smaller."""
        return ()

    async def delete(self, name: str) -> None:
        """Refuse: the file is not the server's to delete."""
        self.head(name)
        raise RejectedError(405, "method-not-allowed", "a log file cannot be deleted")

    def head(self, name: str) -> StreamState:
        """Return what is known about the stream."""
        if name != self._name:
            raise RejectedError(404, "not-found", f"there is no stream {name!r}")
        return self._state()

    def use(self, name: str) -> StreamState:
        """Return what is known about the stream."""
        return self.head(name)

    def read(self, name: str, start: int | None, *, max_bytes: int) -> Piece:
        """Return what follows a position; `LogFile` says how much."""
        self.head(name)
        try:
            batch = self._log.read_now(Offset.mint(start or 0))
        except OffsetGoneError as error:
            raise RejectedError(410, "offset-gone", str(error)) from error
        data = [to_json(message) for message in batch.messages]
        end = Offset.position(batch.next_offset, tail=0)
        return Piece(self._state(), start or 0, end, data)

    def signal(self, stream: int) -> Signal:
        """Return what the next append wakes."""
        return self._signal

    async def sweep(self) -> None:
        """Notice what another process has appended."""
        self._look()

    async def close(self) -> None:
        """Give up the lock; idempotent."""
        self._is_closed = True
        self._log.close_now()
        self._signal.wake()

    def _state(self) -> StreamState:
        tail = Offset.position(self._log.head_now(), tail=0)
        return StreamState(
            id=self._id, name=self._name, content_type=JSON, expiry=NEVER, tail=tail, size=tail
        )

    def _look(self) -> None:
        head = self._log.head_now()
        if head != self._seen:
            self._seen = head
            self._signal.wake()

    def _check_open(self) -> None:
        if self._is_closed:
            raise RejectedError(503, "shutting-down", "the store is closed")


def _unsupported(what: str) -> RejectedError:
    return RejectedError(501, "not-implemented", f"a log file keeps no {what}")
