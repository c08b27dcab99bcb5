"""The idempotent producer for threads: runs what `producing` decides.

Threads    As many as batches may be on their way, started when there is something to send; they
           wait for work, for the end of lingering and for answers. `close` and `abort` end them.
           Appending is safe from any thread.
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from stateschema.errors import StreamClosedError
from stateschema.stream.client.blocking_driver import BlockingDriver
from stateschema.stream.client.content import Message, encode
from stateschema.stream.client.operations import Operations
from stateschema.stream.client.producing import ProducerBatch, ProducerState
from stateschema.stream.client.settling import settle
from stateschema.stream.offset import Offset


class BlockingProducer:
    """Appends messages exactly once, many at a time; made by `BlockingStreamClient.producer`.

    ```python
    with stream.producer() as producer:
        for event in events:
            producer.append(event)  # waits for room, not for the server
    # here everything is acknowledged, or an error was raised
    ```
    """

    def __init__(
        self, driver: BlockingDriver, operations: Operations, state: ProducerState
    ) -> None:
        self._driver = driver
        self._operations = operations
        self._state = state
        self._max_threads = state.max_in_flight
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._news = threading.Condition()  # guards the state

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

    def append(self, message: Message) -> None:
        """Append one message. Waits for room, not for the server.

        Raises:
            LocalProtocolError: The message does not fit the content type of the stream.
            Exception: Why an earlier batch failed; nothing is sent any more then.
        """
        text = self._encode(message)
        with self._news:
            self._until(lambda: not self._state.is_full)
            self._state.add(text, time.monotonic())
            self._pump()

    def flush(self) -> Offset | None:
        """Wait until everything appended so far is acknowledged; return the offset after it.

        Raises:
            Exception: Why it is not.
        """
        with self._news:
            target = self._state.flush()
            self._pump()
            self._until(lambda: self._state.has_acknowledged(target))
            return self.offset

    def close_stream(self, message: Message | None = None) -> Offset | None:
        """Close the stream for ever after everything appended, and maybe a last message.

        Returns:
            The final offset. Repeated calls return the same.
        """
        texts = [] if message is None else [self._encode(message)]
        with self._news:
            if not self._state.has_closed_stream:
                self._state.close_stream(texts)
                self._pump()
                self._until(lambda: self._state.is_idle)
            return self.offset

    def close(self) -> None:
        """Flush, and end. The stream stays open.

        Raises:
            Exception: Why something is not acknowledged.
        """
        try:
            self.flush()
        finally:
            self.abort()

    def abort(self) -> None:
        """End without waiting for more than the requests that are on their way.

        What is not acknowledged may or may not be in the stream.
        """
        with self._news:
            self._state.fail(StreamClosedError(f"producer {self.id!r} is closed"))
            self._news.notify_all()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def _encode(self, message: Message) -> bytes:
        content_type = self._operations.content_type
        if content_type is None:
            content_type = self._driver.run(self._operations.known_content_type())
        return encode(message, content_type)

    def _pump(self) -> None:
        """Let a thread look for work; start one if all are busy."""
        if self._idle == 0 and len(self._threads) < self._max_threads:
            thread = threading.Thread(target=self._work, name="stream-produce", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._news.notify_all()

    def _work(self) -> None:
        with self._news:
            while self._state.error is None:
                batch = self._state.next(time.monotonic())
                if batch is None:
                    due = self._state.due_in(time.monotonic())
                    self._idle += 1
                    self._news.wait(due or None)  # what is due already waits for an answer
                    self._idle -= 1
                    continue
                if self._state.has_more:
                    self._pump()
                self._news.release()
                try:
                    outcome = self._send(batch)
                finally:
                    self._news.acquire()
                outcome()
                self._news.notify_all()

    def _send(self, batch: ProducerBatch) -> Callable[[], None]:
        """Send a batch; return what has to be done about the answer, under the lock."""
        operation = self._operations.produce(batch.texts, batch.mark, closes=batch.closes)
        try:
            response = self._driver.run(operation)
        except BaseException as failure:  # noqa: BLE001 - whoever waits or appends raises it
            error = failure if isinstance(failure, Exception) else RuntimeError(repr(failure))
            return lambda: self._state.fail(error)

        def outcome() -> None:
            try:
                settle(self._state, batch, response, self._operations.name)
            except Exception as error:  # noqa: BLE001 - as above
                self._state.fail(error)

        return outcome

    def _until(self, is_true: Callable[[], bool]) -> None:
        while not is_true():
            if self._state.error is not None:
                raise self._state.error
            self._news.wait()
