"""The outbox: optimistic actions that survive being offline, and the process.

    outbox = Outbox("sqlite:///outbox.db")

    @outbox.action("rename", on_mutate=show, key=lambda todo, text: todo)
    async def rename(delivery: Delivery, todo: str, text: str) -> None:
        await api.post(..., headers={"Idempotency-Key": delivery.idempotency_key})

    async with outbox:              # what was left over is shown again, and sent
        rename("t1", "milk")        # shown and written down when it returns; sent when that works

Law      a call whose action returned is sent at least once, whatever happens to the process, until it is confirmed or has failed for
         good. Each attempt carries the same idempotency key: a server that looks at it makes that exactly one effect.
Order    calls with equal `key` are sent one after the other, in the order of the calls; others do not wait for them. Without `key`
         there is one order for all calls of the outbox.
Retries  any exception is tried again, later and later (`Retry`), but `NonRetriableError`: it fails the transaction, and what was
         shown is taken back. The calls behind it are sent all the same.
Restart  actions are found by name, so names stay what they are; `on_mutate` runs again to show what is left over, over the rows that
         are there by then. Where it refuses, because its effect came back already, the call is sent without being shown.
Edges    an action belongs to no batch and no other transaction: it is one by itself
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import uuid
from collections import deque
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self

from dataflow.collection.batch import current_batch
from dataflow.collection.loop import (
    is_loop_running,
    needs_loop,
    require_callable,
    require_plain,
)
from dataflow.errors import CollectionError, NonRetriableError, StorageError, near
from dataflow.io.awaiting import result_of
from dataflow.io.clock import clock_or_loop
from dataflow.io.outbox_action import Delivery, Letter, OutboxAction
from dataflow.io.outbox_file import Call, OutboxFile
from dataflow.io.retry import Retry
from dataflow.io.statistics import OutboxStatistics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from types import TracebackType

    from dataflow.collection.transaction import Transaction
    from dataflow.io.clock import Clock
    from dataflow.io.sqlite_file import Connect

P = ParamSpec("P")

logger = logging.getLogger("dataflow")


class Outbox:
    """Calls that wait to be sent, kept in a SQLite file.

    Args:
        location: `sqlite:///relative.db`, `sqlite:////absolute.db`, or a path. One process at a time can open it.
        retry: when failed attempts are repeated.
        clock: measures the time; the event loop by default.
        connect: how the file is opened.

    Raises:
        StorageError: if the file cannot be opened, is in use, damaged, or no outbox.
    """

    def __init__(
        self,
        location: str | Path,
        *,
        retry: Retry | None = None,
        clock: Clock | None = None,
        connect: Connect = sqlite3.connect,
    ) -> None:
        self._retry = retry or Retry()
        self._clock = clock
        self._file = OutboxFile(location, connect=connect)
        self._left_over = self._file.calls()
        self._actions: dict[str, OutboxAction[...]] = {}
        self._lanes: dict[str, deque[Letter]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pauses: set[asyncio.Event] = set()  # set to try again at once
        self._is_started = False
        self._closed = False
        self._attempts = self._confirmed = self._failed = 0

    # -- actions -----------------------------------------------------------------------------------------------------

    def action(
        self, name: str, *, on_mutate: Callable[P, object], key: Callable[P, object] | None = None
    ) -> Callable[
        [Callable[Concatenate[Delivery, P], Awaitable[object] | object]], OutboxAction[P]
    ]:
        """Make an action of the function that sends: it gets the delivery, then the arguments of the call.

        Args:
            name: finds the function after a restart.
            on_mutate: mutates collections, with the arguments of the call; a plain function.
            key: calls for which it answers equal values are sent in order; a scalar or a tuple of scalars.

        Raises:
            CollectionError: if the name is taken, or something is no function that can be called like this.
        """
        if name in self._actions:
            raise CollectionError(f"the outbox has an action {name!r} already")
        require_plain(on_mutate, f"on_mutate of outbox action {name!r}")
        if key is not None:
            require_plain(key, f"key of outbox action {name!r}")

        def make(
            send: Callable[Concatenate[Delivery, P], Awaitable[object] | object],
        ) -> OutboxAction[P]:
            require_callable(send, f"what sends outbox action {name!r}")
            made = OutboxAction(self._take, name, on_mutate, key, send)
            self._actions[name] = made
            return made

        return make

    @property
    def waiting(self) -> list[Call]:
        """The calls that are not confirmed, in the order in which they were made, with what they failed on last."""
        calls = [letter.call for lane in self._lanes.values() for letter in lane]
        return sorted([*self._left_over, *calls], key=lambda call: call.number)

    def statistics(self) -> OutboxStatistics:
        """Return a snapshot of counters."""
        waiting = len(self._left_over) + sum(map(len, self._lanes.values()))
        return OutboxStatistics(waiting, self._attempts, self._confirmed, self._failed)

    def _take(
        self, action: OutboxAction[...], lane: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Transaction:
        """Show a call, write it down and send it when its turn comes."""
        self._check_open()
        if not is_loop_running():
            raise needs_loop(f"the outbox action {action.name!r}")
        if current_batch() is not None:
            raise CollectionError(
                f"outbox action {action.name!r} called inside a batch or a mutate block"
            )
        if self._left_over:
            raise CollectionError(
                f"outbox action {action.name!r} called before start(): {len(self._left_over)} earlier calls are left over"
            )
        letter = Letter(action)
        call: Call | None = None
        try:
            with letter.transaction:
                action.on_mutate(*args, **kwargs)
                call = self._file.add(action.name, lane, args, kwargs, uuid.uuid4().hex)
        finally:  # whatever subscribers raise
            if call is not None:
                self._post(letter, call)
        return letter.transaction

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Show what an earlier process left over, and begin to send. Repeated calls do nothing.

        The collections should have their rows by now.

        Raises:
            CollectionError: if a call is left over for an action that does not exist; nothing has been shown then.
        """
        self._check_open()
        if self._is_started:
            return
        for call in self._left_over:
            if call.name not in self._actions:
                error = CollectionError(
                    f"a call is left over for the action {call.name!r}{near(call.name, self._actions)}, which the outbox does not have"
                )
                error.add_note(
                    "keep the name of an action, or drop its calls with outbox.discard(call)"
                )
                raise error
        self._is_started = True
        left_over, self._left_over = self._left_over, []
        for call in left_over:
            self._restore(call)
        for lane in self._lanes:
            self._run(lane)

    def _restore(self, call: Call) -> None:
        action = self._actions[call.name]
        letter = Letter(action)
        try:
            with letter.transaction:
                action.on_mutate(*call.args, **call.kwargs)
        except Exception as error:  # noqa: BLE001 - the call has been made: it is sent without being shown
            logger.info(
                "call %d of outbox action %r is sent unseen: %s", call.number, call.name, error
            )
        self._post(letter, call)

    def discard(self, call: Call) -> None:
        """Drop a call that is left over from an earlier process, before `start`.

        Raises:
            CollectionError: if it is not among those.
        """
        if call not in self._left_over:
            raise CollectionError(f"call {call.number} of {call.name!r} is not left over")
        self._file.remove(call)
        self._left_over.remove(call)

    def retry_now(self) -> None:
        """Try again at once what waits after a failure: the network is back."""
        for pause in self._pauses:
            pause.set()

    async def close(self) -> None:
        """Stop sending and close the file; what is not confirmed stays in it. Closing twice is allowed.

        The transactions of those calls fail, with an error that says so.
        """
        if self._closed:
            return
        self._closed = True
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for lane in self._lanes.values():
            for letter in lane:
                await letter.keep()
        self._file.close()

    async def __aenter__(self) -> Self:
        try:
            self.start()
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

    def _check_open(self) -> None:
        if self._closed:
            raise CollectionError("the outbox is closed")

    # -- sending -----------------------------------------------------------------------------------------------------

    def _post(self, letter: Letter, call: Call) -> None:
        letter.call = call
        if letter.transaction.state == "pending":  # else a subscriber has rolled it back
            letter.transaction.commit()
        self._lanes.setdefault(call.lane, deque()).append(letter)
        if self._is_started:
            self._run(call.lane)

    def _run(self, lane: str) -> None:
        if lane not in self._tasks:
            loop = asyncio.get_running_loop()
            self._tasks[lane] = loop.create_task(self._send_all(lane), name=f"outbox {lane}")

    async def _send_all(self, lane: str) -> None:
        """Send the calls of a lane, one after the other."""
        letters = self._lanes[lane]
        try:
            while letters:
                await self._send(letters[0])
                letters.popleft()
        finally:
            del self._tasks[lane]
        del self._lanes[lane]

    async def _send(self, letter: Letter) -> None:
        """Try until a call is confirmed, has failed for good, or has been rolled back."""
        while not letter.is_settled:
            attempt = letter.call.attempts + 1
            try:
                await self._attempt(letter, attempt)
            except StorageError:
                logger.exception(
                    "the outbox cannot write what has become of a call, and sends it again"
                )
            if not letter.is_settled:
                await self._pause(self._retry.delay(attempt))

    async def _attempt(self, letter: Letter, attempt: int) -> None:
        """Send a call once, and note what became of it; one that was rolled back is not sent."""
        call = letter.call
        if letter.transaction.state == "failed":
            self._file.remove(call)
            self._failed += 1
            letter.confirm()
            return
        self._attempts += 1
        delivery = Delivery(idempotency_key=call.idempotency_key, attempt=attempt)
        try:
            await result_of(letter.action.send(delivery, *call.args, **call.kwargs))
        except Exception as error:  # noqa: BLE001 - whatever it is, it decides about the next attempt
            if isinstance(error, NonRetriableError) or self._retry.gives_up(attempt):
                self._file.remove(call)
                self._failed += 1
                letter.fail(error)
            else:
                letter.call = self._file.failed(call, error)
        else:
            self._file.remove(call)
            self._confirmed += 1
            letter.confirm()

    async def _pause(self, seconds: float) -> None:
        """Wait until it is time, or `retry_now` is called."""
        pause = asyncio.Event()
        timer = clock_or_loop(self._clock).call_later(seconds, pause.set)
        self._pauses.add(pause)
        try:
            await pause.wait()
        finally:
            self._pauses.discard(pause)
            timer.cancel()
