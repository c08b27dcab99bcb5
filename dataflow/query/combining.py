"""Set operations on queries: union_all, union, intersect, except_.

They combine the rows of finished queries with the same columns. The result is a query that begins
anew: `filter` and `map` may follow, and with an alias everything else, `u = union(a, b).alias("u");
query(u).order_by(u.id)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dataflow.query import ir
from dataflow.query.builder import Query
from dataflow.query.clauses import Clauses
from dataflow.query.rows import columns_of
from dataflow.query.source import Source
from dataflow.query.traps import QueryPart, kind_of_part, refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

R = TypeVar("R")


def union_all(*queries: Query[R] | Source[R]) -> Query[R]:
    """Return the rows of all queries, repetitions included.

    Each is known as (number of the query, key there).
    """
    return _combined(ir.UnionAll(_operands(queries, "union_all")), "union_all")


def union(*queries: Query[R] | Source[R]) -> Query[R]:
    """Return the distinct rows that any of the queries has, as in SQL. Nulls are equal here."""
    return _set_operation(queries, "union", "union")


def intersect(*queries: Query[R] | Source[R]) -> Query[R]:
    """Return the distinct rows that all of the queries have."""
    return _set_operation(queries, "intersect", "intersect")


def except_(query: Query[R] | Source[R], *others: Query[R] | Source[R]) -> Query[R]:
    """Return the distinct rows of the first query that none of the others has."""
    return _set_operation((query, *others), "except", "except_")


def _set_operation(queries: Sequence[Query[R] | Source[R]], kind: str, name: str) -> Query[R]:
    operands = _operands(queries, name)
    return _combined(ir.SetOp(operands, kind, columns_of(operands[0])), name)


def _combined(tree: ir.Node, name: str) -> Query[R]:
    return Query(Clauses(ir.Named(tree, name)))


def _operands(queries: Sequence[Query[R] | Source[R]], name: str) -> tuple[ir.Node, ...]:
    """Return the trees of the operands, whose columns must be the same."""
    if len(queries) < 2:
        raise refusal(
            f"{name} takes two queries or more, not {len(queries)}",
            f"write {name}(first, second); of a list: {name}(*queries)",
        )
    trees = tuple(operand(query, name) for query in queries)
    columns = [columns_of(tree) for tree in trees]
    first = columns[0]
    for number, names in enumerate(columns[1:], start=2):
        if (first is None) != (names is None):
            raise refusal(
                f"{name}: the columns of query {1 if first is None else number} are not known, those of the other are",
                "select the columns, or declare the row type of the collection",
            )
        if first is not None and names is not None and set(first) != set(names):
            differing = ", ".join(sorted(set(first) ^ set(names)))
            raise refusal(
                f"{name}: query {number} has other columns than the first: {differing}",
                "select the same columns in each",
            )
    return trees


def operand(query: object, name: str) -> ir.Node:
    """Return the tree of a query or source.

    Args:
        name: The operation that it is given to.
    """
    if isinstance(query, Query):
        return query._plan()  # noqa: SLF001 - a query has no public names but clauses
    if isinstance(query, Source):
        return ir.Scan(ir.SourceRef(query), query.name)
    found = kind_of_part(query) if isinstance(query, QueryPart) else repr(query)
    raise refusal(
        f"{name} takes queries and sources, not {found}", "an alias a goes in as query(a)"
    )
