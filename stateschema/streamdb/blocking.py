"""StreamDB without an event loop of your own: epochs are applied when you ask for them.

```python
with BlockingStreamDB(Chat, stream=LogFile("chat.jsonl")) as db:
    while True:
        db.poll(timeout=1.0)
        print(len(db.collections.messages))
```

Law        Rows come in inside `preload`, `poll` and `wait_txid`, in the calling thread, and nowhere else:
           no thread of ours steps the graph. What is written into a collection is appended at once, and
           polled for until it has come back.
Waiting    A private event loop runs while one of them waits. What is appended to a stream in memory
           by other threads wakes it at once. The parts of a `BlockingCombinedStreamDB` share one loop.
Errors     As for `StreamDB`; what subscribers raise comes out of the call that applied the epoch,
           which is complete all the same. While a write is polled for it is logged: the write is done.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from typing import Self, TypeVar

from typing_extensions import override

from dataflow.collection.transaction import Transaction
from stateschema.errors import (
    LocalProtocolError,
    NetworkError,
    OffsetGoneError,
    RefusedError,
    ServerError,
    StreamClosedError,
    StreamError,
)
from stateschema.events import ChangeEvent, new_txid
from stateschema.schema.entity import StateSchema
from stateschema.stream.batch import Batch
from stateschema.stream.offset import Offset
from stateschema.streamdb.arguments import check_txid
from stateschema.streamdb.entering import Blocking
from stateschema.streamdb.facade import Facade
from stateschema.streamdb.mutations import events_of
from stateschema.streamdb.writes import LOST_ANSWER, Write

SchemaT = TypeVar("SchemaT", bound=StateSchema)

logger = logging.getLogger("stateschema")


class BlockingStreamDB(Blocking, Facade[SchemaT]):
    """The collections of a schema, brought up to date by polling a stream.

    It belongs to one thread, in which no event loop is running.
    """

    @override
    def _set_up(self) -> None:
        self._runner = asyncio.Runner()
        self._owns_runner = True
        self._batches: AsyncGenerator[Batch, None] | None = None
        self._next: asyncio.Task[Batch | None] | None = None  # asked for and not yet there
        self._is_taking = False
        self._is_over = False

    def preload(self) -> None:
        """Read up to the present end of the stream, as one epoch; nothing if that has been done.

        Raises:
            Exception: The fatal error, if there was one.
            StreamClosedError: The StreamDB was closed before.
            StreamError: Called by a callback of an epoch, or where an event loop is running.
        """
        self._check_caller()
        self._check_not_closed()
        self._load()

    def _load(self) -> int:
        messages = 0
        if not self._intake.is_ready and self.status == "loading":
            self._begin()
        while not self._intake.is_ready or self.error is not None:
            self._intake.check("the first snapshot was complete")
            messages += self._take_next(None)
        if not self._feed.is_live:
            self._intake.end()
        return min(messages, 1)

    def _begin(self) -> None:
        """Show what is known before the stream is asked, and make sure that there is one."""
        with self._taking():
            self._intake.begin()
        with self._failing():
            self._runner.run(self._feed.prepare())

    def poll(self, *, timeout: float | None = 0.0) -> int:
        """Apply what has been appended; if that is nothing, wait for the next append.

        Args:
            timeout: Seconds to wait at most; None waits for ever. The first poll of a StreamDB that
                was not preloaded preloads it, and does not wait.

        Returns:
            How many batches were applied, each as one epoch; 0 if none came in time or the stream
            has ended.

        Raises:
            Exception: The fatal error, if there was one.
            StreamError: Called by a callback of an epoch, or where an event loop is running.
        """
        self._check_caller()
        if self.error is not None:
            raise self.error
        if self.status == "closed":
            return 0
        if not self._intake.is_ready:
            return self._load()
        end = self._runner.run(self._known_end())
        if self.offset >= end and self._intake.is_caught_up:
            return self._take_next(timeout)
        epochs = 0
        while self.status == "ready" and (self.offset < end or not self._intake.is_caught_up):
            epochs += self._take_next(None)
        return epochs

    def wait_txid(self, txid: str, *, timeout: float | None = 5.0) -> None:
        """Poll until an event with this txid is shown, as `StreamDB.wait_txid` does."""
        poll_for(txid, timeout, has_applied=self._intake.has_applied, poll=self.poll)

    @override
    def persist(self, transaction: Transaction) -> None:
        self._check_caller()
        write = self._writes[transaction] = Write(new_txid())
        events = events_of(
            self.collections, transaction, txid=write.txid, with_old=self._sends_old_values
        )
        try:
            write.offset = self._runner.run(self._append(events))
        except NetworkError as error:
            if not error.was_sent:
                raise
            self._look_out_for(write, error)
        else:
            self._confirm(write, write.offset)
        if self._intake.has_refused(write.txid):
            raise write.refused()

    async def _append(self, events: list[ChangeEvent]) -> Offset:
        return await self.stream.append(events)

    def _confirm(self, write: Write, end: Offset) -> None:
        """Poll until a write has come back; what subscribers raise meanwhile does not undo it."""
        while not self._intake.has_observed(write.txid, end):
            try:
                self._intake.check("it came back")
                self.poll(timeout=None)
            except Exception as error:
                if not isinstance(error, ExceptionGroup) or self.error is not None:
                    raise write.unconfirmed(error) from error
                logger.exception("subscribers of a StreamDB raised")

    def _look_out_for(self, write: Write, lost: NetworkError) -> None:
        """Wait for a write that may be in the stream, its append having gone unanswered."""
        try:
            self.wait_txid(write.txid, timeout=LOST_ANSWER)
        except Exception as error:
            raise lost from error

    def fork(self, url: str, *, offset: str | None = None) -> Self:
        """Create a stream that begins with what this one holds, as `StreamDB.fork` does."""
        self._check_caller()
        made = self._runner.run(self._feed.fork(url, Offset(offset or self.offset)))
        return type(self)(type(self.collections), url=made, **self._settings.arguments())

    def close(self) -> None:
        """Stop for good; the collections stay readable. Idempotent."""
        self._intake.end()
        asked, self._next = self._next, None
        if not self._is_over:
            self._runner.run(self._feed.close())
        self._is_over = True
        if self._owns_runner:
            self._runner.close()  # cancels what is asked for, closes the generator
        elif asked is not None:
            asked.cancel()

    def __enter__(self) -> Self:
        self._check_not_closed()
        if self._settings.preload:
            try:
                self.preload()
            except BaseException:
                self.close()
                raise
        return self

    def _share(self, runner: asyncio.Runner) -> None:
        """Wait on a loop that other StreamDBs wait on too, and that somebody else closes."""
        if self.status != "loading" or self._batches is not None:
            raise StreamError(f"{self!r} has begun to read, on a loop of its own")
        self._runner.close()
        self._runner, self._owns_runner = runner, False

    def _check_not_closed(self) -> None:
        if self._is_over and self.error is None:
            raise StreamClosedError("StreamDB is closed, for good; make a new one")

    def _check_caller(self) -> None:
        if self._is_taking:
            raise StreamError("polled by a callback of the epoch that is being applied")
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        error = StreamError("BlockingStreamDB cannot wait where an event loop is running")
        error.add_note("use StreamDB, or another thread")
        raise error

    def _take_next(self, timeout: float | None) -> int:
        """Wait for the next batch and take it in; return 1 if one with messages came."""
        with self._failing():
            batch = self._runner.run(self._wait_for_next(timeout))
        if batch is None:
            return 0
        with self._taking():
            if not self._intake.take(batch):
                self._runner.run(self._leave())
        return 1 if batch.messages else 0

    @contextmanager
    def _taking(self) -> Generator[None]:
        """Make an epoch, during which callbacks must not poll."""
        self._is_taking = True
        try:
            with self._failing():
                yield
        finally:
            self._is_taking = False

    @contextmanager
    def _failing(self) -> Generator[None]:
        """Take an error for fatal, but not what subscribers raise: the epoch is complete."""
        try:
            yield
        except ExceptionGroup:
            raise
        except Exception as error:
            self._intake.fail(error)
            raise

    async def _known_end(self) -> Offset:
        """Return the end of the stream; where nobody tells, what is shown is all that is known."""
        try:
            return await self.stream.head()
        except (NetworkError, ServerError):  # the follower goes on trying
            return self.offset

    async def _wait_for_next(self, timeout: float | None) -> Batch | None:  # noqa: ASYNC109 - not a deadline for a task: what is asked for stays asked for
        try:
            task = self._ask()
            done, _ = await asyncio.wait([task], timeout=timeout)
            if not done:
                return None
            self._next = None
            batch = task.result()
        except (OffsetGoneError, LocalProtocolError, RefusedError) as error:
            if not self._intake.start_over(error):
                raise
            self._batches = None
            return await self._wait_for_next(timeout)
        if batch is None:
            self._intake.end()
        return batch

    def _ask(self) -> asyncio.Task[Batch | None]:
        """Ask for the next batch, unless that has been done."""
        if self._batches is None:
            self._batches = self._feed.follow(self._intake.position)
        if self._next is None:
            self._next = asyncio.create_task(_step(self._batches), name="streamdb-next")
        return self._next

    async def _leave(self) -> None:
        """Leave the follower: it is to go on from elsewhere."""
        assert self._batches is not None
        await self._batches.aclose()
        self._batches = None


def poll_for(
    txid: str,
    timeout: float | None,
    *,
    has_applied: Callable[[str], bool],
    poll: Callable[..., object],
) -> None:
    """Poll until an event with a txid is shown.

    Args:
        txid: The id, as the event carries it.
        timeout: Seconds; None waits for ever.
        has_applied: Tells whether it is shown; raises if it never will be.
        poll: Takes `timeout=`, the seconds that are left.

    Raises:
        TypeError: It is no txid.
        TimeoutError: It did not come in time.
    """
    check_txid(txid)
    deadline = None if timeout is None else time.monotonic() + timeout
    while not has_applied(txid):
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError(f"txid {txid!r} did not come within {timeout:g} s")
        poll(timeout=left)


async def _step(batches: AsyncGenerator[Batch, None]) -> Batch | None:
    """Return the next batch, None at the end."""
    return await anext(batches, None)
