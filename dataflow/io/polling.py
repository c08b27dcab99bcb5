"""Polled sources: whole snapshots of rows, read again and again, become the changes between them.

Law      after a successful read the collection holds exactly the rows read; subscribers hear of what differs, and of nothing if
         nothing does
Order    one read at a time. A refetch that is asked for while one runs waits for it and reads anew, since what that one returns
         may be older than the question; all who ask meanwhile share the next one.
Failure  a read that raises, or rows that do not fit, turn the collection to status "error" with the last rows kept; the next
         read that succeeds ends it. Polling goes on all the while.
Cost     O(rows) per read that is not skipped
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from dataflow.collection.batch import batch
from dataflow.errors import CollectionError
from dataflow.io.awaiting import result_of
from dataflow.io.clock import clock_or_loop, sleep
from dataflow.io.statistics import PolledStatistics
from dataflow.values.normal import expose

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from types import TracebackType

    from dataflow.collection.collection import Collection
    from dataflow.io.clock import Clock

R = TypeVar("R")

logger = logging.getLogger("dataflow")


def write_rows(collection: Collection[R], rows: Iterable[R]) -> None:
    """Make a collection hold exactly these rows, in one epoch. Rows that are there already, and equal, are no news.

    Raises:
        CollectionError: if two rows have one key, or a row does not fit; nothing is written then.
        ExceptionGroup: what subscribers raised; the rows are written.
    """
    seen: dict[Any, R] = {}
    with collection.sync() as write:
        write.truncate()
        for row in rows:
            key = collection.key_of(row)
            if key in seen:
                raise CollectionError(
                    f"{collection}: two rows with the key {expose(key)!r}: {seen[key]!r} and {row!r}"
                )
            seen[key] = row
            write.insert(row)


class Polled(Generic[R]):
    """Keeps a collection equal to what a function returns; made by `polled` and by the other sources.

    Use it as an async context manager, which waits for the first rows and polls until it is left; or call `refetch()` or
    `refetch_now()` yourself.

    Args:
        collection: the collection to fill; nobody else should write synced rows into it.
        read: returns all rows, or None for "as before"; may be a coroutine function.
        every: seconds between the end of one read and the start of the next; None reads only when asked.
        clock: what measures them; the event loop by default.
        thread: whether a plain function is called in a worker thread, so that it may block.
        stop: called when the source is closed.
    """

    def __init__(
        self,
        collection: Collection[R],
        read: Callable[[], Iterable[R] | Awaitable[Iterable[R] | None] | None],
        *,
        every: float | None,
        clock: Clock | None,
        thread: bool,
        stop: Callable[[], None] | None = None,
    ) -> None:
        self.collection = collection
        self._stop = stop
        self._read = read
        self._every = every
        self._clock = clock
        self._thread = thread
        self._task: asyncio.Task[None] | None = None
        self._running: asyncio.Task[None] | None = None  # a read
        self._next: asyncio.Task[None] | None = None  # one that waits for it
        self._due: list[R] | None = None  # rows read that did not fit
        self._closed = False
        self._reads = self._skipped = self._failures = 0
        collection.fill_from(self)

    # -- life --------------------------------------------------------------------------------------------------------

    @property
    def is_started(self) -> bool:
        """Whether the first read has begun, or polling has."""
        return self._closed or self._task is not None

    def start(self) -> None:
        """Read once, and then `every` so many seconds, until this or the collection is closed. It needs a running event loop."""
        if self._closed:
            raise CollectionError(f"the source of {self.collection} is closed")
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(
                self._poll(), name=f"poll {self.collection.name}"
            )

    async def close(self) -> None:
        """Stop reading; the collection keeps its rows and its status. Closing twice is allowed."""
        self._closed = True
        tasks = {task for task in (self._task, self._running, self._next) if task is not None}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._stop is not None:
            self._stop()
        if self.collection.is_waiting and self.collection.status != "error":
            self.collection.mark_error(
                CollectionError("the source was closed before the first rows came")
            )

    async def __aenter__(self) -> Self:
        try:
            await self.collection.preload()
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

    # -- reading -----------------------------------------------------------------------------------------------------

    def statistics(self) -> PolledStatistics:
        """Return a snapshot of counters."""
        return PolledStatistics(self._reads, self._skipped, self._failures)

    def refetch_now(self) -> None:
        """Read at once, without an event loop.

        Raises:
            CollectionError: if the function is a coroutine function, or the source is closed.
            Exception: what the function raised, or what was wrong with the rows.
        """
        self._check_open()
        try:
            rows = _listed(_at_once(self._read(), self.collection))
        except Exception as error:
            self._fail(error)
            raise
        self._take(rows)

    async def refetch(self) -> None:
        """Read once more, after the read that is under way if there is one.

        Raises:
            CollectionError: if the source is closed.
            Exception: what the function raised, or what was wrong with the rows.
        """
        self._check_open()
        if self._running is None:
            self._running = self._task_of(self._fetch())
            task = self._running
        else:
            if self._next is None:
                self._next = self._task_of(self._fetch_after(self._running))
            task = self._next
        await asyncio.shield(task)

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        clock = clock_or_loop(self._clock)
        while self.collection.status != "closed":
            try:
                await self.refetch()
            except Exception as error:  # noqa: BLE001 - it has no caller to go to
                if self.collection.status == "ready":  # so it is not the read that failed
                    message = f"subscribers of {self.collection} raised"
                    loop.call_exception_handler({"message": message, "exception": error})
            if self._every is None:
                return
            await sleep(clock, self._every)

    async def _fetch_after(self, running: asyncio.Task[None]) -> None:
        await asyncio.wait([running])
        self._running, self._next = self._next, None
        await self._fetch()

    async def _fetch(self) -> None:
        try:
            if self._thread:
                rows = await asyncio.to_thread(lambda: _listed(self._read()))
            else:
                rows = self._read()
            read = _listed(await result_of(rows))
        except Exception as error:
            self._fail(error)
            raise
        self._take(read)

    def _take(self, rows: list[R] | None) -> None:
        """Write what was read, and get the collection ready, in one epoch."""
        if rows is not None:
            self._due = rows
        due = self._due
        try:
            with batch():
                if due is not None:
                    write_rows(self.collection, due)
                self.collection.mark_ready()
        except ExceptionGroup:  # of subscribers: the rows are there
            self._taken(due)
            raise
        except Exception as error:
            self._fail(error)
            raise
        self._taken(due)

    def _taken(self, due: list[R] | None) -> None:
        self._due = None
        if due is None:
            self._skipped += 1
        else:
            self._reads += 1

    def _fail(self, error: Exception) -> None:
        self._failures += 1
        logger.warning("the source of %s failed: %r", self.collection, error)
        self.collection.mark_error(error)

    def _task_of(self, fetch: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(fetch)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # taken note of, also if nobody waits any more
        if self._running is task:
            self._running = None

    def _check_open(self) -> None:
        if self._closed:
            raise CollectionError(f"the source of {self.collection} is closed")


def _listed(rows: Any) -> Any:
    """Return the rows of an iterable, which may run the reader's own code, as a list; leave everything else alone."""
    return rows if rows is None or inspect.isawaitable(rows) else list(rows)


