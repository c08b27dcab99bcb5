"""Rows as an HTML table, for notebooks."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from dataflow.query.compiler.evaluate import spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHOWN = 20  # rows; a notebook cell is no place for more


def html_table(rows: Sequence[Any], *, caption: str) -> str:
    """Return an HTML table of the first rows, one column per field met in them."""
    shown = [_fields(row) for row in rows[:SHOWN]]
    columns = list(dict.fromkeys(name for row in shown for name in row))
    more = f" · {len(rows)} rows" + (f", first {SHOWN} shown" if len(rows) > SHOWN else "")
    head = _line("th", columns)
    body = "".join(_line("td", [_cell(row.get(name)) for name in columns]) for row in shown)
    return f"<table><caption>{escape(caption + more)}</caption><thead>{head}</thead><tbody>{body}</tbody></table>"


def _fields(row: Any) -> dict[str, Any]:
    if isinstance(row, str | int | float | bool | tuple | list):
        return {"value": row}
    return spread(row)


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _line(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"
