"""Handlers: the functions that carry mutations to wherever the truth is.

A handler, like the mutation function of a transaction, is called with the transaction once its mutations are visible. What it
raises, or its awaitable raises, rolls the transaction back. A collection without any handler is local: it is the truth itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataflow.collection.batch import current_batch
from dataflow.collection.loop import require_callable, require_loop
from dataflow.collection.transaction import MutationFn, Transaction
from dataflow.errors import CollectionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.collection.changes import Op


@dataclass(frozen=True, slots=True, kw_only=True)
class Handlers:
    """The handlers of a collection."""

    insert: MutationFn | None = None
    update: MutationFn | None = None
    delete: MutationFn | None = None

    def __post_init__(self) -> None:
        for op in ("insert", "update", "delete"):
            handler = getattr(self, op)
            if handler is not None:
                require_callable(handler, f"on_{op} of a collection")

    def __bool__(self) -> bool:
        return not (self.insert is self.update is self.delete is None)

    def of(self, op: Op, owner: object) -> MutationFn | None:
        """Return the handler of an operation; None if the collection is local.

        Raises:
            CollectionError: the collection has handlers, but not this one.
        """
        if not self:
            return None
        found: MutationFn | None = getattr(self, op)
        if found is None:
            error = CollectionError(f"{owner} has no handler for {op}")
            error.add_note(f"give it on_{op}=, or mutate it inside a Transaction or an action")
            raise error
        return found


def transact(
    op: Op, owner: object, handlers: Handlers, record: Callable[[Transaction], None]
) -> Transaction:
    """Record mutations with the transaction whose block is open, or with one of their own, which is committed at once.

    Args:
        op: what is done; decides which handler is called.
        owner: the collection, for errors.
        handlers: its handlers.
        record: calls `Transaction.record`; if it raises, nothing has happened.
    """
    current = current_batch()
    around = None if current is None else current.transaction
    if around is not None:
        assert isinstance(around, Transaction)
        with around:
            record(around)
        return around
    handler = handlers.of(op, owner)
    if handler is None:
        return _confirmed(record)
    require_loop(handler, f"on_{op} of {owner}")
    made = Transaction(mutation_fn=handler)
    with made:
        if current is not None:
            current.on_discard(made.discard)
        record(made)
        made.commit()  # when it is visible, even if a subscriber raises then
    return made


def _confirmed(record: Callable[[Transaction], None]) -> Transaction:
    """Return a transaction that was completed by the collection itself."""
    made = Transaction(mutation_fn=_nobody)
    with made:
        record(made)
        made.confirm()
    return made


def _nobody(transaction: Transaction) -> None:
    """Stand in for the mutation function of a local collection, which is never called."""
