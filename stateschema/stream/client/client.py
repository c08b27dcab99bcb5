"""The client of a stream on a server, under asyncio.

```python
async with StreamClient("http://127.0.0.1:4437/v1/stream/chat") as stream:
    await stream.create()
    await stream.append({"text": "hello"})
    async for batch in stream.follow():
        print(batch.messages, batch.next_offset)
```

It is a `Stream`, so a StreamDB can follow it. All decisions are made in the machines of the sibling
modules; here they are given names and run.

Tasks      One while appends are on their way, and those of producers. `close` ends them.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

from stateschema.errors import LocalProtocolError, StreamClosedError
from stateschema.stream.client.answers import Head
from stateschema.stream.client.appending import AppendQueue, Entry
from stateschema.stream.client.async_driver import AsyncDriver
from stateschema.stream.client.batch import ClientBatch
from stateschema.stream.client.content import Message, encode, messages_of
from stateschema.stream.client.dynamic import Dynamic
from stateschema.stream.client.following import Live
from stateschema.stream.client.handle import Handle
from stateschema.stream.client.producer import Producer
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


class StreamClient(Handle):
    """A stream on a server; belongs to one event loop.

    Args:
        url: URL of the stream.
        content_type: Content type of the stream; without it, the server is asked when it matters.
        headers: Headers of every request; a value, or the whole, may be a function that is called
            for each request, a coroutine function too.
        params: Query parameters of every request, likewise.
        retry: How failures that may pass are repeated.
        timeouts: When a silent network counts as lost.
        http: An `httpx.AsyncClient` to use, which stays open; without, an own one is made.

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
        http: "httpx.AsyncClient | None" = None,
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
        self._driver = AsyncDriver(self.name, self._preparation, timeouts=self._timeouts, http=http)
        self._appends = AppendQueue()
        self._sender: asyncio.Task[None] | None = None
        self._learning = asyncio.Lock()
        self._producers: WeakSet[Producer] = WeakSet()

    async def create(
        self,
        *,
        content_type: str | None = None,
        ttl: int | None = None,
        expires_at: datetime | str | None = None,
        closed: bool = False,
        messages: Sequence[Message] = (),
    ) -> Head:
        """Create the stream; if it exists in the same form, that is fine too.

        Args:
            content_type: Its content type; `application/json` unless the client was given one.
            ttl: Seconds of idleness after which it expires.
            expires_at: Time at which it expires, aware or as RFC 3339 text.
            closed: Whether it is complete with the messages given here.
            messages: First content.

        Returns:
            The end of the stream; `is_new` tells whether this call created it.

        Raises:
            RefusedError: It exists in another form (status 409), or must not be created.
        """
        return await self._driver.run(
            self._operations.create(
                content_type=content_type,
                ttl=ttl,
                expires_at=expires_at,
                closed=closed,
                messages=messages,
            )
        )

    async def connect(self) -> Head:
        """Make sure that the stream exists, and learn its content type.

        Raises:
            StreamNotFoundError: It does not.
        """
        return await self.head()

    async def head(self) -> Head:
        """Return the offset of the present end, with what else the server tells.

        Raises:
            StreamNotFoundError: There is no such stream.
        """
        return await self._driver.run(self._operations.head())

    async def append(self, data: Message | Iterable[Message], *, seq: str | None = None) -> Offset:
        """Append an event, a JSON value or bytes; or several events as one batch.

        Appends that overlap travel together. Without an answer it is not known whether the append
        is in the stream, and it is not repeated; a `producer` can repeat without harm.

        Args:
            data: One message, or an iterable of events. In a JSON stream bytes are JSON text.
            seq: A sequence number, as text; the server refuses one that is not greater than the
                last.

        Returns:
            The offset after the append, or after others that travelled with it.

        Raises:
            LocalProtocolError: The data do not fit the content type; nothing is appended.
            StreamClosedError: The stream, or this client, is closed.
            RefusedError: The sequence number is behind (status 409), or the server does not want it.
            NetworkError: No answer came; `was_sent` tells whether it may be in the stream.
        """
        return await self.append_many(messages_of(data), seq=seq)

    async def append_many(self, messages: Iterable[Message], *, seq: str | None = None) -> Offset:
        """Append messages as one batch, as `append` does."""
        content_type = await self._known_content_type()
        texts = [encode(message, content_type) for message in messages]
        if not texts:
            raise LocalProtocolError("append without messages")
        if self._driver.is_closed:
            raise StreamClosedError(f"client of stream {self.name!r} is closed")
        outcome: asyncio.Future[Offset] = asyncio.get_running_loop().create_future()
        self._appends.add(Entry(texts, seq, outcome))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_appends(), name="stream-append")
        return await outcome

    async def read(self, offset: str = Offset.START, *, limit: int | None = None) -> ClientBatch:
        """Return what the server gives after an offset in one answer, without waiting.

        Args:
            offset: Where to begin; `now` is the end.
            limit: Not possible here: the server decides how much it gives.

        Raises:
            LocalProtocolError: The offset is malformed, or there is a limit.
            OffsetGoneError: The stream does not hold it any more.
            StreamNotFoundError: There is no such stream.
        """
        if limit is not None:
            raise LocalProtocolError("read with a limit: the server decides how much it gives")
        return await self._driver.run(self._operations.read(offset))

    def catch_up(self, offset: str = Offset.START) -> AsyncGenerator[ClientBatch, None]:
        """Yield batches from an offset on, up to the present end of the stream.

        Raises:
            LocalProtocolError, OffsetGoneError, StreamNotFoundError: As for `read`.
        """
        return self._driver.iterate(self._follower(offset, None).run())

    def follow(
        self, offset: str = Offset.START, *, live: Live = "auto"
    ) -> AsyncGenerator[ClientBatch, None]:
        """Yield batches from an offset on: first what is there, then what comes.

        The first batch with `up_to_date` ends the catching up. Lost connections are made again. It
        ends with the stream, if that is closed, and when this client is closed; leave it whenever
        you like. Wrapped in `contextlib.aclosing`, leaving closes its connection at once.

        Args:
            offset: Where to begin; `now` is the end.
            live: How to wait for news. `auto` is server-sent events, or long polls where those do
                not get through, and for text, which they would alter.

        Raises:
            LocalProtocolError, OffsetGoneError, StreamNotFoundError: As for `read`.
            RemoteProtocolError: The server sends what the protocol forbids.
            RefusedError: The server wants other credentials.
        """
        return self._driver.iterate(self._follower(offset, live).run())

    async def read_all(self, offset: str = Offset.START) -> list[Any]:
        """Return all messages from an offset up to the present end."""
        async with aclosing(self.catch_up(offset)) as batches:
            return [message async for batch in batches for message in batch.messages]

    async def close_stream(self, data: Message | Iterable[Message] | None = None) -> Offset:
        """Close the stream for ever, maybe after a last append; return its final offset.

        Raises:
            StreamClosedError: It is closed already, and there was something to append.
        """
        texts: list[bytes] = []
        if data is not None:
            content_type = await self._known_content_type()
            texts = [encode(message, content_type) for message in messages_of(data)]
        return await self._driver.run(self._operations.close(texts))

    async def delete(self) -> None:
        """Delete the stream.

        Raises:
            StreamNotFoundError: There is no such stream.
        """
        await self._driver.run(self._operations.delete())

    async def fork(
        self,
        url: str,
        *,
        offset: str | None = None,
        sub_offset: int | None = None,
        ttl: int | None = None,
        expires_at: datetime | str | None = None,
    ) -> "StreamClient":
        """Create another stream that begins with the content of this one.

        Args:
            url: URL of the new stream, on the same server; may be relative to the URL of this one.
            offset: Up to where content is shared; without, up to the present end.
            sub_offset: Messages, in other streams than JSON bytes, to share beyond `offset`.
            ttl: As for `create`.
            expires_at: As for `create`.

        Returns:
            A client of the new stream with the settings of this one, to be closed by you.
        """
        made = StreamClient(
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
            await made._driver.run(operation)
        except BaseException:
            await made.close()
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
    ) -> Producer:
        """Return an idempotent producer: what it appends is in the stream exactly once.

        Args:
            producer_id: Identifies it to the server; at most one may be alive under an id. A fresh
                one is made up if there is none.
            epoch: To be raised by one whenever a producer of the same id begins anew.
            auto_claim: Whether to take the next epoch when another one has taken this one.
            max_in_flight: Batches on their way at the same time, at most.
            max_batch_bytes: Size at which a batch goes out at once.
            linger: Seconds that a message waits for others.

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
        made = Producer(self._driver, self._operations, state)
        self._producers.add(made)
        return made

    async def close(self) -> None:
        """End everything this client does, and its connections; idempotent.

        The stream itself goes on: `close_stream` is another thing.
        """
        await self._driver.close()
        for producer in tuple(self._producers):
            await producer.abort()
        if self._sender is not None:
            await asyncio.wait([self._sender])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _known_content_type(self) -> str:
        if self.content_type is not None:
            return self.content_type
        async with self._learning:  # in turn, so that appends keep their order
            return await self._driver.run(self._operations.known_content_type())

    async def _send_appends(self) -> None:
        while (batch := self._appends.take()) is not None:
            try:
                offset = await self._driver.run(self._operations.append(batch.texts, seq=batch.seq))
            except Exception as error:  # noqa: BLE001 - those who wait raise it
                batch.fail(error)
            except BaseException:
                batch.fail(StreamClosedError(f"append to stream {self.name!r} was cancelled"))
                raise
            else:
                batch.settle(offset)
