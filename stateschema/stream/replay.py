"""Replay: the batches of a log, once and in order, from a file or from standard input.

A pipe is read as it fills: what a slow producer has written is a batch, without waiting for more.
A path may name a pipe as well, as `<(zcat log.gz)` does in a shell.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from stateschema.errors import StreamNotFoundError
from stateschema.stream.batch import Batch, array_batch
from stateschema.stream.interface import check_limit
from stateschema.stream.logfile import READ_BYTES, LogFile
from stateschema.stream.offset import Offset
from stateschema.stream.text import OnMalformed, decode_array, decode_lines, is_array


class Pipe(Protocol):
    """A binary file that gives what is there; `sys.stdin.buffer` is one."""

    def read1(self, size: int, /) -> bytes:
        """Read at most `size` bytes with at most one wait; nothing only at the end."""
        ...


def read_log(
    path: str, *, limit: int | None = None, on_malformed: OnMalformed | None = None
) -> Iterator[Batch]:
    """Iterate over the batches of a log file, or of standard input if the path is `-`.

    Args:
        path: A file of lines or of one JSON array, or `-`.
        limit: Messages per batch, at most; else as many as come together.
        on_malformed: Called with the error of each malformed line, which is then left out.

    Raises:
        StreamNotFoundError: The file does not exist, or standard input is closed.
        EventError: A line is malformed, and nobody asked to be called; names file and line.
    """
    check_limit(limit)
    if path == "-":
        if sys.stdin is None:
            raise StreamNotFoundError("standard input is closed")
        pipe: Pipe = sys.stdin.buffer  # type: ignore[assignment] # a BufferedReader
        return read_pipe(pipe, limit=limit, on_malformed=on_malformed)
    if Path(path).is_fifo():
        return _read_fifo(path, limit, on_malformed)
    return LogFile(path, on_malformed=on_malformed).batches(limit=limit)


def read_pipe(
    pipe: Pipe,
    *,
    source: str = "<stdin>",
    limit: int | None = None,
    on_malformed: OnMalformed | None = None,
) -> Iterator[Batch]:
    """Iterate over the batches of a pipe until it ends; only the last one is up to date."""
    text, position, line = b"", 0, 1
    while chunk := _whole_line(pipe):
        text += chunk
        if position == 0 and is_array(text):
            yield from _array_batches(text + _rest_of(pipe), source, limit)
            return
        end = text.rfind(b"\n") + 1
        while end:
            lines = decode_lines(
                text[:end], source=source, first_line=line, limit=limit, on_malformed=on_malformed
            )
            text, end = text[lines.size :], end - lines.size
            position, line = position + lines.size, line + lines.line_count
            offset = Offset.mint(position)
            yield Batch(
                messages=lines.messages,
                next_offset=offset,
                up_to_date=False,
                source=source,
                lines=lines.lines,
            )
    last = decode_lines(text, source=source, first_line=line, on_malformed=on_malformed)
    yield Batch(
        messages=last.messages,
        next_offset=Offset.mint(position + last.size),
        up_to_date=True,
        source=source,
        lines=last.lines,
    )


def _read_fifo(path: str, limit: int | None, on_malformed: OnMalformed | None) -> Iterator[Batch]:
    with Path(path).open("rb") as pipe:
        yield from read_pipe(pipe, source=path, limit=limit, on_malformed=on_malformed)


def _whole_line(pipe: Pipe) -> bytes:
    """Return what is there, at least up to a newline, so that a long line is joined only once."""
    chunks: list[bytes] = []
    while chunk := pipe.read1(READ_BYTES):
        chunks.append(chunk)
        if b"\n" in chunk:
            break
    return b"".join(chunks)


def _array_batches(text: bytes, source: str, limit: int | None) -> Iterator[Batch]:
    array = decode_array(text, source=source)
    start = 0
    while True:
        batch = array_batch(array, start, limit, source=source)
        yield batch
        start += len(batch.messages)
        if batch.up_to_date:
            return


def _rest_of(pipe: Pipe) -> bytes:
    return b"".join(iter(lambda: pipe.read1(READ_BYTES), b""))
