"""Paced mutations: shown at once, persisted at a pace.

    debounce   when nothing more has come for a while: typing in a field
    throttle   at most once in a while: dragging a slider
    queue      one after the other, each call for itself: steps that build on each other

Law      whatever the pace, one transaction is persisted at a time, in the order of the calls, so a slow one is never overtaken
Merging  debounce and throttle: calls join the transaction that is waiting, so that it has one mutation per row; queue: a
         transaction per call
Errors   a call that is not taken raises `PacingError` and shows nothing: "dropped" inside the window when there is no trailing
         edge, "full" when a bounded queue is, "closed" after the end. A transaction that fails takes along the waiting ones on its
         rows, as everywhere.
Time     seconds of `clock`, the event loop by default; a plain mutation function and a clock of one's own need no loop
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Self

from dataflow.collection.batch import current_batch
from dataflow.collection.loop import require_callable, require_loop, require_plain
from dataflow.collection.transaction import MutationFn, Transaction
from dataflow.errors import PacingError
from dataflow.io.clock import clock_or_loop
from dataflow.io.statistics import PacedStatistics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from dataflow.io.clock import Clock, Timer

P = ParamSpec("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When transactions are persisted; made by `debounce`, `throttle` and `queue`.

    Attributes:
        wait: length of a window, in seconds.
        merges: whether calls join the waiting transaction.
        restarts: whether a call begins the window anew.
        leading: whether the first call is persisted at once.
        trailing: whether calls inside the window are persisted at its end.
        max_size: how many transactions may wait, or None.
    """

    wait: float
    merges: bool = True
    restarts: bool = False
    leading: bool = False
    trailing: bool = True
    max_size: int | None = None

    def __post_init__(self) -> None:
        if self.wait < 0 or not (self.leading or self.trailing):
            raise ValueError("a pace needs a wait of 0 or more, and a leading or a trailing edge")
        if self.max_size is not None and self.max_size < 1:
            raise ValueError("a queue has room for at least 1")


def debounce(wait: float, *, leading: bool = False, trailing: bool = True) -> Pace:
    """Persist when no call has come for `wait` seconds; with `leading` also the first call at once."""
    return Pace(wait=wait, restarts=True, leading=leading, trailing=trailing)


def throttle(wait: float, *, leading: bool = True, trailing: bool = True) -> Pace:
    """Persist at most once in `wait` seconds: the first call at once, those that follow at the end of the window."""
    return Pace(wait=wait, leading=leading, trailing=trailing)


def queue(*, wait: float = 0.0, max_size: int | None = None) -> Pace:
    """Persist every call for itself, one after the other, at least `wait` seconds between their starts."""
    return Pace(wait=wait, merges=False, max_size=max_size)


