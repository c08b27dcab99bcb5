"""Which aliases an expression may name in a clause, and whether they mean the same there.

A name is enough for the nodes of a tree, not for a user who made two aliases of one name: an
expression remembers what its aliases stand for, and that must be what the query knows them for. The
right side of a semi or anti join takes part in the match alone; its alias cannot be named later.
"""

from __future__ import annotations

from typing import Any, Final

from dataflow.errors import QueryError, near
from dataflow.query import ir
from dataflow.query.expr import (
    NO_ORIGINS,
    Expr,
    Order,
    Origins,
    node_of,
    ordering_of,
    origins_of,
)
from dataflow.query.notation import text_of
from dataflow.query.rows import leaf_in_sight, leaves
from dataflow.query.scalar import Aggregate, Nested, Scalar, Selected, Window, contains, walk
from dataflow.query.traps import refusal


def out_of_sight(part: Expr[Any] | Order, tree: ir.Node) -> list[str]:
    """Return the aliases in an expression that a tree does not bind to the very things they stand for there."""
    origins = origins_of(part)
    return [alias for alias, leaf in origins.items() if leaf_in_sight(tree, alias) is not leaf]


def check_aliases(
    part: Expr[Any] | Order, tree: ir.Node, clause: str, outer: Origins = NO_ORIGINS
) -> None:
    """Refuse aliases that the tree does not bind, or binds to something else.

    Args:
        outer: What aliases of a query around this one stand for, which may be named as well.
    """
    for alias in out_of_sight(part, tree):
        leaf = origins_of(part)[alias]
        bound = leaves(tree)
        if alias not in bound:
            if alias in outer:
                continue
            raise unknown_alias(alias, tree, clause)
        if alias not in ir.scope(tree):
            raise refusal(
                f"alias {alias!r} cannot be named in {clause}: it only decides a semi or anti join",
                "the join keeps the rows of its left side; for columns of both use inner or left",
            )
        if bound[alias] is not leaf and bound[alias] != leaf:
            raise refusal(
                f"alias {alias!r} in {clause} stands for {_what(leaf)}, but in this query "
                f"for {_what(bound[alias])}",
                "use the alias the query was built with, or another name for the second one",
            )


def check_same_outer(known: Origins, found: Origins) -> None:
    """Refuse an outer alias that stands for two things in one query."""
    for alias, leaf in found.items():
        if known.get(alias, leaf) != leaf:
            raise refusal(
                f"alias {alias!r} of the query around this one stands for two different sources",
                "give one of the two another name: source.alias('other')",
            )


_OF_RESULTS: Final = (Window, Aggregate, Nested, Selected)


def check_free_of_groups(part: Expr[Any] | Order, clause: str) -> None:
    """Refuse aggregates and selected columns where single rows of the sources are looked at."""
    scalar = scalar_of(part)
    if not contains(scalar, _OF_RESULTS):
        return
    for node in walk(scalar):
        if isinstance(node, Window):
            raise windowed(node, clause)
        if isinstance(node, Aggregate):
            raise refusal(
                f"aggregate {text_of(node)!r} in {clause}, which looks at single rows",
                "a condition on groups belongs in having(...), after group_by"
                if clause == "where"
                else "select it in a subquery: query(q.alias('x'))",
            )
        if isinstance(node, Nested):
            raise refusal(
                f"{text_of(node)} in {clause}: nested queries belong in select",
                "to use one elsewhere wrap the query: query(q.alias('x'))",
            )
        if isinstance(node, Selected):
            raise refusal(
                f"{text_of(node)} in {clause}: selected columns exist in having and order_by",
                "name the column of the alias it was selected from",
            )


def check_no_collection(node: Scalar, clause: str) -> None:
    """Refuse a live child collection where a value is computed, compared or spread."""
    if not contains(node, Nested):
        return
    for part in walk(node):
        if isinstance(part, Nested) and part.live:
            raise refusal(
                f"{text_of(part)} in {clause} is a collection, of which nothing can be computed",
                "select it as a column by itself; of rows as a value write nested(q)",
            )


def windowed(node: Window, clause: str) -> QueryError:
    """Return the error about a window function in a clause that chooses or groups rows."""
    return refusal(
        f"window function {text_of(node)!r} in {clause}, which comes before it is computed",
        "name it in select, and look at it in a subquery: "
        "r = q.alias('r'); query(r).where(r.position <= 3)",
    )


def scalar_of(part: Expr[Any] | Order) -> Scalar:
    """Return the node of an expression, or of what an order orders by."""
    return ordering_of(part).by if isinstance(part, Order) else node_of(part)


def unknown_alias(alias: str, tree: ir.Node, clause: str) -> QueryError:
    """Return the error about an alias that neither a query nor one around it knows."""
    visible = ir.scope(tree)
    known = ", ".join(map(repr, visible))
    return refusal(
        f"unknown alias {alias!r} in {clause}{near(alias, visible)}",
        f"this query knows {known}; join(source.alias({alias!r}), on=...) adds another",
    )


def _what(leaf: ir.Scan | ir.Named) -> str:
    if isinstance(leaf, ir.Scan):
        return f"source {leaf.source.relation.name!r}"
    names = sorted({scan.source.relation.name for scan in ir.scans(leaf)})
    return f"a subquery of {', '.join(map(repr, names))}"
