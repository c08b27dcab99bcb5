"""Data frames and Arrow tables as rows.

pandas, polars and pyarrow are not needed to import this: a frame brings its library along.

Rules   one dict per line, by column names; a missing value (NaN in pandas, NaT, null) is None; numbers, texts, times and lists are Python's
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.io.polling import write_rows
from dataflow.io.rowtype import RowType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dataflow.collection.collection import Collection


def rows_of_frame(frame: Any) -> list[dict[str, Any]]:
    """Return the lines of a pandas or polars DataFrame, or of a pyarrow Table or RecordBatch, as dicts.

    An index of a pandas frame is left out unless it has a name. A lazy polars frame is collected.

    Raises:
        TypeError: if it is none of these.
        ValueError: if two columns have one name.
    """
    library = type(frame).__module__.partition(".")[0]
    read = _READERS.get(library)
    if read is None or not hasattr(type(frame), "columns"):
        error = TypeError(
            f"a {type(frame).__name__} of {library!r} is no frame of pandas, polars or pyarrow"
        )
        error.add_note("rows in a list or another iterable go into write_rows(collection, rows)")
        raise error
    return read(frame)


def write_frame(collection: Collection[Any], frame: Any) -> None:
    """Make a collection hold exactly the lines of a frame, in one epoch, as `write_rows` does with rows.

    A collection with a declared row type gets instances of it.

    Raises:
        CollectionError: if two lines have one key; nothing is written then.
        ValueError: if a line does not fit the row type; nothing is written then.
    """
    build = RowType(collection.row_type, owner=collection).build
    write_rows(collection, [build(fields) for fields in rows_of_frame(frame)])


def _pandas_rows(frame: Any) -> list[dict[str, Any]]:
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    _check_unique(frame.columns)
    columns = {}
    for name in frame.columns:
        column = frame[name]
        missing = column.isna()
        columns[name] = [
            None if absent else _python_value(value)
            for value, absent in zip(column.tolist(), missing.tolist(), strict=True)
        ]
    return [dict(zip(columns, line, strict=True)) for line in zip(*columns.values(), strict=True)]


def _python_value(value: Any) -> Any:
    """Return what is pandas' or numpy's own as Python's, inside of lists and dicts too."""
    to_python = (
        getattr(value, "to_pydatetime", None)
        or getattr(value, "to_pytimedelta", None)
        or getattr(value, "tolist", None)
    )
    found = value if to_python is None else to_python()
    if isinstance(found, list):
        return [_python_value(each) for each in found]
    if isinstance(found, dict):
        return {name: _python_value(each) for name, each in found.items()}
    return found


def _check_unique(names: Iterable[Any]) -> None:
    seen: set[Any] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"two columns of the frame are named {name!r}")
        seen.add(name)


def _polars_rows(frame: Any) -> list[dict[str, Any]]:
    collect = getattr(frame, "collect", None)
    rows: list[dict[str, Any]] = (frame if collect is None else collect()).to_dicts()
    return rows


def _arrow_rows(frame: Any) -> list[dict[str, Any]]:
    _check_unique(frame.schema.names)
    rows: list[dict[str, Any]] = frame.to_pylist()
    return rows


_READERS: dict[str, Callable[[Any], list[dict[str, Any]]]] = {
    "pandas": _pandas_rows,
    "polars": _polars_rows,
    "pyarrow": _arrow_rows,
}
