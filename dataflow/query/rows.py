"""What the rows of a query tree look like: their columns and their type, read off the tree.

    columns    the names that every row has, or None if rows may hold any field
    row type   the class rows are instances of; `dict` for what a select builds; None if unknown

A source without a declared row type, and what a `map` function returns, leave both open.
"""

from __future__ import annotations

from typing import Any, Final, get_origin

from dataflow.query import ir
from dataflow.query.notation import text_of
from dataflow.query.scalar import Column, Item, Record, RowOf, Scalar
from dataflow.query.traps import refusal
from dataflow.values.fields import declared_fields, keeps_extra_fields


def fields_of_type(row_type: Any) -> tuple[str, ...] | None:
    """Return the fields that rows of a declared type have, None if they may have any.

    >>> fields_of_type(dict) is None
    True
    """
    if row_type is None or row_type is dict:
        return None
    cls = get_origin(row_type) or row_type
    if not isinstance(cls, type):
        return None
    fields = declared_fields(cls)
    return None if fields is None or keeps_extra_fields(cls) else fields


def columns_of(node: ir.Node) -> tuple[str, ...] | None:  # noqa: C901 - one case per kind of node
    """Return the columns of the rows users see, in order."""
    match node:
        case ir.Scan(source=source):
            return fields_of_type(source.relation.row_type)
        case ir.Project(into=into) if into is not None:
            return fields_of_type(into)
        case ir.Project(input=input_, row=Record() as record):
            return _record_columns(record, input_)
        case ir.Project(input=input_, row=RowOf(alias=alias)) if alias:
            return columns_of(leaves(input_)[alias])
        case ir.Join():
            names = ir.scope(node)
            return names if len(names) > 1 else columns_of(node.left)
        case ir.SetOp() | ir.UnionAll():
            return columns_of(node.inputs[0])
        case ir.Unnest(input=input_, position=position):
            found = columns_of(input_)
            return found if found is None or position is None else (*found, position)
        case ir.RecursiveRef() | ir.Recursive():
            return node.columns
        case ir.Project() | ir.MapRows() | ir.Group() | ir.Nest() | ir.Windowed():
            return None
        case ir.Named() | ir.Filter() | ir.FilterRows() | ir.Order() | ir.Rekey() | ir.Narrow():
            return columns_of(node.input)


def row_type_of(node: ir.Node) -> Any:
    """Return the type of the rows users see; None if it is not known."""
    match node:
        case ir.Scan(source=source):
            return source.relation.row_type
        case ir.Project(input=input_, row=RowOf(alias=alias), into=None) if alias:
            return row_type_of(leaves(input_)[alias])
        case ir.Project(into=into):
            return dict if into is None else into
        case ir.Join():
            return dict if len(ir.scope(node)) > 1 else row_type_of(node.left)
        case ir.SetOp() | ir.UnionAll():
            types = {row_type_of(operand) for operand in node.inputs}
            return types.pop() if len(types) == 1 else None
        case ir.RecursiveRef() | ir.Recursive() | ir.Unnest():
            return dict
        case ir.MapRows() | ir.Group() | ir.Nest() | ir.Windowed():
            return None
        case ir.Named() | ir.Filter() | ir.FilterRows() | ir.Order() | ir.Rekey() | ir.Narrow():
            return row_type_of(node.input)


_LEAVES: Final = (ir.Scan, ir.Named)
_OF_INPUT: Final = (ir.Filter, ir.Nest)


def leaves(node: ir.Node) -> dict[str, ir.Scan | ir.Named]:
    """Return what each alias of a tree stands for; subqueries keep theirs to themselves."""
    while isinstance(node, _OF_INPUT):
        node = node.input
    if isinstance(node, _LEAVES):
        return {node.alias: node}
    if isinstance(node, ir.Join):
        return leaves(node.left) | leaves(node.right)
    return {alias: leaf for child in ir.inputs(node) for alias, leaf in leaves(child).items()}


def leaf_in_sight(node: ir.Node, alias: str) -> ir.Scan | ir.Named | None:
    """Return what an alias stands for in a tree, if it binds it, and if its rows have that part."""
    while isinstance(node, _OF_INPUT):
        node = node.input
    if isinstance(node, _LEAVES):
        return node if node.alias == alias else None
    if isinstance(node, ir.Join):
        found = leaf_in_sight(node.left, alias)
        if found is None and node.how not in ("semi", "anti"):
            return leaf_in_sight(node.right, alias)
        return found
    return None


def spread_columns(value: Scalar, below: ir.Node) -> tuple[str, ...] | None:
    """Return the columns that spreading a value adds, None if that depends on the row."""
    match value:
        case RowOf(alias=alias):
            leaf = leaves(below).get(alias)
            return None if leaf is None else columns_of(leaf)
        case Record():
            return _record_columns(value, below)
        case _:
            return None


def column(record: Record, name: str, below: ir.Node) -> Scalar | None:
    """Return the expression behind a column of a select; None if there is no such column.

    Of two columns of one name the later counts, as in the dict it builds.

    Raises:
        QueryError: A spread whose fields are not known may or may not replace an earlier column.
    """
    uncertain: Scalar | None = None
    for label, value in reversed(record.items):
        columns = (label,) if label is not None else spread_columns(value, below)
        if columns is not None and name not in columns:
            continue
        if uncertain is not None:
            raise refusal(
                f"selected.{name} may come from {text_of(uncertain)!r}, whose fields are not known",
                f"name the column: select(..., {name}=expression)",
            )
        if columns is not None:
            return value if label is not None else _field(value, name)
        uncertain = value
    return None if uncertain is None else _field(uncertain, name)


def _field(value: Scalar, name: str) -> Scalar:
    return Column(value.alias, name) if isinstance(value, RowOf) else Item(value, name)


def _record_columns(record: Record, below: ir.Node) -> tuple[str, ...] | None:
    names: dict[str, None] = {}
    for label, value in record.items:
        columns = (label,) if label is not None else spread_columns(value, below)
        if columns is None:
            return None
        names |= dict.fromkeys(columns)
    return tuple(names)
