"""Grouped expressions: what select, having and order_by compute from a group.

The rows of a `Group` are tuples of cells: the group keys, then the aggregates, each distinct one
once. `Cells` rewrites an expression over source rows into one over cells. What is neither a key,
nor an aggregate, nor made of those has no single value in a group, and is refused by name.

Law     rewriting gives an expression without columns, rows, facts and aggregates
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from dataflow.query.notation import text_of
from dataflow.query.scalar import (
    Aggregate,
    Cell,
    Column,
    Const,
    Fact,
    Nested,
    Ordering,
    Record,
    RowOf,
    Scalar,
    all_columns,
    children,
    rewrite,
    rewrite_ordering,
)
from dataflow.query.traps import refusal

if TYPE_CHECKING:
    from collections.abc import Sequence


_OF_ROWS: Final = (Column, RowOf, Fact)


class Cells:
    """The cells of a group, as far as the expressions rewritten so far need them.

    Args:
        keys: The expressions grouped by.
        aggregates: Those that have a cell already.
    """

    __slots__ = ("_aggregates", "_keys")

    def __init__(self, keys: Sequence[Scalar], aggregates: Sequence[Aggregate] = ()) -> None:
        self._keys = tuple(keys)
        self._aggregates = list(aggregates)

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        """The distinct aggregates met so far, in the order of their cells."""
        return tuple(self._aggregates)

    def expression(self, node: Scalar, clause: str) -> Scalar:
        """Return an expression over source rows as one over cells.

        Raises:
            QueryError: A column is neither grouped nor aggregated.
        """
        return rewrite(node, lambda part: self._cell(part, clause))

    def ordering(self, part: Ordering, clause: str) -> Ordering:
        """Return a part of an order with its expression rewritten."""
        return rewrite_ordering(part, lambda node: self._cell(node, clause))

    def _cell(self, node: Scalar, clause: str) -> Scalar | None:
        if isinstance(node, Aggregate):
            return _cell_at(len(self._keys) + self._position(node))
        if node in self._keys:
            return _cell_at(self._keys.index(node))
        if isinstance(node, Nested):
            raise refusal(
                f"{text_of(node)} in {clause} of a query with groups",
                "wrap the query: query(q.alias('x')).select(x, rows=nested(...))",
            )
        if isinstance(node, _OF_ROWS):
            raise self._ungrouped(node, clause)
        return None

    def _position(self, aggregate: Aggregate) -> int:
        for position, known in enumerate(self._aggregates):
            if _same(known, aggregate):
                return position
        self._aggregates.append(aggregate)
        return len(self._aggregates) - 1

    def _ungrouped(self, node: Scalar, clause: str) -> Exception:
        keys = ", ".join(map(text_of, self._keys)) or "the whole input as one group"
        return refusal(
            f"{text_of(node)!r} in {clause} is neither grouped nor aggregated",
            f"the query is grouped by {keys}",
            "add it to group_by, or aggregate it: first(x), max_(x), collect(x)",
        )


def over_cells(keys: tuple[Scalar, ...], record: Record) -> tuple[Scalar, tuple[Aggregate, ...]]:
    """Return what a select builds from the cells of groups, and the aggregates among these.

    Raises:
        QueryError: A column is neither grouped nor aggregated.
    """
    return (_known_cells if _is_kept(keys, record) else _cells)(keys, record)


def _is_kept(keys: tuple[Scalar, ...], record: Record) -> bool:
    """Tell whether a select is of columns and aggregates of columns alone; all else may hold on to anything."""
    return all_columns(keys) and all(map(_is_plain, children(record)))


def _is_plain(node: Scalar) -> bool:
    if not isinstance(node, Aggregate):
        return isinstance(node, Column)
    narrowed = node.where is not None or node.order_by or node.options
    return not narrowed and all_columns(node.args)


def _cells(keys: tuple[Scalar, ...], record: Record) -> tuple[Scalar, tuple[Aggregate, ...]]:
    cells = Cells(keys)
    return cells.expression(record, "select"), cells.aggregates


_known_cells = lru_cache(maxsize=1_000)(_cells)


@lru_cache(maxsize=1_000)
def _cell_at(index: int) -> Cell:
    """Return the one node of a cell, so that its hash is computed once."""
    return Cell(index)


def _same(a: Aggregate, b: Aggregate) -> bool:
    """Tell whether two aggregates are one; options compare as constants do, 0 is not False."""
    if a is b or a.kind != b.kind:
        return a is b
    plain = a.args == b.args and a.where == b.where and a.order_by == b.order_by
    return plain and tuple(map(Const, a.options)) == tuple(map(Const, b.options))
