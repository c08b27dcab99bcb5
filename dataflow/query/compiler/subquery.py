"""Taking a nested query apart: which of its clauses are about its own rows, and which about an outer row.

The tree of a query has one form (`query.clauses`), so this reads it from the top: map, select, order, distinct, having, group, and
then the rows of its sources, filtered by conditions that may name aliases of the query around it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataflow.frozen import frozen
from dataflow.query import ir
from dataflow.query.compiler.runtime import mapped
from dataflow.query.rows import column, columns_of
from dataflow.query.scalar import (
    Apply,
    Call,
    Column,
    Ordering,
    Record,
    RowOf,
    Scalar,
    aliases_of,
    conjunction,
    conjuncts,
    contains,
    reads_of,
    rewrite,
)
from dataflow.values.fields import is_typed_dict

if TYPE_CHECKING:
    from collections.abc import Callable

CHILD = "child"
"""The alias under which the rows of a nested query are known beside the outer row."""


@frozen
class Constructed:
    """Calls a class with a selected row as keyword arguments."""

    into: Any

    def __call__(self, row: Any) -> Any:
        return self.into(**row)


@frozen
class Mapped:
    """Calls what map was given."""

    function: Callable[[Any], Any]

    def __call__(self, row: Any) -> Any:
        return mapped(self.function(row))


@frozen
class Parts:
    """The clauses of a nested query.

    Attributes:
        source: Its own rows, filtered by what concerns them alone.
        correlated: Conditions that name outer aliases.
        group: The group, whose input is not to be looked at.
        having: The condition on groups.
        distinct: The names and values of the columns in which rows are to differ.
        row: What users see, over the source, the group, or of a distinct query over its columns.
        by, limit, offset: The window.
    """

    source: ir.Node
    correlated: tuple[Scalar, ...]
    group: ir.Group | None
    having: Scalar | None
    distinct: tuple[tuple[str, Scalar], ...] | None
    row: Scalar
    by: tuple[Ordering, ...]
    limit: int | None
    offset: int


def take_apart(tree: ir.Node) -> Parts:
    """Return the clauses of a nested query."""
    function, row, into, order, distinct = None, None, None, None, None
    if isinstance(tree, ir.MapRows):
        function, tree = tree.function, tree.input
    if isinstance(tree, ir.Project):
        row, into, tree = tree.row, tree.into, tree.input
    if isinstance(tree, ir.Order):
        order, tree = tree, tree.input
    if isinstance(tree, ir.SetOp):
        (selected,) = tree.inputs
        assert isinstance(selected, ir.Project)
        distinct = _columns(selected)
        tree = selected.input
    having, group, source = _grouped(tree)
    own, correlated = _conditions(source)
    if row is None or distinct is not None:
        row = Record(distinct) if distinct is not None else _visible(source)
    if into is not None and not is_typed_dict(into):
        row = Apply(Constructed(into), (row,))
    if function is not None:
        row = Apply(Mapped(function), (row,))
    by, limit, offset = ((), None, 0) if order is None else (order.by, order.limit, order.offset)
    return Parts(own, correlated, group, having, distinct, row, by, limit, offset)


def _grouped(tree: ir.Node) -> tuple[Scalar | None, ir.Group | None, ir.Node]:
    if isinstance(tree, ir.Group):
        return None, tree, tree.input
    if isinstance(tree, ir.Filter) and isinstance(tree.input, ir.Group):
        return tree.condition, tree.input, tree.input.input
    return None, None, tree


def _columns(selected: ir.Project) -> tuple[tuple[str, Scalar], ...]:
    assert isinstance(selected.row, Record)
    found = []
    for name in columns_of(selected) or ():
        value = column(selected.row, name, selected.input)
        assert value is not None
        found.append((name, value))
    return tuple(found)


def _visible(source: ir.Node) -> Scalar:
    """Return the row that users see of a query without select."""
    names = ir.scope(source)
    if len(names) == 1:
        return RowOf(names[0])
    return Record(tuple((name, RowOf(name)) for name in names))


def _conditions(source: ir.Node) -> tuple[ir.Node, tuple[Scalar, ...]]:
    """Take the conditions that name outer aliases off the rows they filter."""
    if isinstance(source, ir.Nest):
        own, correlated = _conditions(source.input)
        return ir.Nest(own, source.parts), correlated
    if not isinstance(source, ir.Filter):
        return source, ()
    here = frozenset(ir.scope(source))
    parts = conjuncts(source.condition)
    correlated = tuple(part for part in parts if aliases_of(part) - here)
    rest = tuple(part for part in parts if part not in correlated)
    return (ir.Filter(source.input, conjunction(rest)) if rest else source.input), correlated


@dataclass
class Columns:
    """The columns a nested query has to compute from its own rows, each distinct one once."""

    source: ir.Node
    known: dict[Scalar, str] = field(default_factory=dict)

    def read(self, node: Scalar) -> Scalar:
        """Return a column for an expression over the source."""
        return Column(CHILD, self.known.setdefault(node, f"c{len(self.known)}"))

    def reduce(self, node: Scalar) -> Scalar:
        """Return an expression over source and outer rows with columns for what is about the source alone."""
        here = frozenset(ir.scope(self.source))

        def own(part: Scalar) -> Scalar | None:
            named = aliases_of(part)
            return self.read(part) if named and named <= here else None

        return rewrite(node, own)

    def tree(self) -> ir.Named:
        """Return the rows of the source, reduced to the columns asked for so far."""
        items: tuple[tuple[str | None, Scalar], ...] = tuple(
            (name, node) for node, name in self.known.items()
        )
        return ir.Named(ir.Project(self.source, Record(items)), CHILD)


def join_of(outer: ir.Node, conditions: tuple[Scalar, ...], columns: Columns) -> ir.Join:
    """Return the join of outer rows with the rows of a nested query that belong to them.

    Of an outer row nothing but its key is looked at in a pair: a change of what the conditions do not read concerns no pair.
    """
    pairs: list[tuple[Scalar, Scalar]] = []
    rest: list[Scalar] = []
    for condition in map(columns.reduce, conditions):
        pair = _pair(condition)
        if pair is None:
            rest.append(condition)
        else:
            pairs.append(pair)
    residual = conjunction(tuple(rest)) if rest else None
    here = frozenset(ir.scope(outer))
    read = reads_of(*(part for pair in pairs for part in pair), *rest)
    outer = ir.Narrow(outer, frozenset(part for part in read if aliases_of(part) <= here))
    return ir.Join(outer, columns.tree(), "inner" if pairs else "cross", tuple(pairs), residual)


def _pair(condition: Scalar) -> tuple[Scalar, Scalar] | None:
    if not (isinstance(condition, Call) and condition.name == "eq"):
        return None
    for outer, own in (condition.args, condition.args[::-1]):
        named = aliases_of(outer)
        if (
            aliases_of(own) == {CHILD}
            and named
            and CHILD not in named
            and not contains(outer, Apply)
        ):
            return outer, own
    return None
