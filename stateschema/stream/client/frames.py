"""From server-sent events to batches (protocol section 5.8).

Data come first, the `control` event after them says up to where they go. So data are kept until
their control event is there: a connection that breaks in between has given nothing, and the next one
gives it again. That is why following neither loses nor repeats.
"""

import binascii
from base64 import b64decode
from typing import Any, cast

from pydantic_core import from_json

from stateschema.errors import RemoteProtocolError
from stateschema.stream.client.batch import ClientBatch
from stateschema.stream.client.content import decode
from stateschema.stream.client.sse import SseParser
from stateschema.stream.offset import Offset


class FrameReader:
    """Turns pieces of one SSE answer into batches.

    Args:
        source: Names the stream in errors.
        content_type: Content type of the stream.
        is_base64: Whether data events carry base64.
    """

    def __init__(self, *, source: str, content_type: str, is_base64: bool) -> None:
        self._source = source
        self._content_type = content_type
        self._is_base64 = is_base64
        self._parser = SseParser()
        self._messages: list[Any] = []

    def feed(self, piece: bytes) -> list[ClientBatch]:
        """Take the next bytes; return the batches they complete.

        Raises:
            RemoteProtocolError: An event is malformed.
        """
        batches: list[ClientBatch] = []
        for event in self._parser.feed(piece):
            if event.type == "data":
                self._messages += decode(self._bytes(event.data), self._content_type)
            elif event.type == "control":
                batches.append(self._batch(event.data))
        return batches

    def _bytes(self, data: str) -> bytes:
        if not self._is_base64:
            return data.encode()
        try:
            return b64decode(data.replace("\n", "").replace("\r", ""), validate=True)
        except (binascii.Error, ValueError) as error:
            raise RemoteProtocolError(f"data event is no base64: {error}") from error

    def _batch(self, data: str) -> ClientBatch:
        control = _control(data)
        offset = control.get("streamNextOffset")
        if not isinstance(offset, str) or not offset:
            raise RemoteProtocolError(f"control event lacks streamNextOffset: {data[:200]!r}")
        messages, self._messages = self._messages, []
        closed = control.get("streamClosed") is True
        cursor = control.get("streamCursor")
        return ClientBatch(
            messages=messages,
            next_offset=Offset(offset),
            up_to_date=closed or control.get("upToDate") is True,
            source=self._source,
            is_closed=closed,
            cursor=cursor if isinstance(cursor, str) else None,
        )


def _control(data: str) -> dict[str, Any]:
    try:
        control: object = from_json(data)
    except ValueError as error:
        raise RemoteProtocolError(f"control event is no JSON: {error}") from error
    return cast("dict[str, Any]", control) if isinstance(control, dict) else {}
