"""The first rows as a table, for notebooks and terminals.

Law    what is shown is bounded, whatever the rows are: so many rows, and so much of each cell; nothing in a cell is markup
Form   one column per field met in the rows shown, in order of appearance; a row that is a plain value has the column "value"
"""

from __future__ import annotations

from reprlib import Repr
from typing import TYPE_CHECKING, Any

from dataflow.errors import QueryError
from dataflow.frozen import frozen
from dataflow.query.compiler.evaluate import spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table as RichTable

SHOWN = 20  # rows; a notebook cell is no place for more
WIDTH = 120  # characters of a cell

_short = Repr()
_short.maxother = _short.maxstring = WIDTH


@frozen
class Table:
    """Rows as texts.

    Attributes:
        caption: what the rows are, and how many there are.
        columns: the names of the columns.
        lines: one text per row and column.
    """

    caption: str
    columns: list[str]
    lines: list[list[str]]


def table_of(rows: Sequence[Any], *, count: int, caption: str) -> Table:
    """Return the table of some rows.

    Args:
        rows: those to show, `SHOWN` at most.
        count: how many there are.
    """
    fields = [fields_of(row) for row in rows]
    columns = list(dict.fromkeys(name for row in fields for name in row))
    shown = f", first {len(rows)} shown" if count > len(rows) else ""
    return Table(
        f"{caption} · {count} row{'' if count == 1 else 's'}{shown}",
        [str(name) for name in columns],
        [[_cell(row.get(name)) for name in columns] for row in fields],
    )


def html(table: Table) -> str:
    """Return a table as HTML."""
    from html import escape  # a large module, which few imports of the package need

    def line(tag: str, cells: Iterable[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    head = line("th", table.columns)
    body = "".join(line("td", cells) for cells in table.lines)
    return f"<table><caption>{escape(table.caption)}</caption><thead>{head}</thead><tbody>{body}</tbody></table>"


def rich_table(table: Table) -> RichTable:
    """Return a table for `rich.print`, which is what calls this: so rich is there."""
    from rich.table import Table as RichTable
    from rich.text import Text

    made = RichTable(title=Text(table.caption))
    for name in table.columns:
        made.add_column(Text(name))
    for line in table.lines:
        made.add_row(*map(Text, line))
    return made


def fields_of(row: Any) -> dict[str, Any]:
    """Return the fields of a row, those of a plain value included."""
    try:
        return spread(row)
    except QueryError:
        return {"value": row}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = (
        value if isinstance(value, str) else _short.repr(value) if _is_large(value) else str(value)
    )
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _is_large(value: Any) -> bool:
    return isinstance(value, list | tuple | dict | set | frozenset)
