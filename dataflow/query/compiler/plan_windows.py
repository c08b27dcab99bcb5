"""Planning windows: the row that a window node appends to, and what has to be computed before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.frozen import replace
from dataflow.query import ir
from dataflow.query.compiler.layout import Layout
from dataflow.query.compiler.planning import Physical
from dataflow.query.compiler.reads import peel, unchanged
from dataflow.query.compiler.steps import Select
from dataflow.query.compiler.window import Window
from dataflow.query.scalar import Apply, Cell, Column, Ordering, Record, RowOf, contains
from dataflow.query.scalar import Window as Spec

if TYPE_CHECKING:
    from dataflow.query.compiler.planning import Planning
    from dataflow.query.scalar import Scalar


def plan_windows(planner: Planning, tree: ir.Windowed) -> Physical:
    """Return the node of the window functions of one partition and order."""
    below, columns = peel(tree.input)
    input_ = planner.build(below)
    same = unchanged(input_.layout, columns)
    aliases = ir.scope(below)
    rows = tuple(map(RowOf, aliases))
    head: tuple[Scalar, ...] = (*rows, *map(Cell, range(len(rows), ir.width(below))))
    slots = tuple(replace(slot, index=at) for at, slot in enumerate(input_.layout.slots))
    layout = Layout(slots, input_.layout.collected)
    windows = tree.windows
    if any(contains(window, Apply) for window in windows):
        input_, head, windows = _compute_calls(planner, input_, head, windows)
        same = None
    node = planner.share(
        ("window", input_.node, input_.layout, head, windows, same),
        lambda: Window(input_.node, input_.layout, head, windows, same),
    )
    return Physical(node, layout)


def _compute_calls(
    planner: Planning, input_: Physical, head: tuple[Scalar, ...], windows: tuple[Spec, ...]
) -> tuple[Physical, tuple[Scalar, ...], tuple[Spec, ...]]:
    """Select everything a window reads beforehand, so that user functions in it run once per row."""
    items: list[tuple[str | None, Scalar]] = []

    def column(part: Scalar) -> Column:
        items.append((f"c{len(items)}", part))
        return Column("", f"c{len(items) - 1}")

    def plain(window: Spec) -> Spec:
        return Spec(
            window.kind,
            tuple(map(column, window.args)),
            None if window.where is None else column(window.where),
            tuple(map(column, window.partition_by)),
            tuple(
                Ordering(column(part.by), part.descending, part.nulls_last)
                for part in window.order_by
            ),
            window.offset,
        )

    new_head = tuple(map(column, head))
    new_windows = tuple(map(plain, windows))
    before = planner.steps(input_, (Select(Record(tuple(items))),), stored=True)
    return before, new_head, new_windows
