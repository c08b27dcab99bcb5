"""Publishing a collection: its epochs, as they come, as events of a stream.

```python
async with publish(messages, stream, type="message", sources=[db]):
    ...                              # whoever follows the stream sees the rows of `messages`
```

Law        publish, then follow, then fold is the identity on rows, whatever happens in between: crashes,
           restarts, appends that had to be repeated
Resuming   When it starts, the publisher reads what the stream says and appends the difference. So nothing
           has to be stored elsewhere, and nothing is told twice.
Tasks      One, from the start to `close()`; its epochs are appended one after the other
Errors     What the stream or a row raises ends publishing: `error` tells why, and `flush`, `wait_closed`
           and the end of the `async with` raise it. Publish again to go on.
Views      One in status "error" is published with its last good rows, and goes on when it has recovered.
           Publishing ends when all are closed, once what they said last is in the stream.
"""

import asyncio
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from dataflow.collection.readable import Readable
from stateschema.errors import StreamClosedError, StreamError
from stateschema.stream.interface import Stream
from stateschema.streamdb.entering import Awaited, Blocking
from stateschema.streamdb.publishing.checks import check_published
from stateschema.streamdb.publishing.publication import Commits, Part, Publication
from stateschema.streamdb.publishing.said import read_said
from stateschema.streamdb.publishing.sending import Sender, sender_for
from stateschema.streamdb.waiters import Waiters

if TYPE_CHECKING:
    from dataflow.collection.status import StatusSubscription

_NEWS = "news"
_PROGRESS = "progress"

ORDER_FIELD = "orderKey"
"""Where rows of an ordered query carry their order keys, unless another field is named."""


class _Appending:
    """A publication and the stream it goes to."""

    def __init__(self, parts: Sequence[Part], stream: Stream, sources: Iterable[Commits]) -> None:
        sources = check_published(parts, stream, sources)
        self._types = [part.type for part in parts]
        self._stream = stream
        self._sender: Sender | None = None
        self.waiters = Waiters()
        self.publication = Publication(
            parts, sources=sources, news=lambda: self.waiters.wake(_NEWS)
        )

    async def begin(self) -> None:
        """Read what the stream says, and begin with the difference."""
        await self.end()
        self._sender = sender = sender_for(self._stream, self._types)
        await sender.claim()
        self.publication.begin(await read_said(self._stream, self._types))

    async def send(self) -> None:
        """Append all that waits."""
        while True:
            if self._sender is None or self.publication.is_lost:
                await self.begin()
            assert self._sender is not None
            events = self.publication.take()
            if events is None:
                return
            await self._sender.send(events)

    async def end(self) -> None:
        """Follow no more; `send` would begin anew."""
        self.publication.end()
        sender, self._sender = self._sender, None
        if sender is not None:
            await sender.close()


