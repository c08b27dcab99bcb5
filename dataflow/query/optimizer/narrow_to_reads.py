"""Find the columns that a query reads of its rows, so that changes of other columns stop at once.

    select a.x, b.y from A join B on a.k == b.k
        ->   select a.x, b.y from (A reads k, x) join (B reads k, y) on a.k == b.k

An update that leaves the columns read as they are changes nothing above; without this it would run through every pair of a join, or
take a row out of its group and put it back. Noted below joins, groups and windows, which work on whole rows; what select builds is
compared anyway. Rows themselves are not cut down: they are the source's objects, shared by all queries.

Read is what stands in an expression above, or is shown: `select(a)`, a result without select, and user functions read whole rows.
Keys are no rows: they do not change in an update.
"""

from __future__ import annotations

from itertools import chain
from typing import TypeAlias

from dataflow.query.ir import (
    Filter,
    FilterRows,
    Group,
    Join,
    Named,
    Narrow,
    Nest,
    Node,
    Order,
    Project,
    Scan,
    UnionAll,
    Windowed,
    inputs,
    scope,
    with_inputs,
)
from dataflow.query.optimizer.expressions import with_expressions
from dataflow.query.rows import columns_of
from dataflow.query.scalar import Column, RowOf, Scalar, reads_of

Wanted: TypeAlias = frozenset[Column | RowOf]
Reads: TypeAlias = Wanted | None
"""Columns, and rows as a whole, that are read of a node's row; None: all there is."""

Unary: TypeAlias = Project | Filter | Named | Group | Windowed | Order


def narrow_to_reads(node: Node) -> Node:
    """Note on every input of a join, group or window which columns are read of it, where these are not all."""
    return _narrowed(node, None)


def _narrowed(node: Node, wanted: Reads) -> Node:
    """Return a tree of whose rows some columns are read."""
    match node:
        case Project(row=row):
            return _over(node, reads_of(row))
        case Filter(condition=condition):
            return _over(node, _with(wanted, condition))
        case Named(alias=alias):
            return _over(node, _of_row(wanted, alias, node.input))
        case Join():
            return _join(node, wanted)
        case Group(keys=keys, aggregates=aggregates):
            return _on(node, _noted(node.input, reads_of(*keys, *aggregates)))
        case Windowed(windows=windows):
            return _on(node, _noted(node.input, _with(wanted, *windows)))
        case Order(by=by):
            return _over(node, _with(wanted, *(part.by for part in by)))
        case Nest(parts=parts):
            inside = frozenset[Column | RowOf]().union(*(_mentioned(part.query) for part in parts))
            below = None if wanted is None else _about(wanted | inside, node.input)
            return Nest(_narrowed(node.input, below), parts)
        case UnionAll(inputs=operands):
            found = tuple(_narrowed(each, _of_row(wanted, "", each)) for each in operands)
            return UnionAll(found)
        case _:
            return with_inputs(node, lambda below: _narrowed(below, None))


def _over(node: Unary, wanted: Reads) -> Node:
    return _on(node, _narrowed(node.input, wanted))


def _on(node: Unary, below: Node) -> Node:
    return with_inputs(node, lambda _: below) if below is not node.input else node


def _join(node: Join, wanted: Reads) -> Node:
    residual = () if node.residual is None else (node.residual,)
    read = _with(wanted, *chain.from_iterable(node.on), *residual)
    right = read
    if node.how in {"semi", "anti"}:  # of whose right side nothing is seen above
        right = reads_of(*chain.from_iterable(node.on), *residual)
    left_side = _noted(node.left, None if read is None else _about(read, node.left))
    right_side = _noted(node.right, None if right is None else _about(right, node.right))
    same = left_side is node.left and right_side is node.right
    return node if same else Join(left_side, right_side, node.how, node.on, node.residual)


def _noted(node: Node, wanted: Reads) -> Node:
    """Return an input narrowed, with a note on what is read of it if its changes may be of something else."""
    narrowed = _narrowed(node, wanted)
    if wanted is None or not _is_wide(node, wanted):
        return narrowed
    return Narrow(narrowed, wanted)


def _is_wide(node: Node, wanted: Wanted) -> bool:
    """Tell whether a node may pass on changes of columns that are not wanted."""
    match node:
        case Filter() | FilterRows():
            return _is_wide(node.input, wanted)
        case Named(alias=alias):
            below = _of_row(wanted, alias, node.input)
            return below is not None and _is_wide(node.input, below)
        case Scan(alias=alias):
            return not _is_all(wanted, alias, columns_of(node))
        case Project():
            return not _is_all(wanted, "", columns_of(node))
        case _:
            return False


def _is_all(wanted: Wanted, alias: str, columns: tuple[str, ...] | None) -> bool:
    if RowOf(alias) in wanted:
        return True
    return columns is not None and all(Column(alias, name) in wanted for name in columns)


def _with(wanted: Reads, *expressions: Scalar) -> Reads:
    return None if wanted is None else wanted | reads_of(*expressions)


def _about(wanted: Wanted, side: Node) -> Wanted:
    """Return what is wanted of the aliases of one side."""
    here = scope(side)
    return frozenset([part for part in wanted if part.alias in here])


def _of_row(wanted: Reads, alias: str, below: Node) -> Reads:
    """Return what is read of the row users see of a tree, given what is read of it under an alias."""
    if wanted is None or RowOf(alias) in wanted:
        return None
    inner = scope(below)
    name = inner[0] if len(inner) == 1 else ""
    return frozenset(Column(name, part.name) for part in wanted if isinstance(part, Column))


def _mentioned(tree: Node) -> Wanted:
    """Return the columns that stand anywhere in a nested query, those of rows around it included."""
    found: set[Column | RowOf] = set()

    def note(expression: Scalar) -> Scalar:
        found.update(reads_of(expression))
        return expression

    with_expressions(tree, note)
    return frozenset(found).union(*map(_mentioned, inputs(tree)))
