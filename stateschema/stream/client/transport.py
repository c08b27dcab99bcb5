"""What both drivers share about httpx: settings, answers, and which failure means what.

httpx is an extra (`pip install 'stateschema[client]'`) and imported with the first client, so that
whoever follows a file does not need it.
"""

from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from stateschema.errors import LocalProtocolError, NetworkError, StateSchemaError
from stateschema.stream.client.effects import Request, Response

if TYPE_CHECKING:
    import ssl

    import httpx


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """When a silent network counts as lost, in seconds.

    Attributes:
        connect: To make a connection.
        request: For each piece of an ordinary answer.
        live: For each piece of a live answer; longer than servers wait for news.
    """

    connect: float = 10.0
    request: float = 30.0
    live: float = 90.0


def import_httpx() -> ModuleType:
    """Return httpx.

    Raises:
        ImportError: It is not installed.
    """
    try:
        import httpx
    except ImportError as error:
        error.add_note("the clients of streams need httpx: pip install 'stateschema[client]'")
        raise
    return httpx


@cache
def tls() -> "ssl.SSLContext":
    """Return the TLS settings of all clients; reading the certificates takes longer than a request."""
    made: ssl.SSLContext = import_httpx().create_ssl_context()
    return made


def timeout_of(timeouts: Timeouts, request: Request) -> "httpx.Timeout":
    """Return the timeouts of one request."""
    read = timeouts.live if request.is_live else timeouts.request
    made: httpx.Timeout = import_httpx().Timeout(
        timeouts.request, connect=timeouts.connect, read=read
    )
    return made


def response_of(answer: "httpx.Response", body: bytes = b"") -> Response:
    """Return an answer of httpx as ours."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Response(status=answer.status_code, headers=headers, body=body)


def failure(error: "httpx.HTTPError | httpx.InvalidURL", stream: str) -> StateSchemaError:
    """Return what a failure of httpx means."""
    httpx = import_httpx()
    wrong = (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL)
    reason = str(error) or type(error).__name__
    if isinstance(error, wrong):
        return LocalProtocolError(f"request to stream {stream!r} cannot be sent: {reason}")
    unsent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
    message = f"no answer from stream {stream!r}: {reason}"
    return NetworkError(message, was_sent=not isinstance(error, unsent))
