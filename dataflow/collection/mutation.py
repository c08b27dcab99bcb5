"""Mutations: what a transaction has done, as its mutation function sees it.

There is one per row: what a transaction does to a row in several steps is told as the one step it comes to.

    insert, update   ->  insert of the changed row        update, delete  ->  delete
    insert, delete   ->  nothing                          delete, insert  ->  update, with the fields that differ
    update, update   ->  update with the fields of both
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dataflow.collection.overlay import Delete, Operation, Patch, Put
from dataflow.values.equality import equal
from dataflow.values.normal import expose
from dataflow.values.row import adapter_for_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dataflow.collection.batch import Batch
    from dataflow.collection.changes import Op
    from dataflow.collection.overlay import Author


class Mutated(Protocol):
    """A collection, as its transactions see it."""

    @property
    def is_local(self) -> bool:
        """Whether what is completed here becomes the synced row: nobody else will say what that is."""
        ...

    def authors(self, key: Any) -> Iterable[Author]:
        """Return the transactions that have something pending on a row."""
        ...

    def replace(self, row: Any, changes: Mapping[str, Any]) -> Any:
        """Return a row with other fields."""
        ...

    def stage(self, batch: Batch, key: Any, author: Author) -> None:
        """Let the overlay look at a transaction again when a batch is published."""
        ...


class Mutation(NamedTuple):
    """One row that a transaction inserts, updates or deletes.

    Attributes:
        collection: where.
        op: "insert", "update" or "delete".
        key: the row's key.
        value: the row as it should be; on delete the row that goes away.
        old: the visible row before the transaction changed it, None on insert.
        changes: the fields that an update sets; empty on insert and delete.
    """

    collection: Any
    op: Op
    key: Any
    value: Any
    old: Any
    changes: Mapping[str, Any]


class Entry(NamedTuple):
    """What a transaction does to one row.

    Attributes:
        collection: where.
        key: the row's key, in normal form.
        operation: for the overlay.
        old: the visible row before.
        value: the row that was to be seen afterwards, None after a delete.
    """

    collection: Mutated
    key: Any
    operation: Operation
    old: Any
    value: Any

    def mutation(self) -> Mutation:
        """Return it as mutation functions see it."""
        collection, key, old = self.collection, expose(self.key), self.old
        match self.operation:
            case Put(row=row) if old is None:
                return Mutation(collection, "insert", key, row, None, {})
            case Put(row=row):
                return Mutation(collection, "update", key, row, old, _difference(old, row))
            case Patch(changes=changes):
                return Mutation(collection, "update", key, self.value, old, dict(changes))
            case Delete():
                return Mutation(collection, "delete", key, old, old, {})


def _difference(old: Any, new: Any) -> dict[str, Any]:
    """Return the fields that make one row of another; None where a field is gone."""
    before, after = adapter_for_row(old).as_dict(old), adapter_for_row(new).as_dict(new)
    return {
        name: after.get(name)
        for name in (before | after)
        if not equal(before.get(name), after.get(name))
    }
