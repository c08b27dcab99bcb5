"""Windowed expressions: what select and order_by compute from the rows around a row.

A `Windowed` node appends the values of window functions to a row; `Values` rewrites an expression
with window functions into one that reads those values. Functions that share partition and order
share a node, so that its rows are kept and sorted once.

Law     rewriting gives an expression without windows
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.query import ir
from dataflow.query.scalar import (
    Cell,
    Ordering,
    Scalar,
    Window,
    contains,
    rewrite,
    rewrite_ordering,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


class Values:
    """The values of all window functions in some expressions.

    Args:
        source: The tree whose rows the expressions speak of.
        expressions: What select and order_by compute.
    """

    __slots__ = ("_cells", "node")

    def __init__(self, source: ir.Node, expressions: Iterable[Scalar]) -> None:
        found = dict.fromkeys(
            part
            for node in expressions
            if contains(node, Window)
            for part in walk(node)
            if isinstance(part, Window)
        )
        alike: dict[object, list[Window]] = {}
        for window in found:
            alike.setdefault((window.partition_by, window.order_by), []).append(window)
        self.node = source
        self._cells: dict[Window, Cell] = {}
        for windows in alike.values():
            start = ir.width(self.node)
            self._cells |= {window: Cell(start + n) for n, window in enumerate(windows)}
            self.node = ir.Windowed(self.node, tuple(windows))

    def expression(self, node: Scalar) -> Scalar:
        """Return an expression that reads values instead of computing windows."""
        return rewrite(node, self._cell)

    def ordering(self, part: Ordering) -> Ordering:
        """Return a part of an order with its expression rewritten."""
        return rewrite_ordering(part, self._cell)

    def _cell(self, node: Scalar) -> Scalar | None:
        return self._cells.get(node) if isinstance(node, Window) else None
