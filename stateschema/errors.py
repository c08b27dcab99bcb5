"""The exceptions of the state protocol, by who must act.

```text
StateSchemaError
├── SchemaError(ValueError)            your schema, or a row you gave to it, is wrong
├── ProtocolError(ValueError)          abstract: a rule of the protocol is broken
│   ├── LocalProtocolError             by you: an event or offset that may not be sent
│   └── RemoteProtocolError            by the peer
│       └── EventError                 by one message of a stream or file; names the place
└── StreamError                        the stream refuses the operation
    ├── StreamNotFoundError(LookupError)
    ├── StreamClosedError
    ├── OffsetGoneError(LookupError)   the stream holds no such position any more: read from the start
    ├── RefusedError                   the caller must act: the request as it stands is not accepted
    ├── ServerError                    the server must act: it failed, and went on failing
    ├── NetworkError(ConnectionError)  the network must act: no answer came
    ├── ConflictError                  a write met another row than it was made for, and was left out
    └── UnconfirmedError               a write is in the stream, and nobody will see it come back here
```

Messages are lower-case without a final period and quote what they name. Every class has a stable
kebab-case `code` for logs and wire answers; structured attributes carry what the text says.
"""

from dataclasses import dataclass
from typing import ClassVar, Self


class StateSchemaError(Exception):
    """Root of all errors raised by `stateschema`."""

    code: ClassVar[str] = "state-schema"


class SchemaError(StateSchemaError, ValueError):
    """A schema declaration, or a row given to a schema, is wrong."""

    code = "schema"


class ProtocolError(StateSchemaError, ValueError):
    """A rule of the protocol is broken; raised only as local or remote."""

    code = "protocol"

    def __init__(self, message: str) -> None:
        if type(self) is ProtocolError:
            raise TypeError("ProtocolError is abstract: raise the local or the remote form")
        super().__init__(message)


class LocalProtocolError(ProtocolError):
    """You tried to send or ask for something the protocol forbids."""

    code = "local-protocol"


class RemoteProtocolError(ProtocolError):
    """The peer sent something the protocol forbids."""

    code = "remote-protocol"


@dataclass(frozen=True, slots=True)
class Where:
    """The place of one message: every part that is known.

    `line` counts from 1, as editors do; `index` is the message's place in its batch, from 0.
    """

    source: str | None = None
    line: int | None = None
    index: int | None = None

    def __str__(self) -> str:
        parts = [f"{self.source!r}"] if self.source is not None else []
        if self.line is not None:
            parts.append(f"line {self.line}")
        elif self.index is not None:
            parts.append(f"message {self.index} of the batch")
        return ", ".join(parts)


class EventError(RemoteProtocolError):
    """A message is no legal event, or its value does not fit the schema.

    Attributes:
        reason: What is wrong, without the place.
        where: Source, line and index, as far as known.
        message: What was sent, as JSON value; None where that is not known.
        field: Wire path of the offending field, such as `headers.txid` or `value.seq`.
    """

    code = "bad-event"

    def __init__(
        self,
        reason: str,
        *,
        where: Where | None = None,
        field: str | None = None,
        message: object = None,
    ) -> None:
        self.reason = reason
        self.message: object = message
        self.where: Where = where or Where()
        self.field = field
        place = ", ".join(p for p in (str(self.where), f"field {field!r}" if field else "") if p)
        super().__init__(f"bad event in {place}: {reason}" if place else f"bad event: {reason}")

    def at(self, where: Where, *, message: object = None) -> Self:
        """Return the same error with its place filled in; raise it `from` the original."""
        return type(self)(self.reason, where=where, field=self.field, message=message)


class StreamError(StateSchemaError):
    """The stream refuses the operation in its present state."""

    code = "stream"


class StreamNotFoundError(StreamError, LookupError):
    """There is no such stream."""

    code = "stream-not-found"


class StreamClosedError(StreamError):
    """The stream, or this handle of it, is closed for appends."""

    code = "stream-closed"


class OffsetGoneError(StreamError, LookupError):
    """The stream does not hold this offset (any more)."""

    code = "offset-gone"


class RefusedError(StreamError):
    """The server does not accept the request as it stands; sending it again would not help.

    Attributes:
        status: HTTP status of the answer: 401 and 403 want other credentials, 409 contradicts what
            is there (another configuration, a sequence that is behind), 413 is too large.
        epoch: For a producer that was fenced off: the epoch that did it, else None.
    """

    code = "refused"

    def __init__(self, message: str, *, status: int, epoch: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.epoch = epoch


class ServerError(StreamError):
    """The server failed, and went on failing while it was tried again.

    Attributes:
        status: HTTP status of the last answer: 500 and above, or 429.
    """

    code = "server"

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class NetworkError(StreamError, ConnectionError):
    """No answer came: there was no connection, or it was lost.

    Attributes:
        was_sent: Whether the request may have reached the server.
    """

    code = "network"

    def __init__(self, message: str, *, was_sent: bool) -> None:
        super().__init__(message)
        self.was_sent = was_sent


class ConflictError(StreamError):
    """A write was made for another row than it met, and the policy of conflicts is "refuse": it has no effect."""

    code = "conflict"


class UnconfirmedError(StreamError):
    """A write was acknowledged, so it is in the stream, but following ended before it came back.

    Attributes:
        offset: Where the stream goes on after it.
    """

    code = "unconfirmed"

    def __init__(self, message: str, *, offset: str) -> None:
        super().__init__(message)
        self.offset = offset
