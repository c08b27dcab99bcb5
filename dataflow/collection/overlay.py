"""The overlay: what readers see of a row that transactions have changed and nobody has confirmed yet.

Law    visible == overlay(synced, pending): the operations of the open transactions on a row, applied to its synced row in the order
       in which the transactions were made
Rules  per field: a patch holds the fields that were assigned, nothing else, so a transaction that fails takes along exactly what
       it wrote. A patch on a missing row is invisible, and kept: the row may come back.

These are the pure functions; `layers` keeps the operations of a collection and applies them commit by commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Protocol, TypeAlias, assert_never

from dataflow.errors import CollectionError
from dataflow.frozen import frozen

State: TypeAlias = Literal["pending", "persisting", "completed", "failed"]
"""Where a transaction is."""

Replace: TypeAlias = Callable[[Any, Mapping[str, Any]], Any]
"""(row, changed fields) -> a new row."""


@frozen
class Put:
    """The row is this one."""

    row: Any


@frozen
class Patch:
    """The row has these fields, if there is a row."""

    changes: Mapping[str, Any]


@frozen
class Delete:
    """There is no row."""


Operation: TypeAlias = Put | Patch | Delete
"""What one transaction does to one row."""


def overlay(row: Any, operations: Iterable[Operation], replace: Replace) -> Any:
    """Return the visible row of a synced one under operations, oldest first; None stands for no row."""
    for operation in operations:
        row = under(row, operation, replace)
    return row


def under(row: Any, operation: Operation, replace: Replace) -> Any:
    """Return a row, or None for none, under one operation."""
    match operation:
        case Put(row=put):
            return put
        case Patch(changes=changes):
            return None if row is None else replace(row, changes)
        case Delete():
            return None
        case _:
            assert_never(operation)


def merge(
    earlier: Operation | None, later: Operation, *, was_there: bool, replace: Replace
) -> Operation | None:
    """Return the one operation that two of the same transaction on the same row come to, or None for no operation.

    Args:
        earlier: None if this is the first.
        later: what the transaction does now.
        was_there: whether the row was visible before the first of them.
        replace: makes rows with other fields.

    Raises:
        CollectionError: on a change of fields after a delete. The row that is seen then is that of a later transaction, beneath
            which nothing can be changed.
    """
    match earlier, later:
        case (Put(), Delete()) if not was_there:
            return None
        case (Put(row=row), Patch(changes=changes)):
            return Put(replace(row, changes))
        case (Patch(changes=before), Patch(changes=after)):
            return Patch({**before, **after})
        case (Delete(), Patch()):
            raise CollectionError("the row was deleted by the same transaction")
        case _:
            return later


class Author(Protocol):
    """A transaction, as the overlay sees it.

    Attributes:
        number: counts transactions in the order in which they were made.
    """

    number: int

    @property
    def state(self) -> State:
        """Where it is."""
        ...

    def operation(self, collection: object, key: Any) -> Operation | None:
        """Return what it does to a row; None if that is nothing, or no longer to be shown."""
        ...

    def accepted(self, collection: object, key: Any) -> None:
        """Take note that what it does to a row has become the synced row."""
        ...
