"""Planning nested queries: each becomes a join of the outer rows with its own rows, listed by outer row.

    own rows           Project: every column the clauses need, so that user functions see each row once
    which belong       Join on the conditions that name outer aliases, then Owned: only they change a list
    groups, distinct   Group by the outer row's key and the query's own keys
    order, limit       Nest, which keeps the sorted rows of each outer row
    live               Split instead, from which the collection of an outer row takes its rows, and Attach

A group over everything has a row even where there is nothing: it is computed once, from no rows, and shown by all such outer rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.frozen import frozen, replace
from dataflow.query import ir
from dataflow.query.compiler.attach import Attach, Branching
from dataflow.query.compiler.evaluate import evaluator
from dataflow.query.compiler.layout import Layout, Slot
from dataflow.query.compiler.make_entries import order_entries
from dataflow.query.compiler.matching import left_part, right_part
from dataflow.query.compiler.nest import Children, Nest, Owned, Window
from dataflow.query.compiler.plan_groups import group_over
from dataflow.query.compiler.planning import Physical
from dataflow.query.compiler.split import Split
from dataflow.query.compiler.steps import Select, Step, Test, calls_user_code
from dataflow.query.compiler.subquery import Columns, Parts, join_of, take_apart
from dataflow.query.rows import row_type_of
from dataflow.query.scalar import (
    Aggregate,
    Cell,
    Column,
    Const,
    Ordering,
    Record,
    RowOf,
    Scalar,
    rewrite,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from dataflow.circuit.node import Node
    from dataflow.query.compiler.planning import Planning

OWNER = "owner"
"""The alias under which the key of the outer row stands beside a row."""


@frozen
class Listed:
    """What a nested query comes down to: rows by owner, in an order.

    Attributes:
        rows: The rows; the owner is told by their keys.
        owner_of: key -> key of the owner.
        key_of: key -> key among the rows of the owner, as of the query run for it alone.
        row: What is put into the list.
        by, limit, offset: The order, and the window of it.
        empty: The row of an owner without rows, if it has one.
    """

    rows: Physical
    owner_of: Callable[[Any], Any]
    key_of: Callable[[Any], Any]
    row: Scalar
    by: tuple[Ordering, ...]
    limit: int | None
    offset: int
    empty: Physical | None = None


def plan_nest(planner: Planning, tree: ir.Nest) -> Physical:
    """Return the node of outer rows with the values of their nested queries."""
    outer = planner.build(tree.input, stored=True)
    width = len(outer.layout.slots)
    listed = [(part, _listed(planner, tree.input, width, part)) for part in tree.parts]
    above = outer
    if lists := [each for each in listed if not each[0].live]:
        above = _with_lists(planner, outer, lists)
    if live := [each for each in listed if each[0].live]:
        above = _with_collections(planner, outer.node, above, live)
    return above


def _with_lists(
    planner: Planning, outer: Physical, listed: list[tuple[ir.Subquery, Listed]]
) -> Physical:
    parts: list[Children] = []
    identity: list[Hashable] = []
    for part, each in listed:
        window = Window(each.limit, each.offset, part.one)
        parts.append(_children(each, window))
        identity.append((each, window))
    node = planner.share(
        ("nest", outer.node, outer.layout, tuple(identity)),
        lambda: Nest(outer.node, tuple(parts), flat=outer.layout.joined),
    )
    layout = outer.layout
    for part, _ in listed:
        value = Layout((Slot(part.alias, None, "any", nullable=part.one),))
        layout = layout.joined_with(value, nullable=part.one)
    return Physical(node, replace(layout, collected=True))


def _children(listed: Listed, window: Window) -> Children:
    layout = listed.rows.layout
    return Children(
        listed.rows.node,
        window,
        listed.owner_of,
        order_entries(layout, listed.by).one,
        evaluator(listed.row, layout),
        None if listed.empty is None else listed.empty.node,
    )


def _with_collections(
    planner: Planning, outer: Node, rows: Physical, listed: list[tuple[ir.Subquery, Listed]]
) -> Physical:
    parts = tuple([_branching(planner, outer, part.query, each) for part, each in listed])
    node = planner.share(
        ("children", rows.node, rows.layout, parts, planner.adopt),
        lambda: Attach(rows.node, parts, planner.adopt, flat=rows.layout.joined),
    )
    layout = rows.layout
    for part, _ in listed:
        layout = layout.joined_with(Layout((Slot(part.alias, None, "any"),)), nullable=False)
    return Physical(node, layout)


def _branching(planner: Planning, outer: Node, query: ir.Node, listed: Listed) -> Branching:
    rows, empty = listed.rows.node, None if listed.empty is None else listed.empty.node
    split = planner.share(
        ("split", outer, rows, listed.owner_of, listed.key_of, empty),
        lambda: Split(outer, rows, listed.owner_of, listed.key_of, empty),
    )
    return Branching(
        split,
        listed.rows.layout,
        listed.row,
        listed.by,
        listed.limit,
        listed.offset,
        row_type_of(query),
        " ⋈ ".join(dict.fromkeys(scan.alias for scan in ir.scans(query))),
    )


def _first(key: Any) -> Any:
    return key[0]


def _second(key: Any) -> Any:
    return key[1]


def _rest(key: Any) -> Any:
    return key[1:]


def _itself(key: Any) -> Any:
    return key


def _none(key: Any) -> Any:
    return ()


def _listed(planner: Planning, outer: ir.Node, width: int, part: ir.Subquery) -> Listed:
    parts = take_apart(part.query)
    columns = Columns(parts.source)
    if parts.group is not None:
        return _of_groups(planner, outer, width, parts, columns)
    if parts.distinct is not None:
        keys = tuple(columns.read(value) for _, value in parts.distinct)
        rows = _owned(planner, outer, width, parts, columns, tagged=True)
        return _of_distinct(planner, rows, RowOf(OWNER), keys, parts)
    row = columns.read(parts.row)
    by = tuple(replace(part, by=columns.read(part.by)) for part in parts.by)
    rows = _owned(planner, outer, width, parts, columns, tagged=False)
    return Listed(rows, left_part(width), right_part, row, by, parts.limit, parts.offset)


def _owned(
    planner: Planning, outer: ir.Node, width: int, parts: Parts, columns: Columns, *, tagged: bool
) -> Physical:
    """Return the columns of the rows that belong to outer rows, with `tagged` behind the owner's key."""
    pairs = planner.build(join_of(outer, parts.correlated, columns))
    owner_of = left_part(width) if tagged else None
    node = planner.share(("owned", pairs.node, width, tagged), lambda: Owned(pairs.node, owner_of))
    bare = Layout((replace(pairs.layout.slots[-1], index=None),), pairs.layout.collected)
    if not tagged:
        return Physical(node, bare)
    owner = Layout((Slot(OWNER, None, "any"),))
    return Physical(node, owner.joined_with(bare, nullable=False))


