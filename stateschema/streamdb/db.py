"""StreamDB: the live collections of a schema, kept up to date from a stream, under asyncio.

```python
async with StreamDB(Chat, stream=stream) as db:        # opened, and read up to its present end
    message = db.collections.messages.alias("message")
    newest = live(query(message).order_by(message.sent_at.desc()).limit(20))
    await db.collections.messages.insert(message)      # shown at once; waits until it has come back
```

Law        At any time the collections show the fold of the stream up to `db.offset`
Tasks      One task follows the stream, from `preload()` to `close()`. Epochs run in it, so everything
           belongs to the thread of its event loop.
Writing    The collections persist what users write by appending it to the stream. It stays pending
           until its txid has come back, however late that is: see `writes`.
Errors     A bad event under the policy "raise", or an error of the stream itself, is fatal: following
           stops, `status` is "error", `error` tells why, and every `wait_…`, `preload` and the end of
           the `async with` raise it. The collections keep their last rows and stay readable.
           What subscribers raise is not fatal: it goes to the loop's exception handler, as what
           callbacks of the loop itself raise.
"""

import asyncio
from collections.abc import Generator
from contextlib import aclosing, contextmanager
from typing import Self, TypeVar

from typing_extensions import override

from dataflow.collection.transaction import Transaction
from stateschema.errors import (
    LocalProtocolError,
    NetworkError,
    OffsetGoneError,
    RefusedError,
    StreamClosedError,
)
from stateschema.events import new_txid
from stateschema.schema.entity import StateSchema
from stateschema.stream.batch import Batch
from stateschema.stream.offset import Offset
from stateschema.streamdb.arguments import check_txid
from stateschema.streamdb.entering import Awaited
from stateschema.streamdb.facade import Facade
from stateschema.streamdb.mutations import events_of
from stateschema.streamdb.router import Committed
from stateschema.streamdb.waiters import Waiters
from stateschema.streamdb.writes import LOST_ANSWER, Write

SchemaT = TypeVar("SchemaT", bound=StateSchema)

_PROGRESS = object()  # no txid: what `preload` and `wait_closed` wait for: a change of status


class StreamDB(Awaited, Facade[SchemaT]):
    """The collections of a schema, following a stream: `async with StreamDB(…) as db:`."""

    @override
    def _set_up(self) -> None:
        self._waiters = Waiters()
        self._task: asyncio.Task[None] | None = None
        self._was_closed = False  # by its user; a stream that has ended is no reason to refuse

    async def preload(self) -> None:
        """Start to follow the stream, and wait until the collections show its present end.

        Repeated calls wait for the same; when it is there they return at once.

        Raises:
            Exception: The fatal error, if there was one.
            StreamClosedError: The StreamDB was closed before.
        """
        if self._task is None and self.status == "loading":
            self._task = asyncio.create_task(self._follow(), name="streamdb-follow")
        self._check_not_closed()
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

        Only the latest 10,000 txids are remembered, and a snapshot has none: waiting for an older one, or
        for one that was compacted before it was read here, waits in vain. Its rows are shown.

        Args:
            txid: The id, as the event carries it.
            timeout: Seconds; None waits for ever.

        Raises:
            TypeError: It is no txid.
            TimeoutError: It did not come in time.
            StreamClosedError: The stream ended, or the StreamDB was closed, without it.
            Exception: The fatal error, if there was one.
        """
        check_txid(txid)
        deadline = asyncio.timeout(timeout)
        try:
            async with deadline:
                while not self._intake.has_applied(txid):
                    await self._waiters.wait(txid)
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise TimeoutError(f"txid {txid!r} did not come within {timeout} s") from error

    @override
    async def persist(self, transaction: Transaction) -> None:
        write = self._writes[transaction] = Write(new_txid())
        events = events_of(
            self.collections, transaction, txid=write.txid, with_old=self._sends_old_values
        )
        try:
            write.offset = await self.stream.append(events)
        except NetworkError as error:
            if not error.was_sent:
                raise
            await self._look_out_for(write, error)
        else:
            await self._confirm(write, write.offset)
        if self._intake.has_refused(write.txid):
            raise write.refused()

    async def _confirm(self, write: Write, end: Offset) -> None:
        try:
            while not self._intake.has_observed(write.txid, end):
                self._intake.check("it came back")
                await self._waiters.wait(write.txid)
        except Exception as error:
            raise write.unconfirmed(error) from error

    async def _look_out_for(self, write: Write, lost: NetworkError) -> None:
        """Wait for a write that may be in the stream, its append having gone unanswered."""
        try:
            await self.wait_txid(write.txid, timeout=LOST_ANSWER)
        except Exception as error:
            raise lost from error

    async def fork(self, url: str, *, offset: str | None = None) -> Self:
        """Create a stream that begins with what this one holds, and return a StreamDB of it.

        Args:
            url: URL of the new stream, on the same server; may be relative to the URL of this one.
            offset: Up to where content is shared; without, what is shown now.

        Returns:
            A StreamDB with the settings of this one, but without a cache, to be entered by you.

        Raises:
            StreamError: The stream of this one is not on a server, or the server refuses.
        """
        made = await self._feed.fork(url, Offset(offset or self.offset))
        return type(self)(type(self.collections), url=made, **self._settings.arguments())

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
        self._was_closed = True
        try:
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait([task])
        finally:
            self._over(None)
            await self._feed.close()

    async def __aenter__(self) -> Self:
        self._check_not_closed()
        if self._settings.preload:
            try:
                await self.preload()
            except BaseException:
                await self.close()
                raise
        return self

    def _check_not_closed(self) -> None:
        if self._was_closed and self.error is None:
            raise StreamClosedError("StreamDB is closed, for good; make a new one")

    async def _follow(self) -> None:
        fatal: Exception | None = None
        try:
            with self._reported():
                self._intake.begin()
            await self._feed.prepare()
            while await self._follow_on():
                pass
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            fatal = error
        finally:  # also when it was cancelled, by whomever
            self._over(fatal)

    async def _follow_on(self) -> bool:
        """Follow from where the intake stands; tell whether to go on from elsewhere."""
        try:
            async with aclosing(self._feed.follow(self._intake.position)) as batches:
                async for batch in batches:
                    if not self._take(batch):
                        return True
                    if self._intake.is_caught_up and not self._feed.is_live:
                        return False
        except (OffsetGoneError, LocalProtocolError, RefusedError) as error:
            if not self._intake.start_over(error):
                raise
            return True
        return False

    def _take(self, batch: Batch) -> bool:
        was_caught_up, goes_on = self._intake.is_caught_up, True
        with self._reported():
            goes_on = self._intake.take(batch)
        if self._intake.is_caught_up and not was_caught_up:
            self._waiters.wake_all()  # a snapshot may have shown what they wait for
        return goes_on

    @contextmanager
    def _reported(self) -> Generator[None]:
        """Report what subscribers raise to the loop; the epoch is complete all the same."""
        try:
            yield
        except ExceptionGroup as group:
            if self.error is not None:
                raise
            context = {"message": "subscribers of a StreamDB raised", "exception": group}
            asyncio.get_running_loop().call_exception_handler(context)

    @override
    def _committed(self, committed: Committed) -> None:
        self._waiters.wake_each(committed.txids)
        super()._committed(committed)

    def _over(self, error: Exception | None) -> None:
        if error is not None:
            self._intake.fail(error)
        else:
            self._intake.end()
        self._waiters.wake_all()
