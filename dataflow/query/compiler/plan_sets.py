"""Planning set operations: what they count, and which select a distinct runs itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.query import ir
from dataflow.query.compiler.columns import columns_of_rows, row_of_columns, value_of_columns
from dataflow.query.compiler.distinct import Distinct
from dataflow.query.compiler.layout import common_layout
from dataflow.query.compiler.planning import ROW_BY_ROW, Physical
from dataflow.query.compiler.setops import SetOperation
from dataflow.query.compiler.steps import Select, output_layout
from dataflow.query.scalar import Apply, Record, contains
from dataflow.values.fields import is_typed_dict
from dataflow.values.normal import normal

if TYPE_CHECKING:
    from dataflow.query.compiler.planning import Planning
    from dataflow.query.scalar import Scalar


def plan_set_operation(planner: Planning, tree: ir.SetOp) -> Physical:
    """Return the node of a set operation."""
    if tree.kind == "distinct":
        return _plan_distinct(planner, tree.inputs[0], tree.columns)
    operands = [planner.build(operand) for operand in tree.inputs]
    columns = tree.columns
    values = tuple(
        normal if columns is None else value_of_columns(operand.layout, columns)
        for operand in operands
    )
    layout = common_layout([operand.layout for operand in operands])
    dicts = columns is not None and layout.slots[0].kind == "mapping"
    shown = row_of_columns(columns or ()) if dicts else None
    inputs = tuple(operand.node for operand in operands)
    layouts = tuple(operand.layout for operand in operands)
    node = planner.share(
        ("set operation", tree.kind, inputs, layouts, columns),
        lambda: SetOperation(inputs, tree.kind, values, shown),
    )
    return Physical(node, layout)


def _plan_distinct(planner: Planning, tree: ir.Node, names: tuple[str, ...] | None) -> Physical:
    parts: tuple[Scalar, ...] | None
    if names and isinstance(tree, ir.Project) and (record := _selected(tree)) is not None:
        node, below = planner.build(tree.input)
        layout = output_layout(below, (Select(record),))
        selected = dict(record.items)
        parts = tuple(selected[name] for name in names)
    else:
        node, below = planner.build(tree)
        layout = common_layout([below])
        parts = None if names is None else columns_of_rows(below, names)
    columns = names if layout.slots[0].kind == "mapping" else None
    made = planner.share(
        ("set operation", "distinct", node, (below, columns), parts),
        lambda: Distinct(node, below, parts, columns),
    )
    return Physical(made, layout)


def _selected(tree: ir.Project) -> Record | None:
    """Return the columns of a select that a distinct runs itself; None if that is not its to run.

    A select with user functions stays apart, as these run once per row. One over a group is part of that.
    """
    base: ir.Node = tree
    while isinstance(base, ROW_BY_ROW):
        (base,) = ir.inputs(base)
    record = tree.row
    constructs = tree.into is not None and not is_typed_dict(tree.into)
    if constructs or not isinstance(record, Record) or isinstance(base, ir.Group):
        return None
    named = all(name is not None for name, _ in record.items)
    return record if named and not contains(record, Apply) else None
