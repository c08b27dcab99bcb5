"""Server-sent events, read piece by piece as they come from the network.

Form       The event stream of the HTML standard: lines end with LF, CR or CRLF, a field is
           `name: value`, a blank line ends an event, `data` lines are joined by LF. An event without
           any data line is none. The fields `id` and `retry` mean nothing to durable streams.
State      What the last line and the last event lack. It is bounded: an event larger than
           `max_bytes` is an error of the peer.
Cost       O(bytes); a line is joined once, however many pieces it came in.
"""

from typing import NamedTuple

from stateschema.errors import RemoteProtocolError

MAX_EVENT_BYTES = 64 << 20


class ServerSentEvent(NamedTuple):
    """One event: its type, `message` unless it says otherwise, and its data."""

    type: str
    data: str


class SseParser:
    """Turns pieces of an event stream into events.

    >>> parser = SseParser()
    >>> parser.feed(b"event: control\\nda"), parser.feed(b"ta: {}\\n\\n")
    ([], [ServerSentEvent(type='control', data='{}')])
    """

    __slots__ = ("_data", "_line", "_max_bytes", "_size", "_skip_lf", "_started", "_type")

    def __init__(self, *, max_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._line: list[bytes] = []  # pieces of a line that has not ended
        self._skip_lf = False  # the last piece ended with CR: an LF belongs to it
        self._started = False
        self._data: list[str] = []
        self._type = ""
        self._size = 0  # bytes of the lines of the present event

    def feed(self, piece: bytes) -> list[ServerSentEvent]:
        """Take the next bytes; return the events they complete.

        Raises:
            RemoteProtocolError: The bytes are no UTF-8, or an event is too large.
        """
        if not piece:
            return []
        if self._skip_lf and piece.startswith(b"\n"):
            piece = piece[1:]
        self._skip_lf = piece.endswith(b"\r") if piece else False
        events: list[ServerSentEvent] = []
        for line in self._whole_lines(piece):
            event = self._take_line(line)
            if event is not None:
                events.append(event)
        if self._size + sum(map(len, self._line)) > self._max_bytes:
            raise RemoteProtocolError(f"server-sent event larger than {self._max_bytes} bytes")
        return events

    def _whole_lines(self, piece: bytes) -> list[bytes]:
        # Of bytes, splitlines() knows exactly the three ends of lines of this format.
        lines = piece.splitlines(keepends=True)
        if not lines:
            return []
        if len(lines) == 1 and not lines[0].endswith((b"\n", b"\r")):
            self._line.append(piece)
            return []
        self._line.append(lines[0])
        lines[0] = b"".join(self._line)
        self._line = [] if lines[-1].endswith((b"\n", b"\r")) else [lines.pop()]
        return [line.rstrip(b"\r\n") for line in lines]

    def _take_line(self, raw: bytes) -> ServerSentEvent | None:
        try:
            line = raw.decode()
        except UnicodeDecodeError as error:
            raise RemoteProtocolError(f"server-sent event is no UTF-8: {error}") from error
        if not self._started:
            self._started = True
            line = line.removeprefix("\ufeff")
        if not line:
            return self._end_event()
        self._size += len(raw)
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        return None

    def _end_event(self) -> ServerSentEvent | None:
        data, kind = self._data, self._type or "message"
        self._forget_event()
        return ServerSentEvent(kind, "\n".join(data)) if data else None

    def _forget_event(self) -> None:
        self._data = []
        self._type = ""
        self._size = 0
