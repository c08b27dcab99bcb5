"""Runs machines under asyncio, over `httpx.AsyncClient`.

Tasks      None of its own: effects are carried out in the task that runs the machine.
Closing    `close` interrupts what is being waited for, in whatever task, and returns when all
           connections are closed. Interrupted operations raise StreamClosedError; iterations end.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar

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


class AsyncDriver:
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
        http: "httpx.AsyncClient | None",
    ) -> None:
        self.name = name
        self.is_closed: bool = False
        self._httpx = import_httpx()
        self._preparation = preparation
        self._timeouts = timeouts
        self._owns_http = http is None
        self._http: httpx.AsyncClient = http or self._httpx.AsyncClient(verify=tls())
        self._waits: set[asyncio.Timeout] = set()
        self._left: set[asyncio.Future[None]] = set()

    async def run(self, machine: Machine[T]) -> T:
        """Run a machine that emits nothing; return what it returns.

        Raises:
            StreamClosedError: The driver is closed, or was meanwhile.
        """
        async with _Connection(self) as connection:
            result: Any = None
            error: NetworkError | None = None
            try:
                while True:
                    effect = machine.send(result) if error is None else machine.throw(error)
                    result, error = await self._carry_out(effect, connection)
            except StopIteration as end:
                value: T = end.value
                return value
            finally:
                machine.close()

    async def iterate(self, machine: Machine[None]) -> AsyncGenerator[Any, None]:
        """Run a machine, and yield what it emits; ends when the driver is closed."""
        async with _Connection(self) as connection:
            result: Any = None
            error: NetworkError | None = None
            try:
                while not self.is_closed:
                    effect = machine.send(result) if error is None else machine.throw(error)
                    if isinstance(effect, Emit):
                        yield effect.value
                        result, error = None, None
                    else:
                        result, error = await self._carry_out(effect, connection)
            except StopIteration:
                return
            except StreamClosedError:
                if not self.is_closed:
                    raise
            finally:
                machine.close()

    async def close(self) -> None:
        """Interrupt everything and close the connections; idempotent."""
        self.is_closed = True
        now = asyncio.get_running_loop().time()
        for wait in self._waits:
            if not wait.expired():  # by another call of this
                wait.reschedule(now)
        while self._waits:
            left = asyncio.get_running_loop().create_future()
            self._left.add(left)
            try:
                await left
            finally:
                self._left.discard(left)
        if self._owns_http:
            await self._http.aclose()

    async def _carry_out(
        self, effect: Effect, connection: "_Connection"
    ) -> tuple[Any, NetworkError | None]:
        self._check()
        wait = asyncio.timeout(None)
        try:
            async with wait:
                self._waits.add(wait)
                try:
                    return await connection.perform(effect), None
                finally:
                    self._leave(wait)
        except NetworkError as error:
            self._check()
            return None, error
        except TimeoutError:
            self._check()
            raise

    def _leave(self, wait: asyncio.Timeout) -> None:
        self._waits.discard(wait)
        if not self._waits:
            for left in self._left:
                if not left.done():
                    left.set_result(None)

    def _check(self) -> None:
        if self.is_closed:
            raise StreamClosedError(f"client of stream {self.name!r} is closed")

    async def send(self, request: Request) -> "httpx.Response":
        """Send a request; return the answer without its body."""
        prepared = await self._preparation.prepare_async(request)
        sent = self._http.build_request(
            request.method,
            prepared.url,
            headers=prepared.headers,
            content=request.body,
            timeout=timeout_of(self._timeouts, request),
        )
        return await self._http.send(sent, stream=True)


class _Connection:
    """The effects of one run, and the answer that is open in it."""

    def __init__(self, driver: AsyncDriver) -> None:
        self._driver = driver
        self._httpx = import_httpx()
        self._open = AsyncExitStack()
        self._pieces: Any = None

    async def __aenter__(self) -> "_Connection":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def perform(self, effect: Effect) -> Any:
        try:
            return await self._perform(effect)
        except (self._httpx.HTTPError, self._httpx.InvalidURL) as error:
            raise failure(error, self._driver.name) from error

    async def _perform(self, effect: Effect) -> Any:
        match effect:
            case Send(request):
                return await self._whole(await self._driver.send(request))
            case Open(request):
                return await self._head(await self._driver.send(request))
            case Receive():
                return await anext(self._pieces, b"")
            case Shut():
                await self._open.aclose()
            case Sleep(seconds):
                await asyncio.sleep(seconds)
            case Emit():
                raise AssertionError("a value emitted by a machine that was run, not iterated over")
        return None

    async def _whole(self, answer: "httpx.Response") -> Response:
        try:
            return response_of(answer, await answer.aread())
        finally:
            await answer.aclose()

    async def _head(self, answer: "httpx.Response") -> Response:
        if answer.status_code != 200:
            return await self._whole(answer)
        self._open.push_async_callback(answer.aclose)
        self._pieces = answer.aiter_bytes()
        return response_of(answer)
