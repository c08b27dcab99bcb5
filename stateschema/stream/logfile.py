"""A stream in a file: one event per line, the format of replay.

Offset     The position is a byte position at the start of a line, so offsets hold across restarts.
           A file that is one JSON array can be read too, by position of the message; not written.
Writer     One at a time: the first append takes a lock on the file and keeps it until `close`
           (POSIX advisory locks; there is no other protection on systems without them). A torn
           last line, left by a crash, is cut off then, a missing last newline is added.
Readers    Any number, in any process, also while the file grows. They do not see a torn last line.
           Appends by this process wake followers at once; those of other processes are found by
           looking again after `poll_interval` seconds.
Crash      Each event is all there or not at all. An append of several events may be cut between
           two of them. `fsync=True` waits for the disk with each append.
Cost       A read opens the file, reads at most about 1 MiB and closes it again. The first read in
           the middle of a file also counts the lines before, to be able to name them.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from weakref import WeakValueDictionary

from stateschema.errors import (
    OffsetGoneError,
    StreamClosedError,
    StreamError,
    StreamNotFoundError,
)
from stateschema.events import Event
from stateschema.stream.batch import Batch, array_batch
from stateschema.stream.follow import CallLater, Signal, TimerHandle, follow
from stateschema.stream.interface import check_limit, encode_batch
from stateschema.stream.locking import lock
from stateschema.stream.offset import Offset
from stateschema.stream.text import OnMalformed, decode_array, decode_lines, is_array, is_torn

READ_BYTES = 1 << 20

# All handles of one file in this process share a signal, so that appends wake all followers.
_signals: WeakValueDictionary[str, Signal] = WeakValueDictionary()


class LogFile:
    """A stream whose messages are the lines of a file.

    Args:
        path: The file.
        create: Make the file if it is missing; without, it must exist.
        poll_interval: Seconds after which a waiting follower looks for appends of others.
        fsync: Wait with each append until the disk has it.
        call_later: Starts the timers of waiting followers; the running loop's by default.
        on_malformed: Called with the error of each malformed line, which is then left out; without
            it, reading stops there.

    Raises:
        StreamNotFoundError: The file does not exist.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        create: bool = False,
        poll_interval: float = 0.25,
        fsync: bool = False,
        call_later: CallLater | None = None,
        on_malformed: OnMalformed | None = None,
    ) -> None:
        self.path: Path = Path(path)
        if create:
            self.path.touch()
        elif not self.path.exists():
            error = StreamNotFoundError(f"log file {str(self.path)!r} does not exist")
            error.add_note("pass create=True to begin a new one")
            raise error
        self._poll_interval = poll_interval
        self._fsync = fsync
        self._call_later = call_later
        self._on_malformed = on_malformed
        self._signal = _signals.setdefault(os.path.realpath(path), Signal())
        self._file: FileIO | None = None
        self._is_closed = False
        self._known_line = (0, 1)

    def append_now(self, events: Event | Iterable[Event]) -> Offset:
        """Append events as one batch, as `Stream.append` does.

        Raises:
            StreamError: Another handle is writing, or the file is one JSON array.
        """
        data = b"".join(line + b"\n" for line in encode_batch(events))
        if self._is_closed:
            raise StreamClosedError(f"log file {str(self.path)!r} is closed")
        file = self._file = self._file or self._open_for_writing()
        start = file.seek(0, os.SEEK_END)
        try:
            _write_all(file, data)
            if self._fsync:
                os.fsync(file.fileno())
        except BaseException:
            file.truncate(start)
            raise
        end = start + len(data)
        self._signal.appended(end)
        return Offset.mint(end)

    def read_now(self, offset: str = Offset.START, *, limit: int | None = None) -> Batch:
        """Return messages after an offset, as `Stream.read` does, about 1 MiB at most.

        Raises:
            EventError: A line is malformed; names file and line.
        """
        check_limit(limit)
        return self._read(offset, limit=limit)

    def batches(self, offset: str = Offset.START, *, limit: int | None = None) -> Iterator[Batch]:
        """Iterate over everything from an offset to the present end; at least one batch."""
        while True:
            batch = self.read_now(offset, limit=limit)
            yield batch
            if batch.up_to_date:
                return
            offset = batch.next_offset

    def head_now(self) -> Offset:
        """Return the offset of the present end; O(size) only for a JSON array."""
        with self.path.open("rb") as file:
            if _begins_array(file):
                return self._read_array(file, Offset.START, None).next_offset
            return Offset.mint(_end_of_lines(file))

    def close_now(self) -> None:
        """Refuse further appends, give up the lock and end all followers; idempotent."""
        self._is_closed = True
        if self._file is not None:
            self._file.close()
            self._file = None
        self._signal.wake()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close_now()

    async def append(self, events: Event | Iterable[Event]) -> Offset:
        """Append events as one batch and return the offset after them."""
        return self.append_now(events)

    async def read(self, offset: str = Offset.START, *, limit: int | None = None) -> Batch:
        """Return messages after an offset, at most `limit` of them."""
        return self.read_now(offset, limit=limit)

    def follow(self, offset: str = Offset.START) -> AsyncGenerator[Batch, None]:
        """Yield batches from an offset on: what is there, then each append as it comes."""
        start = self.head_now() if offset == Offset.NOW else Offset(offset)
        self._check_offset(start)  # refused by this call, not by the first step
        return follow(
            self._signal,
            self._read_next,
            start,
            is_closed=lambda: self._is_closed,
            poll=self._poll,
        )

    async def head(self) -> Offset:
        """Return the offset of the present end."""
        return self.head_now()

    async def close(self) -> None:
        """Refuse further appends, give up the lock and end all followers; idempotent."""
        self.close_now()

    def _poll(self, callback: Callable[[], None]) -> TimerHandle:
        call_later = self._call_later or asyncio.get_running_loop().call_later
        return call_later(self._poll_interval, callback)

    def _open_for_writing(self) -> FileIO:
        file = FileIO(self.path, "r+")
        try:
            _lock(file, self.path)
            _mend_last_line(file, self.path)
        except BaseException:
            file.close()
            raise
        return file

    def _read_next(self, offset: Offset, is_live: bool) -> Batch:  # noqa: FBT001 - see follow
        if not is_live:
            return self._read(offset)
        position = Offset.position(offset, tail=0)
        return self._read(offset, end=self._signal.end_of_append(position))

    def _read(self, offset: str, *, limit: int | None = None, end: int | None = None) -> Batch:
        with self.path.open("rb") as file:
            if _begins_array(file):
                return self._read_array(file, offset, limit)
            return self._read_lines(file, offset, limit, end)

    def _read_lines(self, file: BinaryIO, offset: str, limit: int | None, end: int | None) -> Batch:
        position = self._line_start(file, offset)
        text, at_end = _whole_lines(file, position, end)
        first_line = self._line_at(file, position)
        lines = decode_lines(
            text,
            source=str(self.path),
            first_line=first_line,
            limit=limit,
            on_malformed=self._on_malformed,
        )
        after = position + lines.size
        self._known_line = (after, first_line + lines.line_count)
        is_all = lines.size == len(text) or is_torn(text[lines.size :])
        return Batch(
            messages=lines.messages,
            next_offset=Offset.mint(after),
            up_to_date=at_end and is_all,
            source=str(self.path),
            lines=lines.lines,
        )

    def _line_start(self, file: BinaryIO, offset: str) -> int:
        size = file.seek(0, os.SEEK_END)
        if offset == Offset.NOW:
            return _end_of_lines(file)
        position = Offset.position(offset, tail=size)
        # Lines begin after a newline. A last line without one ends where its newline will come,
        # maybe behind blanks.
        around = _bytes_at(file, position - 1, 64) if position else b""
        is_boundary = around[:1] in {b"", b"\n"} or not around[1:].partition(b"\n")[0].strip()
        if position > size or not is_boundary:
            raise OffsetGoneError(f"log file {str(self.path)!r} holds no offset {offset!r}")
        return position

    def _check_offset(self, offset: str) -> None:
        with self.path.open("rb") as file:
            if _begins_array(file):
                self._read_array(file, offset, 1)
            else:
                self._line_start(file, offset)

    def _line_at(self, file: BinaryIO, position: int) -> int:
        """Return the number of the line at a position; counts on from the last known one."""
        start, line = self._known_line if self._known_line[0] <= position else (0, 1)
        file.seek(start)
        while start < position:
            data = file.read(min(READ_BYTES, position - start))
            line += data.count(b"\n")
            start += len(data)
        return line

    def _read_array(self, file: BinaryIO, offset: str, limit: int | None) -> Batch:
        file.seek(0)
        array = decode_array(file.read(), source=str(self.path))
        start = Offset.position(offset, tail=len(array.messages))
        if start > len(array.messages):
            raise OffsetGoneError(f"log file {str(self.path)!r} holds no offset {offset!r}")
        return array_batch(array, start, limit, source=str(self.path))


