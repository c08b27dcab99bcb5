"""PUT, POST and DELETE: headers and body into a wish, the store's decision into an answer."""

import re
from typing import Final
from urllib.parse import quote

from stateschema.stream.protocol.append import Accepted, Append
from stateschema.stream.protocol.caching import NO_STORE
from stateschema.stream.protocol.create import Creation, parse_fork
from stateschema.stream.protocol.expiry import parse_expiry
from stateschema.stream.protocol.headers import (
    PRODUCER_EPOCH,
    PRODUCER_SEQ,
    STREAM_CLOSED,
    STREAM_EXPIRES_AT,
    STREAM_FORK_OFFSET,
    STREAM_FORK_SUB_OFFSET,
    STREAM_SEQ,
    STREAM_TTL,
    is_true,
)
from stateschema.stream.protocol.producer import parse_claim
from stateschema.stream.protocol.record import DEFAULT_CONTENT_TYPE, Record, parse_body
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.server.answer import Answer
from stateschema.stream.server.request import Request
from stateschema.stream.store.interface import Created, Store

MAX_CONTENT_TYPE: Final = 256
"""Characters of the longest content type."""

_CONTENT_TYPE = re.compile(r"[!#$%&'*+.^_`|~\w-]+/[!#$%&'*+.^_`|~\w-]+\s*(;[\t -~]*)?", re.ASCII)
_CLOSED = STREAM_CLOSED.lower()
_SEQ = STREAM_SEQ.lower()


def parse_creation(request: Request, body: bytes, source: str | None) -> Creation:
    """Return what a PUT wishes for.

    Raises:
        RejectedError: A header is malformed; status 400.
    """
    headers = request.headers
    return Creation(
        content_type=_checked_type(headers.get("content-type")),
        expiry=parse_expiry(
            headers.get(STREAM_TTL.lower()), headers.get(STREAM_EXPIRES_AT.lower())
        ),
        closed=is_true(headers.get(_CLOSED)),
        body=body,
        fork=parse_fork(
            source,
            headers.get(STREAM_FORK_OFFSET.lower()),
            headers.get(STREAM_FORK_SUB_OFFSET.lower()),
        ),
    )


def _checked_type(value: str | None) -> str | None:
    """Return the content type of a new stream, which all answers about it will carry."""
    if value and not (len(value) <= MAX_CONTENT_TYPE and _CONTENT_TYPE.fullmatch(value)):
        raise RejectedError(400, "bad-header", f"{value[:64]!r} is no content type")
    return value or None


def created(result: Created, request: Request, scheme: str) -> Answer:
    """Return the answer to PUT: 201 for a new stream, 200 for one that was there."""
    headers = {
        "Content-Type": result.state.content_type,
        "Cache-Control": NO_STORE,
        **result.state.tail_headers(),
    }
    if result.is_new:
        host = request.headers.get("host", "")
        headers["Location"] = f"{scheme}://{host}{quote(request.root + request.path)}"
    return Answer(201 if result.is_new else 200, headers)


def parse_append(request: Request, body: bytes) -> Append:
    """Return what a POST wishes for; a body that breaks a rule is the store's to refuse.

    Raises:
        RejectedError: A header is malformed; status 400.
    """
    headers = request.headers
    content_type = headers.get("content-type") or None
    record: Record | RejectedError | None
    try:
        record = parse_body(content_type or DEFAULT_CONTENT_TYPE, body)
    except RejectedError as error:
        record = error
    return Append(
        record=record,
        content_type=content_type,
        close=is_true(headers.get(_CLOSED)),
        seq=headers.get(_SEQ),
        claim=parse_claim(headers),
    )


async def append(store: Store, name: str, wish: Append) -> Answer:
    """Append, and return the answer: 204, or 200 for something new from a producer."""
    decision = await store.append(name, wish)
    headers = decision.state.tail_headers()
    headers["Cache-Control"] = NO_STORE
    if decision.producer is None:
        return Answer(204, headers)
    headers[PRODUCER_EPOCH] = str(decision.producer.epoch)
    headers[PRODUCER_SEQ] = str(decision.producer.seq)
    is_new = isinstance(decision, Accepted) and decision.record is not None
    return Answer(200 if is_new else 204, headers)


async def delete(store: Store, name: str) -> Answer:
    """Delete a stream, and return the answer."""
    await store.delete(name)
    return Answer(204, {"Cache-Control": NO_STORE})
