"""StreamDB: the live collections of a schema, kept up to date from a stream, under asyncio.

```python
async with StreamDB(Chat, stream=stream) as db:        # opened, and read up to its present end
    newest = live(query(db.collections.messages).limit(20))
    await db.collections.messages.insert(message)      # shown at once; waits until it has come back
```

Law        At any time the collections show the fold of the stream up to `db.offset`
Tasks      One task follows the stream, from `preload()` to `close()`. Epochs run in it, so everything
           belongs to the thread of its event loop.
Writing    The collections persist what users write by appending it to the stream. It stays pending
           until its txid has come back.
Errors     A bad event under the policy "raise", or an error of the stream itself, is fatal: following
           stops, `status` is "error", `error` tells why, and every `wait_…`, `preload` and the end of
           the `async with` raise it. The collections keep their last rows and stay readable.
           What subscribers raise is not fatal: it goes to the loop's exception handler, as what
           callbacks of the loop itself raise.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from types import TracebackType
from typing import Self, TypeVar

from typing_extensions import override

from dataflow.collection.transaction import Transaction
from stateschema.errors import EventError
from stateschema.events import new_txid
from stateschema.schema.entity import StateSchema
from stateschema.stream.batch import Batch
from stateschema.stream.interface import Stream
from stateschema.streamdb.facade import Facade
from stateschema.streamdb.mutations import events_of
from stateschema.streamdb.router import Committed, OnError
from stateschema.streamdb.waiters import Waiters

SchemaT = TypeVar("SchemaT", bound=StateSchema)

_PROGRESS = "progress"  # what `preload` and `wait_closed` wait for: a change of status


class StreamDB(Facade[SchemaT]):
    """The collections of a schema, following a stream: `async with StreamDB(…) as db:`."""

    def __init__(
        self,
        schema: type[SchemaT],
        *,
        stream: Stream | None = None,
        url: str | None = None,
        preload: bool = True,
        on_error: OnError = "raise",
        on_skip: Callable[[EventError], object] | None = None,
        on_commit: Callable[[Committed], object] | None = None,
    ) -> None:
        super().__init__(
            schema,
            stream=stream,
            url=url,
            preload=preload,
            on_error=on_error,
            on_skip=on_skip,
            on_commit=on_commit,
        )
        self._waiters = Waiters()
        self._task: asyncio.Task[None] | None = None

    async def preload(self) -> None:
        """Start to follow the stream, and wait until the collections show its present end.

        Repeated calls wait for the same; when it is there they return at once.

        Raises:
            Exception: The fatal error, if there was one.
            StreamClosedError: The StreamDB was closed before.
        """
        if self._task is None and self.status == "loading":
            self._task = asyncio.create_task(self._follow(), name="streamdb-follow")
        while not self._intake.is_ready or self.error is not None:
            self._intake.check("the first snapshot was complete")
            await self._waiters.wait(_PROGRESS)

    async def wait_txid(
        self,
        txid: str,
        *,
        timeout: float | None = 5.0,  # noqa: ASYNC109 - the argument of all wait_… methods
    ) -> None:
        """Wait until an event with this txid is shown.

        Only the latest 10,000 txids are remembered: waiting for an older one waits in vain.

        Args:
            txid: The id, as the event carries it.
            timeout: Seconds; None waits for ever.

        Raises:
            TimeoutError: It did not come in time.
            StreamClosedError: The stream ended, or the StreamDB was closed, without it.
            Exception: The fatal error, if there was one.
        """
        deadline = asyncio.timeout(timeout)
        try:
            async with deadline:
                while not self._intake.has_applied(txid):
                    await self._waiters.wait(("txid", txid))
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise TimeoutError(f"txid {txid!r} did not come within {timeout} s") from error

    @override
    async def persist(self, transaction: Transaction) -> None:
        txid = new_txid()
        await self.stream.append(events_of(self.collections, transaction, txid=txid))
        await self.wait_txid(txid)

    async def wait_closed(self) -> None:
        """Wait until nothing more will come: the stream has ended, or the StreamDB is closed.

        Raises:
            Exception: The fatal error, if there was one.
        """
        while self.status in {"loading", "ready"}:
            await self._waiters.wait(_PROGRESS)
        if self.error is not None:
            raise self.error

    async def close(self) -> None:
        """Stop following, for good; the collections stay readable. Idempotent."""
        task = self._task
        try:
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait([task])
        finally:
            self._over(None)
            if self._own_client is not None:
                await self._own_client.close()

    async def __aenter__(self) -> Self:
        if self._preloads:
            try:
                await self.preload()
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
        await self.close()
        if kind is None and self.error is not None:
            raise self.error

    async def _follow(self) -> None:
        fatal: Exception | None = None
        try:
            async with aclosing(self.stream.follow(self.offset)) as batches:
                async for batch in batches:
                    self._take(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            fatal = error
        finally:  # also when it was cancelled, by whomever
            self._over(fatal)

    def _take(self, batch: Batch) -> None:
        was_ready = self._intake.is_ready
        try:
            self._intake.take(batch)
        except ExceptionGroup as group:
            if self.error is not None:
                raise
            context = {"message": "subscribers of a StreamDB raised", "exception": group}
            asyncio.get_running_loop().call_exception_handler(context)
        if not was_ready and self._intake.is_ready:
            self._waiters.wake(_PROGRESS)

    @override
    def _committed(self, committed: Committed) -> None:
        for txid in committed.txids:
            self._waiters.wake(("txid", txid))
        super()._committed(committed)

    def _over(self, error: Exception | None) -> None:
        if error is not None:
            self._intake.fail(error)
        else:
            self._intake.end()
        self._waiters.wake_all()
