"""Group commit: all who wait to write share one transaction, and one wait for the disk.

A thread takes what has gathered while the last transaction was being synced, runs it job by job, and
commits once. Nobody hears of a job before the commit that holds it has returned. Each job stands in a
savepoint: one that is rejected keeps what it did, one that fails otherwise is undone, and neither
touches the others. If the commit itself fails, all its jobs have failed and nothing is kept.

State      One thread, and the jobs that wait.
Cost       One commit per turn, however many jobs: under load, writes per second grow with the number of
           writers while commits per second stay.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final, TypeVar

from stateschema.errors import StreamError
from stateschema.stream.protocol.rejection import RejectedError

T = TypeVar("T")

MAX_JOBS: Final = 1000
"""How many jobs share a commit at most."""

_log = logging.getLogger("stateschema.server")


@dataclass(slots=True)
class _Job:
    work: Callable[[], Any]
    future: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None


class Commits:
    """Runs jobs in transactions, in the order they come, in a thread of its own.

    Args:
        execute: Runs a statement on the connection that the jobs write to.
        wake: Called in the thread of the loop with each stream that a commit has changed.
    """

    def __init__(self, execute: Callable[[str], object], wake: Callable[[int], object]) -> None:
        self._execute = execute
        self._wake = wake
        self._changed: dict[int, None] = {}
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self.is_closed = False
        self._thread = Thread(target=self._run, name="stream-commits", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[], T]) -> T:
        """Run a job, and return what it returned once that is durable.

        Raises:
            RejectedError: The job was rejected, or no jobs are taken any more.
            StreamError: It could not be made durable; nothing of it is kept.
        """
        if self.is_closed:
            raise RejectedError(503, "shutting-down", "the store is closed")
        future = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(work, future))
        result: T = await future
        return result

    def changed(self, stream: int) -> None:
        """Note that the job that runs changes a stream; to be called by the job."""
        self._changed[stream] = None

    async def close(self) -> None:
        """Take no more jobs, and wait for those that were taken; idempotent."""
        if not self.is_closed:
            self.is_closed = True
            self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        is_open = True
        while is_open:
            jobs, is_open = self._gather()
            if jobs:
                self._commit(jobs)
                self._deliver(jobs)

    def _gather(self) -> tuple[list[_Job], bool]:
        """Return what is there, at least one job, and whether more can come."""
        jobs: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            jobs.append(job)
            try:
                job = self._jobs.get_nowait() if len(jobs) < MAX_JOBS else None
            except Empty:
                return jobs, True
            if len(jobs) == MAX_JOBS:
                return jobs, True
        return jobs, False

    def _commit(self, jobs: list[_Job]) -> None:
        try:
            self._execute("BEGIN IMMEDIATE")
            for job in jobs:
                self._work(job)
            self._execute("COMMIT")
        except sqlite3.Error as error:
            _log.exception("a commit failed")
            try:
                self._execute("ROLLBACK")
            except sqlite3.Error:
                _log.warning("there was nothing to roll back")
            self._changed = {}
            for job in jobs:
                job.error = StreamError(f"the write could not be made durable: {error}")

    def _work(self, job: _Job) -> None:
        self._execute("SAVEPOINT job")
        try:
            job.result = job.work()
        except RejectedError as error:
            job.error = error
        except Exception as error:  # noqa: BLE001 - it is the waiter's, not this thread's
            job.error = error
            self._execute("ROLLBACK TO job")
        self._execute("RELEASE job")

    def _deliver(self, jobs: list[_Job]) -> None:
        changed, self._changed = self._changed, {}
        loop = jobs[0].future.get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._resolve, jobs, changed)

    def _resolve(self, jobs: Iterable[_Job], changed: Iterable[int]) -> None:
        for stream in changed:
            self._wake(stream)
        for job in jobs:
            if job.future.cancelled():
                continue
            if job.error is None:
                job.future.set_result(job.result)
            else:
                job.future.set_exception(job.error)
