"""Unnesting: the elements of lists as rows.

    tags = unnest(query(post).select(post=post.id, tag=post.tags), "tag").alias("tags")
    query(tags).group_by(tags.tag).select(tag=tags.tag, posts=count())

Like a set operation it takes a finished query and returns one that begins anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dataflow.errors import UnknownFieldError
from dataflow.query import ir
from dataflow.query.builder import Query
from dataflow.query.clauses import Clauses
from dataflow.query.combining import operand
from dataflow.query.rows import columns_of, row_type_of
from dataflow.query.scalar import Record, RowOf
from dataflow.query.traps import refusal

if TYPE_CHECKING:
    from dataflow.query.source import Source

ALIAS: Final = "unnest"
_SELECT: Final = "select it by name: unnest(query(a).select(id=a.id, tag=a.tags), 'tag')"


def unnest(
    query: Query[Any] | Source[Any], column: str, *, position: str | None = None
) -> Query[dict[str, Any]]:
    """Return a row for each element of the list that a column holds, the other columns beside it.

    A null, an empty list, and what is no list yield no row. The rows are dicts, each known as (key of
    the row with the list, place of the element).

    Args:
        query: Where the rows come from.
        column: The column that holds the list; in the result it holds the element.
        position: A column for the place of the element, counted from 0.

    Raises:
        QueryError: The query ends in map or into, or has no such column.

    Complexity: a changed row costs the elements it had and has.
    """
    tree = operand(query, "unnest")
    for name in (column,) if position is None else (column, position):
        if not isinstance(name, str):
            raise refusal(f"unnest takes the name of a column, not {name!r}", _SELECT)
    aliases = ir.scope(tree)
    if len(aliases) == 1:
        tree = ir.Project(tree, Record(((None, RowOf(aliases[0])),)))
    elif row_type_of(tree) is not dict:
        raise refusal("unnest after map or into, whose rows have no columns", _SELECT)
    columns = columns_of(tree)
    if columns is not None and column not in columns:
        raise UnknownFieldError(column, "the query given to unnest", columns)
    if position == column or (columns is not None and position in columns):
        raise refusal(
            f"unnest has two columns {position!r}", "give the position another name: position='n'"
        )
    return Query(Clauses(ir.Named(ir.Unnest(tree, column, position), ALIAS)))