class Paced(Generic[P]):
    """A function whose mutations are persisted at a pace; made by `paced`.

    Leaving its `async with` persists what waits, and takes no more calls.
    """

    def __init__(
        self,
        on_mutate: Callable[P, object],
        mutation_fn: MutationFn,
        pace: Pace,
        clock: Clock | None,
    ) -> None:
        self._on_mutate = on_mutate
        self._mutation_fn = mutation_fn
        self._pace = pace
        self._clock = clock
        self._open: Transaction | None = None  # that calls join
        self._due: deque[Transaction] = deque()  # waiting for their turn
        self._running: Transaction | None = None
        self._window: Timer | None = None
        self._not_before = float("-inf")  # a queue: when the next one may start
        self._hurries = False
        self._closed = False
        self._persisted = self._refused = 0
        self._idle: list[asyncio.Future[None]] = []

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Transaction:
        """Show the mutations at once; return the transaction that will persist them, perhaps with those of other calls.

        Raises:
            PacingError: if the call is not taken; nothing has been shown then.
            Exception: what `on_mutate` raised; nothing has been shown then.
        """
        require_loop(self._mutation_fn, "the mutation function of a paced mutation")
        clock = clock_or_loop(self._clock)
        try:
            self._check_taken()
        except PacingError:
            self._refused += 1
            raise
        found = self._open
        joins = found is not None and found.state == "pending"
        transaction = (
            found if found is not None and joins else Transaction(mutation_fn=self._persist)
        )
        around = current_batch()
        if around is not None and not joins:
            around.on_discard(partial(self._forget, transaction))
        is_shown = False
        try:
            with transaction:
                self._on_mutate(*args, **kwargs)
                is_shown = True
        finally:  # whatever subscribers raise
            if is_shown:
                self._take(transaction, clock, joins=joins)
        return transaction

    def _take(self, transaction: Transaction, clock: Clock, *, joins: bool) -> None:
        """See to it that a transaction is persisted when it is time."""
        pace = self._pace
        if not pace.merges or (self._window is None and pace.leading and not joins):
            self._due.append(transaction)
        if pace.merges:
            self._open = transaction
            if self._window is None or pace.restarts:
                self._begin_window(clock)
        self._pump()

    def _forget(self, transaction: Transaction) -> None:
        """Let a transaction go, because the batch that it was shown in was discarded."""
        transaction.discard()
        if transaction in self._due:
            self._due.remove(transaction)
        if transaction is self._open:
            self._open = None

    def statistics(self) -> PacedStatistics:
        """Return a snapshot of counters."""
        waiting = {*self._due} if self._open is None else {*self._due, self._open}
        return PacedStatistics(len(waiting), self._persisted, self._refused)

    def flush(self) -> None:
        """Persist what waits now, one after the other, without regard to time."""
        self._end_window()
        self._hurries = True
        self._pump()

    async def drain(self) -> None:
        """`flush`, and wait until nothing is left to persist. What failed raises where its transaction is awaited."""
        self.flush()
        while self._running is not None or self._due:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._idle.append(future)
            await future

    def close(self) -> None:
        """Take no more calls, and roll back what waits; what is being persisted goes on. Closing twice is allowed."""
        self._closed = True
        self._end_window()
        waiting, self._due = [*self._due], deque()
        for transaction in waiting:
            if transaction.state == "pending":
                transaction.rollback()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            await self.drain()
        self.close()

    # -- windows -----------------------------------------------------------------------------------------------------

    def _check_taken(self) -> None:
        pace = self._pace
        if self._closed:
            raise PacingError("this paced mutation is closed", reason="closed")
        if not pace.trailing and self._window is not None:
            if pace.restarts:
                self._begin_window(clock_or_loop(self._clock))
            raise PacingError("dropped: an earlier call was just persisted", reason="dropped")
        if pace.max_size is not None and len(self._due) >= pace.max_size:
            raise PacingError(f"the queue is full: {pace.max_size} are waiting", reason="full")

    def _begin_window(self, clock: Clock) -> None:
        if self._window is not None:
            self._window.cancel()
        self._window = clock.call_later(self._pace.wait, self._window_over)

    def _window_over(self) -> None:
        waited = self._open is not None and self._open not in self._due
        self._end_window()
        if waited and not self._pace.restarts:  # a throttle: what comes next waits again
            self._begin_window(clock_or_loop(self._clock))
        self._pump()

    def _end_window(self) -> None:
        """End the window, so that what calls have joined is due."""
        if self._window is not None:
            self._window.cancel()
            self._window = None
        if self._open is not None and self._open not in self._due:
            self._due.append(self._open)

    # -- persisting --------------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Persist what is due, as long as nothing is being persisted; inside a batch, when it has been published.

        Raises:
            ExceptionGroup: what subscribers raised; everything else has been done.
        """
        around = current_batch()
        if around is not None:
            around.on_published(self._pump)
            return
        raised: list[Exception] = []
        while self._due and self._running is None:
            if not self._hurries and not self._pace.merges and self._waits():
                break
            transaction = self._due.popleft()
            if transaction is self._open:
                self._open = None
            if transaction.state == "pending":  # else it was rolled back
                try:
                    self._start(transaction)
                except ExceptionGroup as group:
                    raised.extend(group.exceptions)
        if not self._due:
            self._hurries = False
        if self._running is None and not self._due:
            self._wake_idle()
        if raised:
            raise ExceptionGroup("subscribers raised", raised)

    def _wake_idle(self) -> None:
        """Let those go on who wait until nothing is left."""
        idle, self._idle = self._idle, []
        for future in idle:
            if not future.done():
                future.set_result(None)

    def _waits(self) -> bool:
        """Tell whether a queue has to wait; a timer goes on then."""
        clock = clock_or_loop(self._clock)
        left = self._not_before - clock.time()
        if left <= 0:
            return False
        if self._window is None:
            self._window = clock.call_later(left, self._window_over)
        return True

    def _start(self, transaction: Transaction) -> None:
        self._not_before = clock_or_loop(self._clock).time() + self._pace.wait
        self._running = transaction
        self._persisted += 1
        try:
            transaction.commit()
        finally:
            if transaction.state != "persisting":
                self._running = None

    def _persist(self, transaction: Transaction) -> Awaitable[object] | object:
        result = self._mutation_fn(transaction)
        return self._followed(result) if isawaitable(result) else result

    async def _followed(self, result: Awaitable[Any]) -> None:
        try:
            await result
        finally:
            loop = asyncio.get_running_loop()
            loop.call_soon(self._over)  # when the transaction has been settled

    def _over(self) -> None:
        self._running = None
        self._pump()


def paced(
    *,
    on_mutate: Callable[P, object],
    mutation_fn: MutationFn,
    pace: Pace,
    clock: Clock | None = None,
) -> Paced[P]:
    """Make a function that shows its mutations at once and persists them at a pace.

    Args:
        on_mutate: mutates collections; a plain function. If it raises, nothing is shown.
        mutation_fn: called with a transaction, whose `mutations` are those of one or several calls; plain or async.
        pace: `debounce(...)`, `throttle(...)` or `queue(...)`.
        clock: measures the time; the event loop by default.

    Raises:
        CollectionError: if one of the functions cannot be called.

    >>> from dataflow import Collection
    >>> from dataflow.testing import ManualClock
    >>> clock, notes = ManualClock(), Collection("notes", key="id", on_update=print)
    >>> with notes.sync() as write:
    ...     write.insert({"id": 1, "text": ""})
    >>> def type_text(text: str) -> None:
    ...     notes.update(1, text=text)
    >>> save = paced(
    ...     on_mutate=type_text,
    ...     mutation_fn=lambda tx: print("saved", tx.mutations[0].changes),
    ...     pace=debounce(0.5),
    ...     clock=clock,
    ... )
    >>> save("h") is save("he"), notes[1]["text"]
    (True, 'he')
    >>> clock.advance(0.5)
    saved {'text': 'he'}
    """
    require_plain(on_mutate, "on_mutate of a paced mutation")
    require_callable(mutation_fn, "mutation_fn of a paced mutation")
    return Paced(on_mutate, mutation_fn, pace, clock)
