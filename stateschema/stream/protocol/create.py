"""Creating and forking (sections 4.1 and 4.2).

Creating again with the same configuration is a success that changes nothing; with another one it is
a conflict. The configuration is content type, expiry, whether the stream is closed, and what it was
forked from and where.

A fork begins as a view of its source up to a position, by default its tail, and goes its own way
from there: own name, own closure, own producers. It has the source's content type, and its expiry
unless it brings its own. The position is an offset of the source plus a number of messages or bytes
within the append that begins there.
"""

from dataclasses import dataclass

from stateschema.errors import LocalProtocolError
from stateschema.stream.offset import Offset
from stateschema.stream.protocol.expiry import NEVER, Expiry
from stateschema.stream.protocol.headers import (
    STREAM_FORK_OFFSET,
    STREAM_FORK_SUB_OFFSET,
    media_type,
    parse_count,
)
from stateschema.stream.protocol.record import DEFAULT_CONTENT_TYPE
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.protocol.state import StreamState


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkPoint:
    """Where a fork leaves its source.

    Attributes:
        source: Name of the source.
        offset: A position of the source, None for its tail.
        sub_offset: How far into the append that begins there: bytes, or messages.
    """

    source: str
    offset: int | None = None
    sub_offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """A wish to create a stream.

    Attributes:
        content_type: As it was given; a fork without one has that of its source.
        expiry: How long the stream is to live.
        closed: Whether it is to be closed at once, after its first content.
        body: Its first content; its form depends on the content type, which a fork may inherit.
        fork: Where it is forked from.
    """

    content_type: str | None = None
    expiry: Expiry = NEVER
    closed: bool = False
    body: bytes = b""
    fork: ForkPoint | None = None

    @property
    def own_content_type(self) -> str:
        """The content type of a stream that is no fork."""
        return self.content_type or DEFAULT_CONTENT_TYPE


def parse_fork(source: str | None, offset: str | None, sub_offset: str | None) -> ForkPoint | None:
    """Read the fork headers; the first one already as the name of a stream.

    Raises:
        RejectedError: One is malformed, or needs another one that is missing; status 400.
    """
    if source is None:
        if offset is not None or sub_offset is not None:
            raise RejectedError(400, "bad-fork", "fork offset without a stream to fork from")
        return None
    sub = 0 if sub_offset is None else parse_count(STREAM_FORK_SUB_OFFSET, sub_offset)
    if offset is None or offset == Offset.NOW:
        if sub:
            needs = f"{STREAM_FORK_SUB_OFFSET} needs {STREAM_FORK_OFFSET}"
            raise RejectedError(400, "bad-fork", needs)
        return ForkPoint(source=source)
    try:
        position = Offset.position(offset, tail=0)
    except LocalProtocolError as error:
        raise RejectedError(400, "bad-offset", f"fork {error}") from error
    return ForkPoint(source=source, offset=position, sub_offset=sub)


def check_same(stream: StreamState, wish: Creation) -> None:
    """Accept a stream that exists as the one that is wished for.

    Raises:
        RejectedError: It has another configuration; status 409.
    """
    differences = [
        name
        for name, same in (
            ("content type", _same_content_type(stream, wish)),
            ("expiry", _same_expiry(stream, wish)),
            ("closure", stream.closed == wish.closed),
            ("origin", _same_origin(stream, wish.fork)),
        )
        if not same
    ]
    if differences:
        message = f"stream {stream.name!r} exists with another {' and '.join(differences)}"
        raise RejectedError(409, "exists", message, stream.tail_headers())


def _same_content_type(stream: StreamState, wish: Creation) -> bool:
    if wish.fork is not None and wish.content_type is None:
        return True  # whatever its source had
    return media_type(stream.content_type) == media_type(wish.own_content_type)


def _same_expiry(stream: StreamState, wish: Creation) -> bool:
    inherits = wish.fork is not None and wish.expiry == NEVER
    return inherits or stream.expiry.same_as(wish.expiry)


def _same_origin(stream: StreamState, fork: ForkPoint | None) -> bool:
    if fork is None:
        return stream.forked_from is None
    if stream.forked_from != fork.source:
        return False
    return fork.offset is None or stream.base == fork.offset + fork.sub_offset


def check_source(source: StreamState, wish: Creation) -> None:
    """Refuse a fork whose source holds something else, or not that much.

    Raises:
        RejectedError: Another content type, 409; a position past the tail, 400; one that is not held any
            more, 410.
    """
    if wish.content_type is not None and (
        media_type(wish.content_type) != media_type(source.content_type)
    ):
        message = f"stream {source.name!r} holds {source.content_type}, not {wish.content_type}"
        raise RejectedError(409, "content-type-conflict", message)
    offset = wish.fork.offset if wish.fork is not None else None
    if offset is not None and offset > source.tail:
        message = f"fork offset {Offset.mint(offset)!r} is past the end of {source.name!r}"
        raise RejectedError(400, "bad-offset", message)
    if offset is not None and offset < source.first:
        message = f"stream {source.name!r} does not hold offset {Offset.mint(offset)!r} any more"
        raise RejectedError(410, "offset-gone", message)
