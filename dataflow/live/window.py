"""Windows that move: another limit or offset for a live query that is running.

Law     after the move the live query is what its query is with the new limit and offset; subscribers get the net difference
        as one epoch
Cost    O(window); the first two moves of a limited query also pass over its input once each, because it keeps no more of the
        order than it needs until it turns out to move
Edges   a query without an order has no window; a move that changes nothing delivers nothing; while the sources are loading it
        changes what will be shown; within a batch it is an epoch of its own, before the batch's
"""

from __future__ import annotations

from typing import Any

from dataflow.circuit.commit import Commit
from dataflow.circuit.node import Node, SourceNode
from dataflow.errors import QueryError
from dataflow.frozen import replace
from dataflow.query import ir
from dataflow.query.compiler.order import Order


class WindowMove(Commit):
    """Moves the window of a plan.

    Args:
        last: the last node of the plan.
        limit: size of the window in rows, or None.
        offset: rows skipped before it.
    """

    __slots__ = ("_last", "_limit", "_offset")

    def __init__(self, last: Node, limit: int | None, offset: int) -> None:
        self._last = last
        self._limit = limit
        self._offset = offset

    def apply(self) -> list[Node]:
        """Return a stand-in for a changed source, which the order reads."""
        order = order_below(self._last)
        order.move_window(self._limit, self._offset)
        trigger = SourceNode(label="window")
        trigger.consumers[order] = None
        return [trigger]


def order_below(last: Node) -> Order:
    """Return the order of a plan whose tree has one outermost."""
    node = last
    while not isinstance(node, Order):
        (node,) = node.inputs
    return node


def order_of(tree: ir.Node) -> ir.Order:
    """Return the outermost order of a tree, which decides how a live query is read.

    Raises:
        QueryError: if it has none.
    """
    while isinstance(tree, ir.Project | ir.MapRows | ir.Rekey):
        tree = tree.input
    if isinstance(tree, ir.Order):
        return tree
    error = QueryError("the query has no order, so no row has a place in it")
    error.add_note("call order_by(...) on the query")
    raise error


def moved(tree: ir.Node, limit: int | None, offset: int) -> ir.Node:
    """Return a tree with another outermost window.

    Raises:
        QueryError: if it has no order, or what is given is no number of rows.
    """
    if isinstance(tree, ir.Project | ir.MapRows | ir.Rekey):
        return replace(tree, input=moved(tree.input, limit, offset))
    if limit is not None:
        _check(limit, "limit", "None keeps all rows")
    _check(offset, "offset", "0 skips none")
    return replace(order_of(tree), limit=limit, offset=offset)


def _check(rows: Any, name: str, hint: str) -> None:
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 0:
        error = QueryError(f"{name} is a number of rows, 0 or more, not {rows!r}")
        error.add_note(hint)
        raise error
