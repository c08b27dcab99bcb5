"""Nested queries: the rows of one query inside the rows of another.

    query(channel).select(channel, latest=nested(query(message).where(message.channel_id ==
    channel.id)))

A nested query is an ordinary query in whose `where` the aliases of the query around it are named.
What it says - order, limit, groups - it says for each of the outer rows on its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.query.builder import Query
from dataflow.query.expr import Expr
from dataflow.query.rows import columns_of
from dataflow.query.scalar import Nested
from dataflow.query.traps import QueryPart, kind_of_part, refusal

if TYPE_CHECKING:
    from dataflow.query.clauses import Clauses


def nested(query: Query[Any], *, live: bool = False) -> Expr[Any]:
    """Return the rows of a query for each row of the query around it.

    The value is a list, after `one()` a row or None.

    Args:
        query: The nested query.
        live: Put a collection of these rows into the row instead: a live query of its own, which
            stays the same while its rows change, and closes when the outer row leaves. It can only
            be selected, as a column.

    Top-level equalities in its `where` between it and the query around it are how its rows are
    found; without any, every change of it concerns all outer rows. A changed list is a new list of
    the same rows.

    Complexity: a change costs as much as the lists it changes are long; a live collection is changed
    by the row, O(log rows).

    Raises:
        QueryError: It is no query, or one that cannot be computed row by row.
    """
    clauses = _clauses_of(query)
    if clauses.keys == () and clauses.having:
        raise refusal(
            "having in a nested query without group_by: its one row would come and go",
            "nest it without having, and test the value outside",
        )
    tree = clauses.nested_plan()
    if clauses.distinct and (clauses.record is None or columns_of(tree) is None):
        raise refusal(
            "distinct in a nested query whose columns are not known",
            "select its columns by name before distinct",
        )
    if clauses.distinct and clauses.keys == ():
        raise refusal("distinct in a nested query of one row", "leave it out")
    return Expr(Nested(tree, clauses.single, live), dict(clauses.outer))


def _clauses_of(query: object) -> Clauses:
    if isinstance(query, Query):
        return query._clauses  # noqa: SLF001 - a query has no public names but clauses
    found = kind_of_part(query) if isinstance(query, QueryPart) else repr(query)
    raise refusal(f"nested takes a query, not {found}", "of an alias a write nested(query(a))")