def _lock(file: FileIO, path: Path) -> None:
    if not lock(file):
        error = StreamError(f"log file {str(path)!r} is being written by another handle")
        error.add_note(
            "a handle writes until it is closed; a StreamDB leaves open what it was given"
        )
        raise error


def _write_all(file: FileIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _mend_last_line(file: FileIO, path: Path) -> None:
    if _begins_array(file):
        raise StreamError(f"log file {str(path)!r} is a JSON array: it can only be read")
    end = _end_of_lines(file)
    size = file.seek(0, os.SEEK_END)
    if end < size:
        file.truncate(end)
    elif size and _bytes_at(file, size - 1, 1) != b"\n":
        file.seek(0, os.SEEK_END)
        _write_all(file, b"\n")


def _begins_array(file: BinaryIO | FileIO) -> bool:
    file.seek(0)
    return is_array(file.read(64))


def _bytes_at(file: BinaryIO | FileIO, position: int, count: int) -> bytes:
    file.seek(position)
    return file.read(count)


def _end_of_lines(file: BinaryIO | FileIO) -> int:
    """Return the position behind the last line that is not torn."""
    size = file.seek(0, os.SEEK_END)
    start = size
    tail = b""
    while start and b"\n" not in tail:
        start = max(0, start - READ_BYTES)
        file.seek(start)
        tail = file.read(size - start)
    last = tail[tail.rfind(b"\n") + 1 :]
    return size - len(last) if last and is_torn(last) else size


def _whole_lines(file: BinaryIO, position: int, end: int | None) -> tuple[bytes, bool]:
    """Return about `READ_BYTES` of whole lines, and whether they reach the end of the file."""
    file.seek(position)
    wanted = READ_BYTES if end is None else end - position
    text = file.read(wanted)
    # Without a newline up to the end of an append, that was the end of another file of this name.
    while len(text) >= wanted and b"\n" not in text:
        more = file.read(READ_BYTES)
        text, wanted = text + more, wanted + READ_BYTES
    at_end = file.read(1) == b""
    return (text, True) if at_end else (text[: text.rfind(b"\n") + 1], False)
