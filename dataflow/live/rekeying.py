"""The key= of a live query: its rows, known under a key that users choose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from dataflow.errors import QueryError, UnknownFieldError
from dataflow.query import ir
from dataflow.query.rows import columns_of

LiveKey: TypeAlias = str | tuple[str, ...] | Callable[[Any], object]
"""A field, several, or a function of the row."""


def rekeyed(tree: ir.Node, key: object) -> ir.Node:
    """Return a tree whose rows are known under another key."""
    if callable(key):
        return ir.Rekey(tree, key)
    names = (key,) if isinstance(key, str) else key
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        raise QueryError(f"key= is a field, a tuple of fields or a function, not {key!r}")
    columns = columns_of(tree)
    for name in names:
        if columns is not None and name not in columns:
            raise UnknownFieldError(name, "the row of the live query", columns)
    return ir.Rekey(tree, names, single=isinstance(key, str))
