"""Bodies: read whole, up to a size and within a time, for an append is atomic."""

import asyncio

from stateschema.stream.protocol.rejection import RejectedError
from stateschema.stream.server.asgi import Receive
from stateschema.stream.server.request import Request
from stateschema.stream.server.settings import Settings


class DisconnectedError(Exception):
    """The peer went away before its request was complete; nobody is left to answer."""


async def read_body(request: Request, receive: Receive, settings: Settings) -> bytes:
    """Return the body of a request.

    Raises:
        RejectedError: It is larger than the settings allow, 413, too slow, 408, or compressed, 415 or 501:
            what was kept of it would be told to readers as if it were not.
        DisconnectedError: The peer went away.
    """
    if request.headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
        raise RejectedError(415, "content-encoding", "bodies must not be compressed")
    if request.headers.get("transfer-encoding", "chunked").lower() != "chunked":
        raise RejectedError(501, "transfer-encoding", "bodies are sent whole or chunked")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > settings.max_body:
        raise _too_large(settings)
    try:
        async with asyncio.timeout(settings.body_timeout):
            return await _read_rest(receive, settings)
    except TimeoutError as error:
        raise RejectedError(408, "body-too-slow", "the body took too long") from error


async def _read_rest(receive: Receive, settings: Settings) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        part = message.get("body", b"")
        size += len(part)
        if size > settings.max_body:
            raise _too_large(settings)
        parts.append(part)
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(settings: Settings) -> RejectedError:
    message = f"the body is larger than {settings.max_body} bytes"
    return RejectedError(413, "body-too-large", message)
