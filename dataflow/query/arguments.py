"""The arguments of clauses: what each takes, checked against the query so far and made into nodes.

An expression is due wherever a column is read. Plain values are refused even where a constant would
make sense (`select(kind="user")`): a bool there usually is a comparison that Python has computed at
once, a text the name of a column; a constant is written `lit("user")`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from dataflow.query import ir
from dataflow.query.alias import Alias, leaf_of, row_of
from dataflow.query.expr import (
    Expr,
    Origins,
    as_condition,
    as_order,
    node_of,
    ordering_of,
    origins_of,
)
from dataflow.query.grouping import Cells
from dataflow.query.notation import text_of
from dataflow.query.rows import leaves
from dataflow.query.scalar import (
    Aggregate,
    Column,
    Nested,
    Ordering,
    Record,
    Scalar,
    Selected,
    Window,
    aliases_of,
    conjunction,
    conjuncts,
    contains,
    walk,
)
from dataflow.query.scope import (
    check_aliases,
    check_free_of_groups,
    check_no_collection,
    check_same_outer,
    out_of_sight,
    windowed,
)
from dataflow.query.source import Source
from dataflow.query.traps import QueryPart, kind_of_part, refusal
from dataflow.query.windows import WindowFunction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataflow.errors import QueryError
    from dataflow.query.clauses import Clauses


def leaf(source: object, clause: str) -> ir.Scan | ir.Named:
    """Return what a source or alias is in a tree; a source goes by its own name."""
    if isinstance(source, Source):
        source = source.alias()
    if isinstance(source, Alias):
        return leaf_of(source)
    name = kind_of_part(source) if isinstance(source, QueryPart) else repr(source)
    hint = (
        "a query gets a name by q.alias('x')"
        if isinstance(source, QueryPart)
        else "rows are queried in a collection: Collection(name, key=...)"
    )
    raise refusal(f"{clause} takes a collection, a live result or an alias, not {name}", hint)


def where_conditions(clauses: Clauses, values: Sequence[object]) -> Clauses:
    """Return the clauses with conditions on single rows; what names outer aliases is kept apart."""
    own: list[Scalar] = []
    foreign: list[Scalar] = []
    bound, outer = leaves(clauses.source), dict(clauses.outer)
    for value in values:
        part = as_condition(value, "where")
        check_free_of_groups(part, "where")
        if not out_of_sight(part, clauses.source):
            own.append(node_of(part))
            continue
        found = {a: leaf for a, leaf in origins_of(part).items() if a not in bound}
        check_same_outer(outer, found)
        outer |= found
        check_aliases(part, clauses.source, "where", found)
        if not found:
            own.append(node_of(part))
            continue
        for node in conjuncts(node_of(part)):
            (foreign if aliases_of(node) & found.keys() else own).append(node)
    source = ir.Filter(clauses.source, conjunction(tuple(own))) if own else clauses.source
    if not outer:
        return clauses.called("where", source=source)
    return clauses.called(
        "where",
        source=source,
        correlated=(*clauses.correlated, *foreign),
        outer=tuple(outer.items()),
    )


def group_condition(clauses: Clauses, value: object, clause: str) -> Scalar:
    """Return a condition on groups."""
    condition = _resolved(clauses, as_condition(value, clause), clause)
    for part in walk(condition):
        if isinstance(part, Window):
            raise windowed(part, clause)
    return condition


def group_key(clauses: Clauses, value: object, clause: str) -> Scalar:
    """Return an expression to group by."""
    if not isinstance(value, Expr):
        raise _no_expression(value, clause, "name the fields: group_by(alias.one, alias.other)")
    check_free_of_groups(value, clause)
    check_aliases(value, clauses.source, clause)
    return node_of(value)


def order_part(clauses: Clauses, value: object, clause: str) -> Ordering:
    """Return one part of an order."""
    order = as_order(value, clause)
    check_aliases(order, clauses.source, clause)
    part = clauses.resolved_order(ordering_of(order), clause)
    check_no_collection(part.by, clause)
    return part


def spread(clauses: Clauses, value: object, clause: str) -> Scalar:
    """Return what a positional argument of select spreads: a row, or a dict."""
    part = row_of(value) if isinstance(value, Alias) else value
    if not isinstance(part, Expr):
        hint = "positional arguments are spread; name a column: select(total=expression)"
        raise _no_expression(part, clause, hint)
    return _resolved(clauses, part, clause)


def columns(
    clauses: Clauses, values: Mapping[str, object], clause: str
) -> list[tuple[str | None, Scalar]]:
    """Return the columns of select by name; neighbours that speak of the same aliases are asked about them once."""
    found: list[tuple[str | None, Scalar]] = []
    known: Origins | None = None
    for name, value in values.items():
        if isinstance(value, Expr) and origins_of(value) is known:
            found.append((name, _column(clauses, node_of(value), clause)))
        else:
            found.append((name, column(clauses, name, value, clause)))
            known = origins_of(value) if isinstance(value, Expr) else None
    return found


def column(clauses: Clauses, name: str, value: object, clause: str) -> Scalar:
    """Return the value of a column of select; a dict nests."""
    if isinstance(value, Expr):
        part = value
    elif isinstance(value, Alias):
        part = row_of(value)
    elif not isinstance(value, QueryPart) and isinstance(value, Mapping):
        parts = ((str(key), column(clauses, str(key), v, clause)) for key, v in value.items())
        return Record(tuple(parts))
    else:
        raise _no_expression(value, f"column {name!r} of {clause}", "a constant is lit(value)")
    check_aliases(part, clauses.source, clause)
    return _column(clauses, node_of(part), clause)


def _column(clauses: Clauses, node: Scalar, clause: str) -> Scalar:
    if isinstance(node, Nested) and node.live:
        return node
    return _without_references(clauses, node, clause)


def check_join(clauses: Clauses, tree: ir.Join) -> None:
    """Refuse joins after a condition on an outer alias, which looks at the rows of all joins."""
    known = leaves(tree)
    for alias, _ in clauses.outer:
        if alias in known:
            raise refusal(f"where names alias {alias!r} before it is joined", "join it first")
        if tree.how in ("right", "full"):
            raise refusal(
                f"a {tree.how} join cannot follow a condition on {alias!r}, an outer alias",
                "call where after the join, or wrap the query: query(q.alias('x'))",
            )


def check_grouped(clauses: Clauses, nodes: tuple[Scalar, ...], clause: str) -> None:
    """Refuse ungrouped columns in a query with groups, and aggregates in one without."""
    if clauses.keys is not None:
        cells = Cells(clauses.keys)
        for node in nodes:
            cells.expression(node, clause)
        return
    for node in nodes:
        if not contains(node, Aggregate):
            continue
        for part in walk(node):
            if isinstance(part, Aggregate):
                raise refusal(
                    f"aggregate {text_of(part)!r} in {clause} of a query without groups",
                    "call group_by first; group_by() makes the whole input one group",
                )


def check_window(clauses: Clauses, rows: object, clause: str) -> None:
    """Refuse a window without an order, and what is no number of rows."""
    if not clauses.order:
        raise refusal(
            f"{clause} without order_by: which rows are the first is not said",
            f"call order_by(...) before {clause}",
        )
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 0:
        raise refusal(
            f"{clause} takes a number of rows, 0 or more, not {rows!r}",
            f"without {clause} all rows are kept",
        )


def _resolved(clauses: Clauses, part: Expr[object], clause: str) -> Scalar:
    check_aliases(part, clauses.source, clause)
    return _without_references(clauses, node_of(part), clause)


def _without_references(clauses: Clauses, node: Scalar, clause: str) -> Scalar:
    """Return an expression with its selected columns replaced; refuse collections in it."""
    if node.__class__ is Column or not contains(node, _REPLACED):
        return node
    node = clauses.resolved(node, clause)
    check_no_collection(node, clause)
    return node


_REPLACED: Final = (Selected, Nested)


def _no_expression(value: object, clause: str, hint: str) -> QueryError:
    name = kind_of_part(value) if isinstance(value, QueryPart) else repr(value)
    if isinstance(value, WindowFunction):
        hint = f"say over which rows: {value!r}.over(order_by=alias.field)"
    elif isinstance(value, QueryPart):
        hint = value._instead  # noqa: SLF001 - an alias has no public names but fields
    return refusal(f"{clause} takes an expression, not {name}", hint)
