"""The client of a stream on a server, for programs without an event loop.

```python
with BlockingStreamClient("http://127.0.0.1:4437/v1/stream/chat") as stream:
    stream.create()
    stream.append({"text": "hello"})
    for batch in stream.follow(timeout=60):
        print(batch.messages, batch.next_offset)
```

It runs the same machines as `StreamClient`, so both behave alike.

Threads    It may be used from several. Only producers have threads of their own.
"""

import threading
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

from stateschema.errors import LocalProtocolError, StreamClosedError
from stateschema.stream.client.answers import Head
from stateschema.stream.client.appending import AppendBatch, AppendQueue, Entry
from stateschema.stream.client.batch import ClientBatch
from stateschema.stream.client.blocking_driver import BlockingDriver
from stateschema.stream.client.blocking_producer import BlockingProducer
from stateschema.stream.client.content import Message, encode, messages_of
from stateschema.stream.client.dynamic import Dynamic
from stateschema.stream.client.following import Live
from stateschema.stream.client.handle import Handle
from stateschema.stream.client.producing import (
    LINGER,
    MAX_BATCH_BYTES,
    MAX_IN_FLIGHT,
    ProducerState,
)
from stateschema.stream.client.retry import Retry
from stateschema.stream.client.transport import Timeouts
from stateschema.stream.offset import Offset

if TYPE_CHECKING:
    import httpx