class Publisher(Awaited):
    """Publishes collections under asyncio; `publish` makes one for a single collection.

    Args:
        parts: The collections. What one epoch changes of all of them is one append.
        stream: An existing stream.
        sources: The StreamDBs they are derived from.
    """

    def __init__(
        self, parts: Sequence[Part], stream: Stream, *, sources: Iterable[Commits] = ()
    ) -> None:
        self._views = [part.view for part in parts]
        self._appending = _Appending(parts, stream, sources)
        self._task: asyncio.Task[None] | None = None
        self._sent = 0  # epochs that are in the stream
        self._is_closed = False
        self._endings: list[StatusSubscription] = []
        self.error: Exception | None = None

    async def start(self) -> None:
        """Wait for the first rows, append what the stream lacks of them, and follow from there on.

        Repeated calls do nothing.

        Raises:
            StreamClosedError: The publisher was closed before.
            CollectionError: The collection is, or gets, in status "error" or "closed".
            StreamError: The stream cannot be read or appended to.
            SchemaError: A row is no object on the wire.
        """
        if self._is_closed:
            raise StreamClosedError("publisher is closed, for good; make a new one")
        if self._task is None:
            for view in self._views:
                await view.wait_ready()
            await self._appending.begin()
            wake = self._appending.waiters.wake
            self._endings = [
                view.subscribe_status(lambda _: wake(_PROGRESS)) for view in self._views
            ]
            self._task = asyncio.create_task(self._run(), name="publish")
        await self.flush()

    async def flush(self) -> None:
        """Wait until the stream says everything that the collection shows now.

        Raises:
            Exception: Why it never will.
        """
        target = self._appending.publication.queued
        while self._sent < target or self.error is not None:
            if self.error is not None:
                raise self.error
            if self._is_closed:
                raise StreamClosedError("publisher closed before everything was appended")
            await self._appending.waiters.wait(_PROGRESS)

    async def wait_closed(self) -> None:
        """Wait until publishing has ended: it was closed, or all that is published is.

        Raises:
            Exception: Why it ended, if it was not closed.
        """
        while not self._has_ended and self.error is None:
            await self._appending.waiters.wait(_PROGRESS)
        if self.error is not None:
            raise self.error

    async def close(self) -> None:
        """End at once; what has not been appended is made up for by the next who publishes. Idempotent."""
        self._is_closed = True
        for ending in self._endings:
            ending.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._appending.end()
        self._appending.waiters.wake_all()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                await self.flush()
        finally:
            await self.close()

    @property
    def _has_ended(self) -> bool:
        if self._is_closed:
            return True
        is_told = self._sent == self._appending.publication.queued
        return is_told and all(view.status == "closed" for view in self._views)

    async def _run(self) -> None:
        appending = self._appending
        try:
            while True:
                await appending.send()
                self._sent = appending.publication.taken
                appending.waiters.wake(_PROGRESS)
                if appending.publication.taken == appending.publication.queued:
                    await appending.waiters.wait(_NEWS)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            self.error = error
            appending.publication.end()
            appending.waiters.wake_all()


def publish(
    view: Readable[Any],
    stream: Stream,
    *,
    type: str,  # noqa: A002 - the word of the wire
    sources: Iterable[Commits] = (),
    order_field: str | None = ORDER_FIELD,
) -> Publisher:
    """Publish a collection to a stream: `async with publish(...)`, or `start()` and `close()`.

    Each epoch becomes one append of upserts, updates with the row before, and deletes. A stream may
    carry several collections, each under a type of its own; each type has one publisher at a time.
    For several whose epochs belong together, use `Publisher([Part(...), ...], stream)`.

    Args:
        view: A live query, or a collection. Its rows must be objects on the wire.
        stream: An existing stream.
        type: Entity type of the rows on the wire.
        sources: The StreamDBs that the collection is derived from. Their txids are carried through,
            so that who wrote to them can wait for the txid here.
        order_field: Where rows of a query with an order carry a text that sorts as they do; None
            leaves it out.
    """
    return Publisher([Part(view, type, order_field)], stream, sources=sources)


class BlockingPublisher(Blocking):
    """Publishes a collection without an event loop of your own: epochs are appended by `flush`.

    ```python
    with BlockingPublisher(messages, stream, type="message", sources=[db]) as publisher:
        while db.poll(timeout=None):
            publisher.flush()
    ```

    Arguments are those of `publish`. It belongs to the thread of its collection, in which no event
    loop is running.
    """

    def __init__(
        self,
        view: Readable[Any],
        stream: Stream,
        *,
        type: str,  # noqa: A002 - the word of the wire
        sources: Iterable[Commits] = (),
        order_field: str | None = ORDER_FIELD,
    ) -> None:
        self._view = view
        self._runner = asyncio.Runner()
        self._appending = _Appending([Part(view, type, order_field)], stream, sources)
        self._is_closed = False

    def flush(self) -> None:
        """Append what the stream lacks.

        The first call, and the one after a call that failed, begins by reading the stream.

        Raises:
            StreamError: The rows are not there yet, or the stream cannot be read or appended to.
            StreamClosedError: The publisher was closed before.
            SchemaError: A row is no object on the wire.
        """
        if self._is_closed:
            raise StreamClosedError("publisher is closed")
        if self._view.is_waiting:
            raise StreamError(f"{self._view} is {self._view.status}: nothing to publish yet")
        try:
            self._runner.run(self._appending.send())
        except BaseException:  # what was to be sent is not known to be in the stream
            self._runner.run(self._appending.end())
            raise

    def close(self) -> None:
        """End at once; idempotent."""
        if not self._is_closed:
            self._is_closed = True
            self._runner.run(self._appending.end())
            self._runner.close()

    def __enter__(self) -> Self:
        try:
            self.flush()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self.close()
