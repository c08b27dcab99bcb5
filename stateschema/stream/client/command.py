"""The commands `python -m stateschema stream …`: durable streams from a shell.

```text
create URL            makes a stream; prints its head
append URL [TEXT …]   appends messages: the arguments, else the lines of standard input
read URL              prints the messages up to the present end
follow URL            goes on printing what is appended, until the stream is closed
head URL              prints where the stream ends, and what kind it is
delete URL            deletes the stream
```

JSON streams are one message per line, in and out; other streams are bytes as they are. Heads and
ends of appends are JSON objects. Long reads tell about their progress on standard error, at the end
the offset at which `--offset` goes on. Exit codes: 0 done; 1 an error; 2 wrong arguments; 130
interrupted.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from typing import Any, BinaryIO

from stateschema.errors import LocalProtocolError, StateSchemaError
from stateschema.stream.client.answers import Head
from stateschema.stream.client.batch import ClientBatch
from stateschema.stream.client.blocking import BlockingStreamClient
from stateschema.stream.client.content import encode
from stateschema.stream.offset import Offset
from stateschema.stream.protocol.record import is_json

PROGRESS_INTERVAL = 1.0  # seconds between two lines about a long read
PIECE_BYTES = 1 << 16  # of input that is no lines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands and their arguments."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, about: str, run: Callable[..., None]) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=about, description=about)
        made.add_argument("url", metavar="URL", help="URL of the stream")
        made.add_argument(
            "--header",
            action="append",
            type=_header,
            default=[],
            metavar="'NAME: VALUE'",
            help="header of every request; may be repeated",
        )
        made.set_defaults(run=partial(_guarded, run))
        return made

    create = command("create", "make a stream", _create)
    create.add_argument("--content-type", metavar="TYPE", help="default: application/json")
    create.add_argument("--ttl", type=int, metavar="SECONDS", help="idleness until it expires")
    create.add_argument("--expires-at", metavar="TIME", help="when it expires, RFC 3339")
    create.add_argument("--closed", action="store_true", help="nothing will be appended")
    append = command("append", "append messages", _append)
    append.add_argument("texts", nargs="*", metavar="TEXT", help="default: lines of stdin")
    append.add_argument("--close", action="store_true", help="close the stream afterwards")
    read = command("read", "print messages up to the present end", _read)
    follow = command("follow", "print messages, and those that come", _follow)
    for reading in (read, follow):
        reading.add_argument(
            "--offset", default=Offset.START, help="where to begin, 'now' for the end"
        )
        reading.add_argument("--quiet", action="store_true", help="no progress, no last offset")
    follow.add_argument(
        "--live",
        choices=("auto", "sse", "long-poll"),
        default="auto",
        help="how to wait for news (default: auto)",
    )
    follow.add_argument("--timeout", type=float, metavar="SECONDS", help="when to stop")
    command("head", "print where a stream ends, and what kind it is", _head)
    command("delete", "delete a stream", _delete)


def _guarded(run: Callable[..., None], arguments: argparse.Namespace) -> int:
    """Run a command; turn errors into messages and exit codes."""
    if sys.stdout is None:  # closed by whoever started the process
        sys.stderr.write("error: standard output is closed\n")
        return 1
    try:
        with BlockingStreamClient(arguments.url, headers=dict(arguments.header)) as stream:
            run(stream, arguments)
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (StateSchemaError, ImportError, OSError) as error:
        hints = "".join(f"hint: {note}\n" for note in getattr(error, "__notes__", ()))
        sys.stderr.write(f"error: {error}\n{hints}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _create(stream: BlockingStreamClient, arguments: argparse.Namespace) -> None:
    head = stream.create(
        content_type=arguments.content_type,
        ttl=arguments.ttl,
        expires_at=arguments.expires_at,
        closed=arguments.closed,
    )
    _print({**_described(head), "isNew": head.is_new})


def _head(stream: BlockingStreamClient, _: argparse.Namespace) -> None:
    _print(_described(stream.head()))


def _delete(stream: BlockingStreamClient, _: argparse.Namespace) -> None:
    stream.delete()


def _append(stream: BlockingStreamClient, arguments: argparse.Namespace) -> None:
    content_type = stream.connect().content_type or ""
    if arguments.texts:
        pieces: Iterable[bytes] = [os.fsencode(text) for text in arguments.texts]
    else:
        pieces = _input(lines=is_json(content_type))
    count = 0
    with stream.producer() as producer:
        for number, piece in enumerate(pieces, start=1):
            if not piece.strip() and is_json(content_type):
                continue
            producer.append(_checked(piece, content_type, number))
            count += 1
        offset = producer.close_stream() if arguments.close else producer.flush()
    _print({"offset": offset or stream.head(), "messages": count})


def _checked(piece: bytes, content_type: str, number: int) -> bytes:
    try:
        return encode(piece, content_type)
    except LocalProtocolError as error:
        raise LocalProtocolError(f"message {number}: {error}") from error


def _input(*, lines: bool) -> Iterator[bytes]:
    source: BinaryIO = sys.stdin.buffer
    return iter(source) if lines else iter(lambda: source.read1(PIECE_BYTES), b"")  # type: ignore[attr-defined] # a BufferedReader


def _read(stream: BlockingStreamClient, arguments: argparse.Namespace) -> None:
    _print_batches(stream, stream.catch_up(arguments.offset), arguments)


def _follow(stream: BlockingStreamClient, arguments: argparse.Namespace) -> None:
    batches = stream.follow(arguments.offset, live=arguments.live, timeout=arguments.timeout)
    _print_batches(stream, batches, arguments)


def _print_batches(
    stream: BlockingStreamClient, batches: Any, arguments: argparse.Namespace
) -> None:
    progress = Progress(is_quiet=arguments.quiet)
    try:
        with closing(batches):
            for batch in batches:
                _print_batch(batch, is_json=is_json(stream.content_type or ""))
                progress.took(batch)
    finally:
        progress.end()


def _print_batch(batch: ClientBatch, *, is_json: bool) -> None:
    if is_json:
        for message in batch.messages:
            _print(message)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(batch.data)
        sys.stdout.buffer.flush()
    sys.stdout.flush()


class Progress:
    """Tells about a long read on standard error: every second while it catches up, and at its end.

    Args:
        is_quiet: Whether to say nothing.
        clock: Tells seconds.
    """

    def __init__(self, *, is_quiet: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._is_quiet = is_quiet
        self._clock = clock
        self._told = clock()
        self._messages = 0
        self._batches = 0
        self._offset: Offset | None = None

    def took(self, batch: ClientBatch) -> None:
        """Count a batch that was printed."""
        self._messages += len(batch.messages)
        self._batches += 1
        self._offset = batch.next_offset
        if not batch.up_to_date and self._clock() - self._told >= PROGRESS_INTERVAL:
            self._told = self._clock()
            self._tell("reading")

    def end(self) -> None:
        """Tell where it went on to."""
        if self._offset is not None:
            self._tell("done")

    def _tell(self, state: str) -> None:
        if not self._is_quiet:
            read = f"{self._messages} messages in {self._batches} batches"
            sys.stderr.write(f"{state}: {read}, next offset {self._offset}\n")
            sys.stderr.flush()


def _described(head: Head) -> dict[str, Any]:
    found = {
        "offset": head,
        "contentType": head.content_type,
        "isClosed": head.is_closed,
        "ttl": head.ttl,
        "expiresAt": head.expires_at,
    }
    return {name: value for name, value in found.items() if value is not None}


def _print(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form 'NAME: VALUE'")
    return name.strip(), value.strip()
