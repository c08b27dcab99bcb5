"""The idempotent producer under asyncio: runs what `producing` decides.

Tasks      One per batch on its way, and a timer while messages linger. `close` and `abort` leave
           none behind.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from stateschema.errors import StreamClosedError
from stateschema.stream.client.async_driver import AsyncDriver
from stateschema.stream.client.content import Message, encode
from stateschema.stream.client.operations import Operations
from stateschema.stream.client.producing import ProducerBatch, ProducerState
from stateschema.stream.client.settling import settle
from stateschema.stream.offset import Offset


class Producer:
    """Appends messages exactly once, many at a time; made by `StreamClient.producer`.

    ```python
    async with stream.producer() as producer:
        for event in events:
            await producer.append(event)  # waits for room, not for the server
    # here everything is acknowledged, or an error was raised
    ```
    """

    def __init__(self, driver: AsyncDriver, operations: Operations, state: ProducerState) -> None:
        self._driver = driver
        self._operations = operations
        self._state = state
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def id(self) -> str:
        """What the server knows it by."""
        return self._state.id

    @property
    def epoch(self) -> int:
        """The present epoch; grows when another one is claimed."""
        return self._state.epoch

    @property
    def offset(self) -> Offset | None:
        """The offset after the last acknowledged batch, None before."""
        return self._state.offset

    async def append(self, message: Message) -> None:
        """Append one message. Waits for room, not for the server.

        Raises:
            LocalProtocolError: The message does not fit the content type of the stream.
            Exception: Why an earlier batch failed; nothing is sent any more then.
        """
        content_type = self._operations.content_type
        if content_type is None:
            content_type = await self._driver.run(self._operations.known_content_type())
        text = encode(message, content_type)
        if self._state.is_full:
            await self._until(lambda: not self._state.is_full)
        self._state.add(text, asyncio.get_running_loop().time())
        self._pump()

    async def flush(self) -> Offset | None:
        """Wait until everything appended so far is acknowledged; return the offset after it.

        Raises:
            Exception: Why it is not.
        """
        target = self._state.flush()
        self._pump()
        await self._until(lambda: self._state.has_acknowledged(target))
        return self.offset

    async def close_stream(self, message: Message | None = None) -> Offset | None:
        """Close the stream for ever after everything appended, and maybe a last message.

        Returns:
            The final offset. Repeated calls return the same.
        """
        if not self._state.has_closed_stream:
            texts: list[bytes] = []
            if message is not None:
                content_type = await self._driver.run(self._operations.known_content_type())
                texts = [encode(message, content_type)]
            self._state.close_stream(texts)
            self._pump()
            await self._until(lambda: self._state.is_idle)
        return self.offset

    async def close(self) -> None:
        """Flush, and end. The stream stays open.

        Raises:
            Exception: Why something is not acknowledged.
        """
        try:
            await self.flush()
        finally:
            await self.abort()

    async def abort(self) -> None:
        """End without waiting; what is not acknowledged may or may not be in the stream."""
        self._state.fail(StreamClosedError(f"producer {self.id!r} is closed"))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._pump()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            await self.close()
        else:
            await self.abort()

    def _pump(self) -> None:
        """Send what may be sent, set the timer for what lingers, and wake who waits."""
        loop = asyncio.get_running_loop()
        while (batch := self._state.next(loop.time())) is not None:
            task = loop.create_task(self._send(batch), name="stream-produce")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        due = self._state.due_in(loop.time())
        if due and self._timer is None:  # what is due already waits for an answer, not for the time
            self._timer = loop.call_later(due, self._linger_ended)
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    def _linger_ended(self) -> None:
        self._timer = None
        self._pump()

    async def _send(self, batch: ProducerBatch) -> None:
        operation = self._operations.produce(batch.texts, batch.mark, closes=batch.closes)
        try:
            response = await self._driver.run(operation)
            settle(self._state, batch, response, self._operations.name)
        except Exception as error:  # noqa: BLE001 - whoever waits or appends raises it
            self._state.fail(error)
        self._pump()

    async def _until(self, is_true: Callable[[], bool]) -> None:
        while not is_true():
            if self._state.error is not None:
                raise self._state.error
            future = asyncio.get_running_loop().create_future()
            self._waiting.add(future)
            try:
                await future
            finally:
                self._waiting.discard(future)
