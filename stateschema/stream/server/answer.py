"""Answers: status, headers and body, and the headers that every answer carries.

Security   (section 12.7) Browsers must neither guess another content type nor run what a stream holds:
           `nosniff`, and a policy that forbids everything to a document made of it. Other origins may
           read, as far as CORS lets them.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from stateschema.stream.protocol.caching import NO_STORE
from stateschema.stream.protocol.headers import ANSWER_HEADERS, REQUEST_HEADERS
from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.server.asgi import Message, Scope, Send
from stateschema.stream.server.settings import Settings

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]
"""Headers as ASGI wants them."""

SECURITY: Final[Headers] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
)

PART: Final = 65536
"""Bytes of an answer that are given away before its reader has accepted those before."""

METHODS: Final = "GET, HEAD, POST, PUT, DELETE, OPTIONS"


class SlowReaderError(Exception):
    """A reader does not accept what it is sent; its connection is given up."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer.

    Attributes:
        status: The HTTP status.
        headers: Headers but for the length and those that every answer carries.
        body: The content; that of an answer to HEAD is dropped.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


def rejection(error: RejectedError) -> Answer:
    """Return the answer that says why a request is rejected."""
    body = json.dumps({"error": {"code": error.reason, "message": str(error)}}).encode()
    headers = {"Content-Type": "application/json", "Cache-Control": NO_STORE, **error.headers}
    return Answer(error.status, headers, body)


def closing(answer: Answer, scope: Scope) -> Answer:
    """Return the same answer for a request whose body nobody has read, so that no more of it comes."""
    if not str(scope.get("http_version", "1.1")).startswith("1"):
        return answer  # later versions end one request without the others
    return replace(answer, headers={**answer.headers, "Connection": "close"})


def cors_headers(origin: str | None) -> Headers:
    """Return the CORS headers of every answer."""
    if origin is None:
        return ()
    exposed = ", ".join((*ANSWER_HEADERS, "ETag", "Location", "Retry-After"))
    return (
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-expose-headers", exposed.encode()),
    )


def preflight() -> Answer:
    """Return the answer to OPTIONS: all that the protocol uses is allowed."""
    allowed = ", ".join(("Content-Type", "Authorization", "If-None-Match", *REQUEST_HEADERS))
    headers = {
        "Allow": METHODS,
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": allowed,
        "Access-Control-Max-Age": "86400",
    }
    return Answer(204, headers)


def encode_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI wants them."""
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
    ]


async def send_answer(
    answer: Answer, send: Send, common: Headers, settings: Settings, *, is_head: bool
) -> None:
    """Send an answer, a large one in parts, so that a slow reader holds little memory.

    Raises:
        SlowReaderError: The reader does not accept a part in time.
    """
    headers = [*common, *encode_headers(answer.headers)]
    if answer.status not in {204, 304} and not is_head:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = b"" if is_head else answer.body
    if len(body) <= PART:
        await send({"type": "http.response.body", "body": body})
        return
    rest = memoryview(body)
    while rest:
        part, rest = rest[:PART], rest[PART:]
        message = {"type": "http.response.body", "body": bytes(part), "more_body": bool(rest)}
        await send_in_time(message, send, settings)


async def send_in_time(message: Message, send: Send, settings: Settings) -> None:
    """Send a part of an answer.

    Raises:
        SlowReaderError: The reader does not accept it in time.
    """
    try:
        async with asyncio.timeout(settings.send_timeout):
            await send(message)
    except TimeoutError as error:
        raise SlowReaderError from error
