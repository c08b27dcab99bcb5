"""Runs machines with blocking calls, over `httpx.Client`.

Threads    None of its own; safe to use from several. A machine runs in the thread that runs it.
Closing    `close`, from any thread, wakes threads that sleep or wait for the network, by shutting
           down their sockets. Interrupted operations raise StreamClosedError; iterations end. Of an
           `httpx.Client` that belongs to somebody else only open event streams are shut down: its
           other connections may serve others, so a request on one of them is waited for.
Deadline   An iteration may have one. It ends then, with the connection it waits on.
"""

import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

from stateschema.errors import NetworkError, StreamClosedError
from stateschema.stream.client.dynamic import Preparation
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
from stateschema.stream.client.transport import (
    Timeouts,
    failure,
    import_httpx,
    response_of,
    timeout_of,
    tls,
)

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")


class BlockingDriver:
    """Runs machines for one stream.

    Args:
        name: Names the stream in errors.
        preparation: Makes requests complete.
        timeouts: When a silent network counts as lost.
        http: Client to use, which stays open; without, an own one is made and closed.
    """

    def __init__(
        self,
        name: str,
        preparation: Preparation,
        *,
        timeouts: Timeouts,
        http: "httpx.Client | None",
    ) -> None:
        self.name = name
        self._httpx = import_httpx()
        self._preparation = preparation
        self._timeouts = timeouts
        self._owns_http = http is None
        self._http: httpx.Client = http or self._httpx.Client(verify=tls())
        self._closed = threading.Event()
        self._sockets: WeakSet[socket.socket] = WeakSet()  # to be shut down

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed.is_set()

    def run(self, machine: Machine[T]) -> T:
        """Run a machine that emits nothing; return what it returns.

        Raises:
            StreamClosedError: The driver is closed, or was meanwhile.
        """
        with _Connection(self, None) as connection:
            result: Any = None
            error: NetworkError | None = None
            try:
                while True:
                    effect = machine.send(result) if error is None else machine.throw(error)
                    result, error = connection.carry_out(effect)
            except StopIteration as end:
                value: T = end.value
                return value
            finally:
                machine.close()

    def iterate(
        self, machine: Machine[None], *, timeout: float | None
    ) -> Generator[Any, None, None]:
        """Run a machine, and yield what it emits; ends at the deadline or when the driver is closed.

        Args:
            machine: The machine.
            timeout: Seconds from now to the deadline, None for none.
        """
        with _Connection(self, timeout) as connection:
            result: Any = None
            error: NetworkError | None = None
            try:
                while not self.is_closed:
                    effect = machine.send(result) if error is None else machine.throw(error)
                    if isinstance(effect, Emit):
                        yield effect.value
                        result, error = None, None
                    else:
                        result, error = connection.carry_out(effect)
                    if connection.is_over:
                        return
            except StopIteration:
                return
            except StreamClosedError:
                if not self.is_closed:
                    raise
            finally:
                machine.close()

    def close(self) -> None:
        """Interrupt everything and close the connections; idempotent."""
        self._closed.set()
        for each in tuple(self._sockets):
            shut_down(each)
        if self._owns_http:
            self._http.close()

    def check(self) -> None:
        """Refuse to work when closed."""
        if self.is_closed:
            raise StreamClosedError(f"client of stream {self.name!r} is closed")

    def sleep(self, seconds: float) -> None:
        """Sleep, unless the driver is closed."""
        self._closed.wait(seconds)

    def send(self, request: Request, *, longest: float | None) -> "httpx.Response":
        """Send a request; return the answer without its body.

        Args:
            request: The request.
            longest: Seconds to wait for a piece of the answer at most, None for what is usual.
        """
        prepared = self._preparation.prepare(request)
        timeout = timeout_of(self._timeouts, request)
        if longest is not None and timeout.read is not None:
            timeout.read = min(timeout.read, longest)
        sent = self._http.build_request(
            request.method,
            prepared.url,
            headers=prepared.headers,
            content=request.body,
            timeout=timeout,
            extensions={"trace": self._trace} if self._owns_http else None,
        )
        return self._http.send(sent, stream=True)

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        # httpcore tells of each connection it makes; nothing else leads to the sockets.
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self.watch(info["return_value"].get_extra_info("socket"))

    def watch(self, made: socket.socket | None) -> None:
        """Shut a socket down when this is closed."""
        if made is not None:
            self._sockets.add(made)
            if self.is_closed:
                shut_down(made)

    def unwatch(self, made: socket.socket | None) -> None:
        """Leave a socket alone that may serve others now."""
        if made is not None and not self._owns_http:
            self._sockets.discard(made)


def shut_down(each: socket.socket) -> None:
    """Wake whoever waits for a socket; it reads as ended."""
    with suppress(OSError):  # it is closed already
        each.shutdown(socket.SHUT_RDWR)


class _Connection:
    """The effects of one run, the answer that is open in it, and its deadline."""

    def __init__(
        self,
        driver: BlockingDriver,
        timeout: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._driver = driver
        self._clock = clock
        self._deadline = None if timeout is None else clock() + timeout
        self._httpx = import_httpx()
        self._open = ExitStack()
        self._pieces: Any = None

    def __enter__(self) -> "_Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def is_over(self) -> bool:
        return self._deadline is not None and self._clock() >= self._deadline

    def carry_out(self, effect: Effect) -> tuple[Any, NetworkError | None]:
        self._driver.check()
        try:
            return self._perform(effect), None
        except (self._httpx.HTTPError, self._httpx.InvalidURL) as error:
            self._driver.check()
            raised = failure(error, self._driver.name)
            if isinstance(raised, NetworkError):
                raised.__cause__ = error
                return None, raised
            raise raised from error
        except RuntimeError:  # of httpx, when it is closed between two steps
            self._driver.check()
            raise

    def _perform(self, effect: Effect) -> Any:
        match effect:
            case Send(request):
                return self._whole(self._driver.send(request, longest=self._left()))
            case Open(request):
                return self._head(self._driver.send(request, longest=self._left()))
            case Receive():
                return next(self._pieces, b"")
            case Shut():
                self._open.close()
            case Sleep(seconds):
                left = self._left()
                self._driver.sleep(seconds if left is None else min(seconds, left))
                self._driver.check()
            case Emit():
                raise AssertionError("a value emitted by a machine that was run, not iterated over")
        return None

    def _left(self) -> float | None:
        return None if self._deadline is None else max(self._deadline - self._clock(), 0.001)

    def _whole(self, answer: "httpx.Response") -> Response:
        try:
            return response_of(answer, answer.read())
        finally:
            answer.close()

    def _head(self, answer: "httpx.Response") -> Response:
        if answer.status_code != 200:
            return self._whole(answer)
        self._open.callback(answer.close)
        made = _socket_of(answer)
        self._driver.watch(made)
        self._open.callback(self._driver.unwatch, made)
        left = self._left()
        if left is not None and made is not None:  # httpx's timeout begins anew with each piece
            timer = threading.Timer(left, shut_down, [made])
            timer.daemon = True
            timer.start()
            self._open.callback(timer.cancel)
        self._pieces = answer.iter_bytes()
        return response_of(answer)


def _socket_of(answer: "httpx.Response") -> socket.socket | None:
    stream = answer.extensions.get("network_stream")  # absent where there is no network
    made: socket.socket | None = None if stream is None else stream.get_extra_info("socket")
    return made
