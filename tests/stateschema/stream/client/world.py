"""A world for machines: it answers effects from a script, and remembers what it was asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stateschema.errors import NetworkError
from stateschema.stream.client.effects import (
    Effect,
    Emit,
    Machine,
    Open,
    Receive,
    Request,
    Response,
    Send,
    Shut,
    Sleep,
)

JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream"}

LOST = NetworkError("lost", was_sent=True)
UNREACHED = NetworkError("unreached", was_sent=False)


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Response:
    """An answer of a JSON stream; `next_offset="5"` is the header Stream-Next-Offset."""
    named = {"stream-" + name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers=JSON | named, body=body)


@dataclass
class EventStream:
    """An answer of server-sent events, in pieces; a NetworkError among them breaks it."""

    pieces: Sequence[bytes | NetworkError]
    seconds: float = 60.0
    headers: dict[str, str] = field(default_factory=lambda: dict(EVENTS))


Answer = Response | NetworkError | EventStream
Scripted = Answer | Callable[[Request], Answer]


class World:
    """Runs one machine. Time passes only by sleeping and in event streams."""

    def __init__(self, *answers: Scripted) -> None:
        self.now = 0.0
        self.requests: list[Request] = []
        self.sleeps: list[float] = []
        self.emitted: list[Any] = []
        self._answers = list(answers)
        self._stream: EventStream | None = None
        self._pieces: list[bytes | NetworkError] = []

    def clock(self) -> float:
        return self.now

    def run(self, machine: Machine[Any], *, until: Callable[[], bool] = lambda: False) -> Any:
        """Run until the machine ends, `until` holds after an emission, or the script ends."""
        try:
            effect = next(machine)
            while True:
                if isinstance(effect, Emit):
                    self.emitted.append(effect.value)
                    if until():
                        return None
                    effect = machine.send(None)
                    continue
                if isinstance(effect, Send | Open) and not self._answers:
                    return None
                try:
                    result = self._perform(effect)
                except NetworkError as error:
                    effect = machine.throw(error)
                else:
                    effect = machine.send(result)
        except StopIteration as end:
            return end.value
        finally:
            machine.close()

    def _perform(self, effect: Effect) -> Any:
        match effect:
            case Send(request) | Open(request):
                self.requests.append(request)
                return self._answer(request)
            case Receive():
                piece = self._pieces.pop(0) if self._pieces else b""
                if isinstance(piece, NetworkError):
                    raise piece
                return piece
            case Shut():
                if self._stream is not None:
                    self.now += self._stream.seconds
                self._stream = None
            case Sleep(seconds):
                self.sleeps.append(seconds)
                self.now += seconds
            case Emit():
                raise AssertionError("emissions are not performed")
        return None

    def _answer(self, request: Request) -> Response:
        given = self._answers.pop(0)
        if callable(given):
            given = given(request)
        match given:
            case NetworkError():
                raise given
            case EventStream():
                self._stream = given
                self._pieces = list(given.pieces)
                return Response(status=200, headers=given.headers)
            case _:
                return given

    @property
    def queries(self) -> list[dict[str, str]]:
        """The parameters of all requests."""
        return [dict(request.params) for request in self.requests]