class BlockingStreamClient(Handle):
    """A stream on a server, with blocking calls. Each method does what that of `StreamClient` does.

    Args:
        url: URL of the stream.
        content_type: Content type of the stream; without it, the server is asked when it matters.
        headers: Headers of every request; a value, or the whole, may be a function that is called
            for each request.
        params: Query parameters of every request, likewise.
        retry: How failures that may pass are repeated.
        timeouts: When a silent network counts as lost.
        http: An `httpx.Client` to use, which stays open; without, an own one is made.

    Raises:
        LocalProtocolError: The URL is no http URL.
        TypeError: An argument is of another kind.
        ImportError: httpx is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        content_type: str | None = None,
        headers: Dynamic = None,
        params: Dynamic = None,
        retry: Retry | None = None,
        timeouts: Timeouts | None = None,
        http: "httpx.Client | None" = None,
    ) -> None:
        super().__init__(
            url,
            content_type=content_type,
            headers=headers,
            params=params,
            retry=retry,
            timeouts=timeouts,
        )
        self._http = http
        self._driver = BlockingDriver(
            self.name, self._preparation, timeouts=self._timeouts, http=http
        )
        self._appends = AppendQueue()
        self._turn = threading.Condition()  # guards the queue, and whose turn it is to send
        self._is_sending = False
        self._producers: WeakSet[BlockingProducer] = WeakSet()

    def create(
        self,
        *,
        content_type: str | None = None,
        ttl: int | None = None,
        expires_at: datetime | str | None = None,
        closed: bool = False,
        messages: Sequence[Message] = (),
    ) -> Head:
        """Create the stream; if it exists in the same form, that is fine too.

        Raises:
            RefusedError: It exists in another form (status 409), or must not be created.
        """
        return self._driver.run(
            self._operations.create(
                content_type=content_type,
                ttl=ttl,
                expires_at=expires_at,
                closed=closed,
                messages=messages,
            )
        )

    def connect(self) -> Head:
        """Make sure that the stream exists, and learn its content type.

        Raises:
            StreamNotFoundError: It does not.
        """
        return self.head()

    def head(self) -> Head:
        """Return the offset of the present end, with what else the server tells.

        Raises:
            StreamNotFoundError: There is no such stream.
        """
        return self._driver.run(self._operations.head())

    def append(self, data: Message | Iterable[Message], *, seq: str | None = None) -> Offset:
        """Append an event, a JSON value or bytes; or several events as one batch.

        Appends of several threads that overlap travel together.

        Raises:
            LocalProtocolError: The data do not fit the content type; nothing is appended.
            StreamClosedError: The stream, or this client, is closed.
            RefusedError: The sequence number is behind (status 409), or the server does not want it.
            NetworkError: No answer came; `was_sent` tells whether it may be in the stream.
        """
        return self.append_many(messages_of(data), seq=seq)

    def append_many(self, messages: Iterable[Message], *, seq: str | None = None) -> Offset:
        """Append messages as one batch, as `append` does."""
        texts = self._encode(messages)
        if not texts:
            raise LocalProtocolError("append without messages")
        outcome: Future[Offset] = Future()
        with self._turn:
            self._appends.add(Entry(texts, seq, outcome))
        while True:
            with self._turn:
                self._turn.wait_for(lambda: outcome.done() or not self._is_sending)
                if outcome.done():
                    return outcome.result()
                batch = self._appends.take()
                assert batch is not None  # this append is in the queue
                self._is_sending = True
            self._send(batch)

    def read(self, offset: str = Offset.START) -> ClientBatch:
        """Return what the server gives after an offset in one answer, without waiting.

        Raises:
            LocalProtocolError: The offset is malformed.
            OffsetGoneError: The stream does not hold it any more.
            StreamNotFoundError: There is no such stream.
        """
        return self._driver.run(self._operations.read(offset))

    def catch_up(
        self, offset: str = Offset.START, *, timeout: float | None = None
    ) -> Generator[ClientBatch, None, None]:
        """Yield batches from an offset on, up to the present end of the stream.

        Args:
            offset: Where to begin.
            timeout: Seconds after which it ends, wherever it is; None for no limit.

        Raises:
            LocalProtocolError, OffsetGoneError, StreamNotFoundError: As for `read`.
        """
        return self._driver.iterate(self._follower(offset, None).run(), timeout=timeout)

    def follow(
        self, offset: str = Offset.START, *, live: Live = "auto", timeout: float | None = None
    ) -> Generator[ClientBatch, None, None]:
        """Yield batches from an offset on: first what is there, then what comes.

        It ends with the stream, if that is closed, and when this client is closed, by whatever
        thread.

        Args:
            offset: Where to begin; `now` is the end.
            live: How to wait for news. `auto` is server-sent events, or long polls where those do
                not get through, and for text, which they would alter.
            timeout: Seconds after which it ends, wherever it is; None for no limit. The
                `next_offset` of the last batch is where to go on.

        Raises:
            LocalProtocolError, OffsetGoneError, StreamNotFoundError: As for `read`.
            RemoteProtocolError: The server sends what the protocol forbids.
            RefusedError: The server wants other credentials.
        """
        return self._driver.iterate(self._follower(offset, live).run(), timeout=timeout)

    def read_all(self, offset: str = Offset.START) -> list[Any]:
        """Return all messages from an offset up to the present end."""
        return [message for batch in self.catch_up(offset) for message in batch.messages]

    def close_stream(self, data: Message | Iterable[Message] | None = None) -> Offset:
        """Close the stream for ever, maybe after a last append; return its final offset.

        Raises:
            StreamClosedError: It is closed already, and there was something to append.
        """
        texts = [] if data is None else self._encode(messages_of(data))
        return self._driver.run(self._operations.close(texts))

    def delete(self) -> None:
        """Delete the stream.

        Raises:
            StreamNotFoundError: There is no such stream.
        """
        self._driver.run(self._operations.delete())

    def fork(
        self,
        url: str,
        *,
        offset: str | None = None,
        sub_offset: int | None = None,
        ttl: int | None = None,
        expires_at: datetime | str | None = None,
    ) -> "BlockingStreamClient":
        """Create another stream that begins with the content of this one, as `StreamClient.fork`.

        Returns:
            A client of the new stream with the settings of this one, to be closed by you.
        """
        made = BlockingStreamClient(
            self._relative(url),
            headers=self._headers,
            params=self._params,
            retry=self._retry,
            timeouts=self._timeouts,
            http=self._http,
        )
        operation = made._operations.fork(
            self._path, offset=offset, sub_offset=sub_offset, ttl=ttl, expires_at=expires_at
        )
        try:
            made._driver.run(operation)
        except BaseException:
            made.close()
            raise
        return made

    def producer(
        self,
        producer_id: str | None = None,
        *,
        epoch: int = 0,
        auto_claim: bool = False,
        max_in_flight: int = MAX_IN_FLIGHT,
        max_batch_bytes: int = MAX_BATCH_BYTES,
        linger: float = LINGER,
    ) -> BlockingProducer:
        """Return an idempotent producer: what it appends is in the stream exactly once.

        The arguments are those of `StreamClient.producer`.

        Raises:
            LocalProtocolError: An argument is out of range.
        """
        state = ProducerState(
            producer_id,
            epoch=epoch,
            auto_claim=auto_claim,
            max_in_flight=max_in_flight,
            max_batch_bytes=max_batch_bytes,
            linger=linger,
        )
        made = BlockingProducer(self._driver, self._operations, state)
        self._producers.add(made)
        return made

    def close(self) -> None:
        """End everything this client does, in all threads, and its connections; idempotent.

        The stream itself goes on: `close_stream` is another thing.
        """
        self._driver.close()
        for producer in tuple(self._producers):
            producer.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _encode(self, messages: Iterable[Message]) -> list[bytes]:
        content_type = self.content_type
        if content_type is None:
            content_type = self._driver.run(self._operations.known_content_type())
        return [encode(message, content_type) for message in messages]

    def _send(self, batch: AppendBatch) -> None:
        try:
            batch.settle(self._driver.run(self._operations.append(batch.texts, seq=batch.seq)))
        except Exception as error:  # noqa: BLE001 - those who wait raise it
            batch.fail(error)
        except BaseException:
            batch.fail(StreamClosedError(f"append to stream {self.name!r} was interrupted"))
            raise
        finally:
            with self._turn:
                self._is_sending = False
                self._turn.notify_all()
