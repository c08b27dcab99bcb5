"""Planning groups: what a group runs itself, and what has to be computed before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.frozen import replace
from dataflow.query.compiler.group import Group
from dataflow.query.compiler.inside import known_as
from dataflow.query.compiler.layout import CELLS
from dataflow.query.compiler.planning import Physical
from dataflow.query.compiler.reads import peel
from dataflow.query.compiler.steps import Select, Step, Test, calls_user_code, output_layout
from dataflow.query.scalar import (
    Aggregate,
    Apply,
    Column,
    Const,
    Ordering,
    Record,
    RowOf,
    contains,
)

if TYPE_CHECKING:
    from dataflow.query import ir
    from dataflow.query.compiler.planning import Planning
    from dataflow.query.scalar import Scalar


def plan_group(planner: Planning, tree: ir.Group, steps: tuple[Step, ...]) -> Physical:
    """Return the node of a group, which runs some steps over its cells itself."""
    below, columns = peel(tree.input)
    return group_over(
        planner, planner.build(below, inside=True), tree.keys, tree.aggregates, steps, columns
    )


def group_over(
    planner: Planning,
    input_: Physical,
    keys: tuple[Scalar, ...],
    aggregates: tuple[Aggregate, ...],
    steps: tuple[Step, ...],
    columns: frozenset[Column | RowOf] | None = None,
) -> Physical:
    """Return the node of a group over rows that are planned already.

    Args:
        columns: what is read of the rows; None if it is not known.
    """
    narrow = columns is not None
    if any(contains(part, Apply) for part in (*keys, *aggregates)):
        input_, keys, aggregates = _compute_calls(planner, input_, keys, aggregates)
        narrow = False
    node = planner.share(
        (
            "group",
            known_as(input_.node),
            input_.layout,
            keys,
            aggregates,
            _options(aggregates),
            steps,
            narrow,
        ),
        lambda: Group(input_.node, input_.layout, keys, aggregates, steps, narrow=narrow),
    )
    collects = any(aggregate.kind == "collect" for aggregate in aggregates)
    cells = replace(CELLS, collected=True) if collects else CELLS
    return Physical(node, output_layout(cells, steps))


def _compute_calls(
    planner: Planning, input_: Physical, keys: tuple[Scalar, ...], aggregates: tuple[Aggregate, ...]
) -> tuple[Physical, tuple[Scalar, ...], tuple[Aggregate, ...]]:
    """Select everything a group reads beforehand, so that user functions in it run once per row."""
    items: list[tuple[str | None, Scalar]] = []

    def column(part: Scalar) -> Column:
        items.append((f"c{len(items)}", part))
        return Column("", f"c{len(items) - 1}")

    def plain(aggregate: Aggregate) -> Aggregate:
        where = None if aggregate.where is None else column(aggregate.where)
        order_by = tuple(
            Ordering(column(part.by), part.descending, part.nulls_last)
            for part in aggregate.order_by
        )
        args = tuple(column(arg) for arg in aggregate.args)
        return Aggregate(aggregate.kind, args, where, order_by, aggregate.options)

    new_keys = tuple(column(key) for key in keys)
    new_aggregates = tuple(plain(aggregate) for aggregate in aggregates)
    return (
        planner.steps(input_, (Select(Record(tuple(items))),), stored=True),
        new_keys,
        new_aggregates,
    )


def _options(aggregates: tuple[Aggregate, ...]) -> tuple[Const, ...]:
    """Return the options of aggregates as constants, which tell a fold that starts with 0 from one that starts with False."""
    return tuple(Const(option) for aggregate in aggregates for option in aggregate.options)


def library_prefix(steps: list[Step]) -> int:
    """Count the first steps that a group can run itself: conditions and at most one select, without user functions."""
    for count, step in enumerate(steps):
        if calls_user_code((step,)) or not isinstance(step, Test | Select):
            return count
        if isinstance(step, Select):
            return count + 1
    return len(steps)