def _of_groups(
    planner: Planning, outer: ir.Node, width: int, parts: Parts, columns: Columns
) -> Listed:
    assert parts.group is not None
    keys = tuple(columns.read(key) for key in parts.group.keys)
    aggregates = tuple(_over_columns(each, columns) for each in parts.group.aggregates)
    rows = _owned(planner, outer, width, parts, columns, tagged=True)
    having: tuple[Step, ...] = () if parts.having is None else (Test(_behind_owner(parts.having)),)
    grouped = group_over(planner, rows, (RowOf(OWNER), *keys), aggregates, having)
    if parts.distinct is not None:
        items = [(f"v{n}", _behind_owner(value)) for n, (_, value) in enumerate(parts.distinct)]
        selected = _selected(planner, grouped, ((OWNER, Cell(0)), *items))
        values = tuple(Column("", name) for name, _ in items)
        return _of_distinct(planner, selected, Column("", OWNER), values, parts)
    empty = None
    if not keys:
        none = planner.steps(planner.build(columns.tree()), (Test(Const(False)),), stored=False)  # noqa: FBT003 - a constant of the query
        empty = _shown(planner, group_over(planner, none, (), aggregates, ()), parts.row, ())[0]
    row = _behind_owner(parts.row)
    by = tuple(replace(part, by=_behind_owner(part.by)) for part in parts.by)
    shown, order = _shown(planner, grouped, row, by)
    owner_of, key_of = (_first, _second if len(keys) == 1 else _rest) if keys else (_itself, _none)
    window = (parts.limit, parts.offset)
    return Listed(shown, owner_of, key_of, Column("", "row"), order, *window, empty)


def _of_distinct(
    planner: Planning, rows: Physical, owner: Scalar, keys: tuple[Scalar, ...], parts: Parts
) -> Listed:
    """Return the distinct values, as groups without aggregates."""
    assert parts.distinct is not None
    grouped = group_over(planner, rows, (owner, *keys), (), ())
    cells = {name: Cell(n) for n, (name, _) in enumerate(parts.distinct, start=1)}
    named = dict(parts.distinct)

    def cell(node: Scalar) -> Scalar | None:
        if isinstance(node, Column) and node.alias == "":
            return cells[node.name]
        if isinstance(node, Record) and node.items == tuple(named.items()):
            return Record(tuple(cells.items()))
        return None

    by = tuple(replace(part, by=rewrite(part.by, cell)) for part in parts.by)
    shown, order = _shown(planner, grouped, rewrite(parts.row, cell), by)
    return Listed(shown, _first, _rest, Column("", "row"), order, parts.limit, parts.offset)


def _shown(
    planner: Planning, rows: Physical, row: Scalar, by: tuple[Ordering, ...]
) -> tuple[Physical, tuple[Ordering, ...]]:
    """Select what users see of a group, and what it is ordered by."""
    order = [(f"o{n}", part.by) for n, part in enumerate(by)]
    shown = _selected(planner, rows, (("row", row), *order))
    columns = tuple(
        replace(part, by=Column("", name)) for part, (name, _) in zip(by, order, strict=True)
    )
    return shown, columns


def _selected(
    planner: Planning, rows: Physical, items: tuple[tuple[str | None, Scalar], ...]
) -> Physical:
    steps = (Select(Record(items)),)
    return planner.steps(rows, steps, stored=calls_user_code(steps))


def _over_columns(aggregate: Aggregate, columns: Columns) -> Aggregate:
    return replace(
        aggregate,
        args=tuple(columns.read(arg) for arg in aggregate.args),
        where=None if aggregate.where is None else columns.read(aggregate.where),
        order_by=tuple(replace(part, by=columns.read(part.by)) for part in aggregate.order_by),
    )


def _behind_owner(node: Scalar) -> Scalar:
    """Return an expression over the cells of a group with the cell of the owner in front of them."""
    return rewrite(node, lambda part: Cell(part.index + 1) if isinstance(part, Cell) else None)
