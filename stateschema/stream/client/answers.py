"""What answers of a server mean: errors by who must act, and the head of a stream.

status      meaning                                        raised
404         no such stream                                 StreamNotFoundError
410         of an offset: no longer held; else: deleted    OffsetGoneError, StreamNotFoundError
409         with Stream-Closed                             StreamClosedError
400         of a read: the offset is none                  LocalProtocolError
405         of a write, where none is allowed              RefusedError: a view, or so
other 4xx   the request as it stands                       RefusedError
5xx, 429    after all repetitions                          ServerError
others      no such answer exists in the protocol          RemoteProtocolError
"""

from typing import NoReturn, Self

from stateschema.errors import (
    LocalProtocolError,
    OffsetGoneError,
    RefusedError,
    RemoteProtocolError,
    ServerError,
    StateSchemaError,
    StreamClosedError,
    StreamNotFoundError,
)
from stateschema.stream.client.effects import Response
from stateschema.stream.offset import Offset
from stateschema.stream.protocol import headers as names

MAX_EXPLANATION = 300  # characters of what the server says about a refusal


class Head(Offset):
    """The present end of a stream: an offset, and what else the server tells about the stream.

    Attributes:
        content_type: Content type, None when the answer does not tell.
        is_closed: Whether nothing can be appended any more.
        ttl: Seconds of idleness after which the stream expires, None for no such limit.
        expires_at: RFC 3339 time at which it expires, None for no such limit.
        is_new: Whether the answered request has created the stream.
    """

    content_type: str | None = None
    is_closed: bool = False
    ttl: int | None = None
    expires_at: str | None = None
    is_new: bool = False

    @classmethod
    def of(cls, response: Response) -> Self:
        """Read the head from the headers of an answer.

        Raises:
            RemoteProtocolError: The offset is missing.
        """
        head = cls(next_offset(response))
        head.content_type = response.headers.get("content-type") or None
        head.is_closed = is_closed(response)
        head.ttl = count(response, names.STREAM_TTL)
        head.expires_at = header(response, names.STREAM_EXPIRES_AT)
        head.is_new = response.status == 201
        return head


def header(response: Response, name: str) -> str | None:
    """Return the value of a header, None if it is absent."""
    return response.headers.get(name.lower())


def count(response: Response, name: str) -> int | None:
    """Return the whole number in a header, None if there is none."""
    text = header(response, name) or ""
    return int(text) if text.isascii() and text.isdigit() else None


def is_closed(response: Response) -> bool:
    """Tell whether an answer says that the stream is closed."""
    return names.is_true(header(response, names.STREAM_CLOSED))


def next_offset(response: Response) -> Offset:
    """Return the offset an answer ends at.

    Raises:
        RemoteProtocolError: It is missing.
    """
    text = header(response, names.STREAM_NEXT_OFFSET)
    if not text:
        name = names.STREAM_NEXT_OFFSET
        raise RemoteProtocolError(f"answer with status {response.status} lacks header {name!r}")
    return Offset(text)


def refuse(response: Response, stream: str, *, offset: str | None = None) -> NoReturn:
    """Raise what an answer that is no success means.

    Args:
        response: The answer.
        stream: Names the stream in the error.
        offset: The offset that was read from, None for other operations.
    """
    error = _error(response, stream, offset)
    if response.status == 404:
        error.add_note(
            "streams are created first: client.create(), StreamDB(..., create=True), or `python -m stateschema stream create URL`"
        )
    explanation = response.body[: 4 * MAX_EXPLANATION].decode(errors="replace").strip()
    if explanation:
        error.add_note(f"the server says: {explanation[:MAX_EXPLANATION]}")
    if 300 <= response.status < 400 and "location" in response.headers:
        error.add_note(f"it points to {response.headers['location']}")
    raise error


def _error(response: Response, stream: str, offset: str | None) -> StateSchemaError:
    status = response.status
    if status == 404:
        return StreamNotFoundError(f"stream {stream!r} does not exist")
    if status == 410 and offset is not None and offset not in {Offset.START, Offset.NOW}:
        return OffsetGoneError(f"stream {stream!r} does not hold offset {offset!r} any more")
    if status == 410:
        return StreamNotFoundError(f"stream {stream!r} has been deleted")
    if status == 409 and is_closed(response):
        return StreamClosedError(f"stream {stream!r} is closed")
    if status == 400 and offset is not None:
        return LocalProtocolError(f"offset {offset!r} is not accepted by stream {stream!r}")
    if status == 403 and (epoch := count(response, names.PRODUCER_EPOCH)) is not None:
        message = f"producer is fenced off stream {stream!r} by epoch {epoch}"
        return RefusedError(message, status=status, epoch=epoch)
    if status == 405 and "POST" not in response.headers.get("allow", "POST"):
        error = RefusedError(f"stream {stream!r} is read-only, as views are", status=status)
        error.add_note("a view follows from other streams: append to those")
        return error
    if 400 <= status < 500 and status != 429:
        return RefusedError(f"stream {stream!r} answers {status}", status=status)
    if status == 429 or status >= 500:
        return ServerError(f"server of stream {stream!r} answers {status}", status=status)
    return RemoteProtocolError(f"stream {stream!r} answers {status}, which means nothing here")
