"""Rows as data frames: for plots, statistics and files, once; a frame does not follow the rows.

Law    one column per field, in order of declaration, then of appearance; one line per row, in query order; a missing field is
       null
Edges  pandas, polars and pyarrow are extras and loaded when asked for; values go over as they are, and what a column is
       called is up to the library: polars and Arrow refuse columns of several kinds
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dataflow.collection.table import fields_of
from dataflow.values.null import is_null

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def to_pandas(rows: Sequence[Any], fields: Iterable[str]) -> Any:
    """Return a pandas DataFrame; see `Readable.to_pandas`."""
    return _library("pandas", "pandas").DataFrame(_columns(rows, fields))


def to_polars(rows: Sequence[Any], fields: Iterable[str]) -> Any:
    """Return a polars DataFrame; see `Readable.to_polars`."""
    return _library("polars", "polars").DataFrame(_columns(rows, fields), infer_schema_length=None)


def to_arrow(rows: Sequence[Any], fields: Iterable[str]) -> Any:
    """Return an Arrow table; see `Readable.to_arrow`."""
    return _library("pyarrow", "arrow").table(_columns(rows, fields))


def _columns(rows: Sequence[Any], fields: Iterable[str]) -> dict[str, list[Any]]:
    spread = [fields_of(row) for row in rows]
    names = dict.fromkeys(fields)
    for row in spread:
        names.update(dict.fromkeys(row))
    return {name: [_value(row.get(name)) for row in spread] for name in names}


def _value(value: Any) -> Any:
    return None if is_null(value) else value


def _library(module: str, extra: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        missing = ImportError(f"{module} is not installed", name=module)
        missing.add_note(f"pip install 'stateschema[{extra}]'")
        raise missing from error
