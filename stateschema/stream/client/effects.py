"""What an operation of the client asks of the world, as values: the core does no I/O.

An operation is a *machine*: a generator that yields effects, gets their results sent back, and
returns what the operation gives. A driver runs it, with asyncio or with blocking calls; the machine
cannot tell which. All decisions are made in machines: what is sent, what an answer means, when to
try again, where to go on. Drivers only carry out.

    effect       result of the yield
    Send         the whole Response
    Open         the Response without its body, which Receive reads; of a refusal, with it
    Receive      the next bytes of the body, none at its end
    Shut         None; the opened response is given up
    Sleep        None
    Emit         None; the driver hands a value to whoever iterates

Where no answer comes, the driver throws NetworkError into the machine.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, as far as the protocol goes; the driver adds URL, headers and parameters of users.

    Attributes:
        method: HTTP method.
        headers: Protocol headers.
        params: Protocol query parameters.
        body: What to send, None for nothing.
        is_repeatable: Whether sending it twice does no harm, so that it may be sent again when
            nobody knows whether the first one arrived.
        is_live: Whether the answer may take as long as the server likes to wait for news.
    """

    method: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None
    is_repeatable: bool = True
    is_live: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer.

    Attributes:
        status: HTTP status.
        headers: Headers by lower-case name.
        body: The body; empty while it is still to be received.
        after_lost: Whether the same request was sent before without an answer, so that the server
            may have seen it already.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    after_lost: bool = False


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request and read the whole answer."""

    request: Request


@dataclass(frozen=True, slots=True)
class Open:
    """Send a request; its answer is read piece by piece."""

    request: Request


@dataclass(frozen=True, slots=True)
class Receive:
    """Wait for the next piece of the opened answer."""


@dataclass(frozen=True, slots=True)
class Shut:
    """Give up the opened answer and its connection."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Emit:
    """Hand a value to whoever iterates over the machine."""

    value: Any


Effect: TypeAlias = Send | Open | Receive | Shut | Sleep | Emit
Machine: TypeAlias = Generator[Effect, Any, T]


def send(request: Request) -> Machine[Response]:
    """Send a request; returns the answer."""
    response: Response = yield Send(request)
    return response


def open_(request: Request) -> Machine[Response]:
    """Send a request; returns the head of the answer."""
    response: Response = yield Open(request)
    return response


def receive() -> Machine[bytes]:
    """Wait for the next piece of the opened answer; returns it, empty at the end."""
    piece: bytes = yield Receive()
    return piece
