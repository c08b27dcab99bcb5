"""Small functions that generated code calls by name."""

from __future__ import annotations

from typing import Any

from dataflow.errors import QueryError
from dataflow.values.null import is_null


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