def _at_once(rows: Any, collection: Collection[Any]) -> Any:
    """Return what a plain function returned; refuse what has to be awaited."""
    if not inspect.isawaitable(rows):
        return rows
    if inspect.iscoroutine(rows):
        rows.close()
    raise CollectionError(f"the source of {collection} is async: await refetch()")


def polled(
    collection: Collection[R],
    read: Callable[[], Iterable[R] | Awaitable[Iterable[R] | None] | None],
    *,
    every: float | None = None,
    clock: Clock | None = None,
    thread: bool = False,
) -> Polled[R]:
    """Keep a collection equal to what a function returns.

    The collection is "idle" until the source is entered (`async with`), or `collection.preload()` or a refetch is called;
    make it with `ready=False`, so that queries wait for the first rows.

    Args:
        collection: what to fill.
        read: returns all rows, or None if nothing has changed; plain or async.
        every: seconds between reads; None reads once, and again when `refetch()` is called.
        clock: what measures them; the event loop by default.
        thread: whether a plain function that blocks is called in a worker thread.

    >>> from dataflow import Collection
    >>> people = Collection("people", key="id", ready=False)
    >>> source = polled(people, lambda: [{"id": 1, "name": "Ada"}])
    >>> people.status, source.refetch_now(), people.status, people.rows()
    ('idle', None, 'ready', [{'id': 1, 'name': 'Ada'}])
    """
    return Polled(collection, read, every=every, clock=clock, thread=thread)
