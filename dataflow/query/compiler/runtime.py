"""Small functions that generated code calls by name."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from dataflow.errors import QueryError
from dataflow.values.null import is_null

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


Columns: TypeAlias = "Sequence[Sequence[Any]]"
"""Many rows: for each alias the list of its rows. Rows of one alias are one list."""

PART: Final = 2_000
"""Rows that bulk work takes at a time, so that those of a join need not all be there at once."""


def in_parts(pairs: Iterable[tuple[Any, Any]]) -> Iterator[list[Any]]:
    """Yield the rows of (key, row) pairs, many at a time."""
    left = iter(pairs)
    while part := [row for _, row in islice(left, PART)]:
        yield part


def in_columns(pairs: Iterable[tuple[Any, Any]], *, joined: bool) -> Iterator[Columns]:
    """Yield the rows of (key, row) pairs, many at a time, in a column for each alias if they are joined ones."""
    for part in in_parts(pairs):
        yield [*zip(*part, strict=True)] if joined else [part]


def null_if_unset(value: Any) -> Any:
    """Return null for the UNSET of msgspec, any other value as it is."""
    return None if is_null(value) else value


def mapped(row: Any) -> Any:
    """Refuse a map that returns no row."""
    if row is None:
        error = QueryError("a function given to map returned None")
        error.add_note("drop rows with filter, or return a row")
        raise error
    return row


def fresh(value: Any) -> Any:
    """Return a list, or a dict row with the lists in it, as a copy; anything else as it is.

    What `collect` made is kept and compared by the engine; a user function may sort or empty its copy.
    """
    if value.__class__ is list:
        return value[:]
    if value.__class__ is dict:
        return {name: part[:] if part.__class__ is list else part for name, part in value.items()}
    return value
