"""Transactions: optimistic mutations that succeed or fail together.

    pending ──commit──▶ persisting ──the mutation function returns──▶ completed
       │                    │
       └────── rollback, or the function raises ──────▶ failed

Law     what a transaction does is visible from the end of its mutate block until it is completed or failed
Epochs  a mutate block is one, settling is one: dropping the overlay, together with that of every transaction that fails along
Rules   a rollback fails the other pending transactions on the same rows, and those on theirs: they were made over rows that
        turn out not to be. Those that are persisting already go their own way; the overlay is per field, so nothing that
        failed shows through them.
Edges   a block that raises takes back what it did, and the transaction stays pending. Inside `batch()` mutations show, and
        mutation functions are called, when the batch ends. A failed transaction whose error nobody has asked for is logged
        when it is let go, as asyncio does.

asyncio is imported by the functions that wait, and to run a mutation function that is async.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable, iscoroutine
from itertools import count
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from dataflow.callables import is_async
from dataflow.circuit.graph import current_graph
from dataflow.collection.batch import Batch, batch, current_batch
from dataflow.collection.loop import (
    is_loop_running,
    needs_loop,
    require_callable,
    require_run,
    start,
    wake,
)
from dataflow.collection.mutation import Entry, Mutation
from dataflow.collection.overlay import Operation, State, merge
from dataflow.errors import TransactionError

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Generator, Iterable
    from contextlib import AbstractContextManager
    from types import TracebackType

    from dataflow.collection.mutation import Mutated

MutationFn: TypeAlias = Callable[["Transaction"], Awaitable[object] | object]
"""Gets the transaction and persists its mutations; plain or async."""

logger = logging.getLogger("dataflow")

_numbers = count(1)


class Transaction:
    """Mutations that are shown at once, persisted by a function, and taken back if that fails.

    Args:
        mutation_fn: called by `commit` with the transaction; plain or async. It persists `mutations`, and should not return
            before the synced rows are there: the overlay goes when it returns.

    Attributes:
        number: counts transactions in the order in which they are made, in which their mutations lie over each other.

    >>> from dataflow import Collection
    >>> todos = Collection("todos", key="id")
    >>> tx = Transaction(mutation_fn=lambda tx: print([m.op for m in tx.mutations]))
    >>> with tx:
    ...     _ = todos.insert({"id": 1, "text": "write"})
    >>> tx.state, todos[1]["text"]
    ('pending', 'write')
    >>> tx.commit().state
    ['insert']
    'completed'
    """

    _is_noticed: bool = True  # whether somebody knows of the failure
    _has_work: bool = False  # whether there is something to wait for without mutations, too

    def __init__(self, *, mutation_fn: MutationFn) -> None:
        require_callable(mutation_fn, "mutation_fn of a transaction")
        self.number: int = next(_numbers)
        self._mutation_fn = mutation_fn
        self._is_async = is_async(mutation_fn)
        self._graph = current_graph()
        self._state: State = "pending"
        self._error: BaseException | None = None
        self._was_rolled_back = False  # not failed by itself; the error says so
        self._entries: dict[tuple[int, Any], Entry] = {}
        self._blocks: list[tuple[AbstractContextManager[None], Batch, object, int]] = []
        self._staying: set[tuple[int, Any]] = set()  # what becomes synced, now that it is completed
        self._waiters: dict[Future[None], None] = {}

    # -- looking at it -------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """`pending`, `persisting`, `completed` or `failed`."""
        return self._state

    @property
    def error(self) -> BaseException | None:
        """Why it failed: what the mutation function raised, or a TransactionError about a rollback; None if it did not."""
        self._is_noticed = True
        return self._error

    @property
    def mutations(self) -> list[Mutation]:
        """What it does, one mutation per row, in the order in which the rows were first changed."""
        return [entry.mutation() for entry in self._entries.values()]

    def __repr__(self) -> str:
        return f"<Transaction {self.number} {self._state}>"

    def __str__(self) -> str:
        return f"transaction {self.number}"

    def operation(self, collection: object, key: Any) -> Operation | None:
        """Return what it does to a row, for the overlay: nothing once it has failed, or is completed and does not stay."""
        entry, state = self._entries.get(place := (id(collection), key)), self._state
        is_shown = place in self._staying if state == "completed" else state != "failed"
        return entry.operation if entry is not None and is_shown else None

    def accepted(self, collection: object, key: Any) -> None:
        """Take note that what it does to a row has become the synced row."""
        self._staying.remove((id(collection), key))

    # -- mutating ------------------------------------------------------------------------------------------------------

    def mutate(self) -> Self:
        """Return what opens a mutate block: `with tx.mutate():`, or `with tx:` for short.

        The mutations made inside, of whatever collections, belong to the transaction and show up together at the end.
        """
        return self

    def __enter__(self) -> Self:
        self._check("mutated")
        self._graph.refuse_while_stepping("write to a collection")
        self._require_loop()
        (opened := batch()).__enter__()
        current = current_batch()
        assert current is not None
        self._blocks.append((opened, current, current.transaction, current.mark))
        current.transaction = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        opened, current, around, mark = self._blocks.pop()
        current.transaction = around
        if kind is not None:
            current.take_back(mark)
        opened.__exit__(kind, error, traceback)

    def record(
        self, collection: Mutated, key: Any, operation: Operation, *, before: Any, after: Any
    ) -> None:
        """Add a mutation; called by collections, inside a mutate block.

        Args:
            collection: where.
            key: which row, in normal form.
            operation: what is done.
            before: the row as the block sees it, None for no row.
            after: the row as the block sees it from now on.
        """
        self._check("mutated")
        _, current, _, _ = self._blocks[-1]
        place = (id(collection), key)
        earlier = self._entries.get(place)
        old = before if earlier is None else earlier.old
        merged = merge(
            earlier and earlier.operation,
            operation,
            was_there=old is not None,
            replace=collection.replace,
        )
        if merged is None:
            del self._entries[place]
        else:
            self._entries[place] = Entry(collection, key, merged, old, after)
        current.on_discard(partial(self._restore, place, earlier))
        collection.stage(current, key, self)

    def _restore(self, place: tuple[int, Any], entry: Entry | None) -> None:
        if entry is None:
            self._entries.pop(place, None)
        else:
            self._entries[place] = entry

    # -- persisting ----------------------------------------------------------------------------------------------------

    def commit(self) -> Self:
        """Call the mutation function, and be completed when it returns; `await` waits for that.

        Without mutations there is nothing to call. Inside a batch, or the transaction's own mutate block, the call waits until
        what is staged has been published.

        Returns:
            The transaction.

        Raises:
            TransactionError: if it is not pending.
            CollectionError: if the function is async and no event loop is running.
        """
        self._check("committed")
        self._require_loop()
        current = current_batch()
        if current is None:
            self._persist()
        else:
            current.on_published(self._persist)
        return self

    def rollback(self) -> None:
        """Take everything back, and fail every other pending transaction on the same rows.

        A mutation function that is running is not stopped; what it does from then on no longer concerns the transaction.
        Rolling back a failed transaction does nothing.

        Raises:
            TransactionError: if it is completed.
        """
        if self._state == "failed":
            return
        self._graph.check_thread(self)
        self._graph.refuse_while_stepping("roll back a transaction")
        if self._state == "completed":
            raise TransactionError(f"{self} is completed: it cannot be rolled back")
        self._was_rolled_back = True
        self._fail(TransactionError(f"{self} was rolled back"))
        self._is_noticed = True  # by whoever called

    def _require_loop(self) -> None:
        if self._is_async and not is_loop_running():
            raise needs_loop(f"the mutation function of {self}")

    def _persist(self) -> None:
        if self._state != "pending":
            return  # it was rolled back while a batch was open
        if not (self._entries or self._has_work):
            self._settle("completed")
            return
        self._state = "persisting"
        try:
            result = self._mutation_fn(self)
            require_run(result, f"the mutation function of {self}")
        except BaseException as error:
            self._fail(error)
            if not isinstance(error, Exception):
                raise
            return
        if isawaitable(result):
            self._follow(result)
        else:
            self._settle("completed")

    def _follow(self, result: Awaitable[object]) -> None:
        """Be settled when an awaitable is."""
        if is_loop_running():
            start(self._await(result))
            return
        if iscoroutine(result):
            result.close()
        self._fail(error := needs_loop(f"the mutation function of {self}"))
        raise error

    async def _await(self, result: Awaitable[object]) -> None:
        try:
            try:
                await result
            except BaseException as error:
                self._fail(error)
                if not isinstance(error, Exception):
                    raise
            else:
                self._settle("completed")
        except ExceptionGroup:
            logger.exception("subscribers raised when %s was settled", self)

    # -- settling ------------------------------------------------------------------------------------------------------

    def confirm(self) -> None:
        """Be completed by the end of the open mutate block: there is nobody to ask. Called by collections."""
        _, current, _, _ = self._blocks[-1]
        self._state, self._staying = "completed", set(self._entries)
        current.on_discard(self.discard)

    def discard(self) -> None:
        """Fail, because the batch around was discarded; who left it by an exception knows."""
        self._state, self._was_rolled_back = "failed", True
        self._error = TransactionError(f"the batch around {self} was discarded")
        self.wake()

    def fail_with(self, other: Transaction, error: BaseException) -> None:
        """Fail, because another transaction on the same rows has."""
        self._state, self._was_rolled_back = "failed", True
        self._error = TransactionError(f"{self} was rolled back with {other}: {_reason(error)}")
        self._error.__cause__ = error
        self._is_noticed = False

    def entries(self) -> Iterable[Entry]:
        """Return what it does, row by row."""
        return self._entries.values()

    def wake(self) -> None:
        """Let those who await it look again."""
        for future in tuple(self._waiters):
            wake(future)

    def _fail(self, error: BaseException) -> None:
        if self._state not in ("pending", "persisting"):
            return  # it was rolled back while its mutation function ran
        rivals = self._rivals()
        for each in rivals:
            each.fail_with(self, error)
        self._error, self._is_noticed = error, False
        self._settle("failed", *rivals)

    def _rivals(self) -> list[Transaction]:
        """Return the other pending transactions on the same rows, and those on theirs."""
        found: dict[Transaction, None] = {self: None}
        rows: set[tuple[int, Any]] = set()
        for each in (queue := [self]):
            for entry in each.entries():
                place = (id(entry.collection), entry.key)
                authors = () if place in rows else entry.collection.authors(entry.key)
                rows.add(place)
                for author in authors:
                    if author.state == "pending" and author not in found:
                        assert isinstance(author, Transaction)
                        found[author] = None
                        queue.append(author)
        return queue[1:]

    def _settle(self, state: State, *others: Transaction) -> None:
        """Let the overlay go, in one epoch over all collections."""
        if self._state in ("completed", "failed"):
            return  # it was rolled back while its mutation function ran
        self._state = state
        if state == "completed":  # what is synced from now on does not change what stays
            self._staying = {at for at, entry in self._entries.items() if entry.collection.is_local}
        settling = Batch(self._graph)
        for each in (self, *others):
            for entry in each.entries():
                entry.collection.stage(settling, entry.key, each)
        try:
            settling.publish()
        finally:
            for each in (self, *others):
                each.wake()

    # -- waiting -------------------------------------------------------------------------------------------------------

    def __await__(self) -> Generator[Any, None, None]:
        return self._wait().__await__()

    async def _wait(self) -> None:
        """Wait until it is settled.

        Raises:
            TransactionError: if it failed; the cause is what the mutation function raised.
        """
        import asyncio

        if self._state in ("pending", "persisting"):
            future: Future[None] = asyncio.get_running_loop().create_future()
            self._waiters[future] = None
            try:
                await future
            finally:
                self._waiters.pop(future, None)
        error = self.error
        if error is None:
            return
        if self._was_rolled_back:
            raise TransactionError(str(error)) from error.__cause__
        raise TransactionError(f"{self} failed: {_reason(error)}") from error

    def __del__(self) -> None:
        if not self._is_noticed:
            logger.error("%s failed, and nobody awaited it", self, exc_info=self._error)

    def _check(self, what: str) -> None:
        self._graph.check_thread(self)
        if self._state != "pending":
            raise TransactionError(f"{self} is {self._state}: it can no longer be {what}")


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
