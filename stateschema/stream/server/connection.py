"""Connections of uvicorn, with limits on what may come before a request is complete.

uvicorn hands a request to the application when its head has been read, however long that takes and
however large it gets. Here a head that grows too large is answered with 431, one that does not arrive
in time ends the connection, and what uvicorn answers itself carries the security headers too.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stateschema.stream.server.answer import SECURITY

MAX_HEAD: Final = 320 * 2**10
"""Bytes of a head, and of the body that was read together with its end."""
HEAD_TIMEOUT: Final = 30.0
"""Seconds from the first byte of a head, or from the connection, to its end."""


class GuardedConnection(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes: int | None = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._forget_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, unless the head has become too large."""
        if self._head_bytes is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD:
                self._refuse(b"431 Request Header Fields Too Large")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin to count and to wait."""
        super().on_message_begin()
        self._head_bytes = 0
        self._expect_head()

    def on_headers_complete(self) -> None:
        """Stop counting and waiting: the body is the application's to limit."""
        self._head_bytes = None
        self._forget_timer()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(b"400 Bad Request")

    def _refuse(self, status: bytes) -> None:
        lines = [b"HTTP/1.1 " + status, *(name + b": " + value for name, value in SECURITY)]
        lines += [b"content-length: 0", b"connection: close", b"", b""]
        self.transport.write(b"\r\n".join(lines))
        self.transport.close()

    def _expect_head(self) -> None:
        self._forget_timer()
        self._timer = asyncio.get_running_loop().call_later(HEAD_TIMEOUT, self.transport.close)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
