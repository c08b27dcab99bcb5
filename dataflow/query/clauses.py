"""The clauses of a query while it is built, and the tree they become.

Clauses follow the order of calls where that order is the meaning, and refuse a call whose meaning
would depend on its place: SQL readers expect that order of clauses says nothing, readers of data
frames that it says everything, and both must read the same result. What a call may not follow is
the table `_REFUSED_AFTER`; the way out is always a subquery, `query(q.alias("x"))`.

The finished tree has one form:

    joins, where and filter    Scan, Named, Join, Filter, FilterRows, in call order
    group_by                   Group; group keys and aggregates are cells from here up
    having                     one Filter over cells
    over                       Windowed, one for each partition and order
    select, into               one Project; a join without select gets {alias: row or None}
    distinct                   SetOp over the Project; the Order then stands above it
    order_by of a call         the Order stands above a Project, too, so that the call is made once
    map                        MapRows

`selected.x` is replaced by the expression of that column, so that no reference to a column of the
select remains. `live(key=...)` puts a Rekey on top.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dataflow.errors import UnknownFieldError
from dataflow.frozen import replace
from dataflow.query import ir
from dataflow.query.grouping import Cells, over_cells
from dataflow.query.notation import text_of
from dataflow.query.rows import column, columns_of
from dataflow.query.scalar import (
    Apply,
    Cell,
    Column,
    Nested,
    Ordering,
    Record,
    RowOf,
    Scalar,
    Selected,
    Window,
    aliases_of,
    conjunction,
    contains,
    rewrite,
    rewrite_ordering,
)
from dataflow.query.scope import unknown_alias
from dataflow.query.traps import refusal
from dataflow.query.windowing import Values

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.query.scalar import Aggregate

_REFUSED_AFTER: Final[dict[str, set[str]]] = {
    "join": {"group_by", "having", "select", "distinct", "limit", "offset", "one", "map"},
    "where": {"group_by", "having", "select", "distinct", "limit", "offset", "one", "map"},
    "filter": {"group_by", "having", "select", "distinct", "limit", "offset", "one", "map"},
    "group_by": {
        "group_by",
        "having",
        "select",
        "distinct",
        "order_by",
        "limit",
        "offset",
        "one",
        "map",
    },
    "having": {"distinct", "limit", "offset", "one", "into", "map"},
    "select": {"select", "distinct", "map"},
    "into": {"into", "map"},
    "distinct": {"distinct", "limit", "offset", "one", "map"},
    "order_by": {"order_by", "limit", "offset", "one", "map"},
    "limit": {"limit", "one", "map"},
    "offset": {"offset", "one", "map"},
    "one": {"one"},
    "map": {"map"},
}


class Clauses:
    """What has been called so far; a value of which every call makes another one, which holds what has been said and no more.

    Attributes:
        source: Joins, where and filter, as a tree in call order.
        calls: Names of the clauses called, in order.
        keys: Expressions grouped by; None if the query is not grouped.
        having: Conditions on groups, over source rows.
        record: What select builds, over source rows; None without select.
        cells: What it builds over the cells of groups, and the aggregates among these; None without groups.
        into: The type select builds; None for a dict.
        distinct: Whether equal rows are one.
        order: Parts of the order, over source rows.
        limit: Rows kept; None for all.
        offset: Rows skipped.
        function: What map calls.
        single: Whether at most one row is wanted.
        correlated: Conditions of where that name aliases of a query around this one.
        outer: What those aliases stand for.
    """

    source: ir.Node
    calls: tuple[str, ...] = ()
    keys: tuple[Scalar, ...] | None = None
    having: tuple[Scalar, ...] = ()
    record: Record | None = None
    cells: tuple[Scalar, tuple[Aggregate, ...]] | None = None
    into: type[Any] | None = None
    distinct: bool = False
    order: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int = 0
    function: Callable[[Any], Any] | None = None
    single: bool = False
    correlated: tuple[Scalar, ...] = ()
    outer: tuple[tuple[str, ir.Scan | ir.Named], ...] = ()

    def __init__(self, source: ir.Node) -> None:
        self.source = source

    def changed(self, **changes: Any) -> Clauses:
        """Return the clauses with some of them changed."""
        copy = Clauses.__new__(Clauses)
        copy.__dict__ = {**self.__dict__, **changes}
        return copy

    def called(self, clause: str, **changes: Any) -> Clauses:
        """Return the clauses after one more call."""
        copy = Clauses.__new__(Clauses)
        copy.__dict__ = {**self.__dict__, "calls": (*self.calls, clause), **changes}
        return copy

    def check_place(self, clause: str) -> None:
        """Refuse a clause that may not follow what has been called before."""
        if _REFUSED_AFTER[clause].isdisjoint(self.calls):
            return
        earlier = [call for call in self.calls if call in _REFUSED_AFTER[clause]]
        if earlier[0] == clause:
            raise refusal(f"{clause} is called twice", _TWICE.get(clause, _WRAP))
        hint = f"call it before {earlier[0]}, or {_WRAP} and there call {clause}"
        why = _PLACE.get((clause, earlier[0]))
        raise refusal(
            f"{clause} cannot follow {earlier[0]}", *((hint,) if why is None else (why, hint))
        )

    def resolved(self, node: Scalar, clause: str) -> Scalar:
        """Return an expression with its selected columns replaced by what they select."""
        if not contains(node, Selected):
            return node
        return rewrite(node, lambda part: self._selected(part, clause))

    def resolved_order(self, part: Ordering, clause: str) -> Ordering:
        """Return a part of an order with its selected columns replaced."""
        return rewrite_ordering(part, lambda node: self._selected(node, clause))

    def plan(self) -> ir.Node:
        """Return the finished tree of a query that stands alone."""
        for alias, _ in self.outer:
            error = unknown_alias(alias, self.source, "where")
            error.add_note(
                "only a query inside nested(...) may name aliases of the query around it"
            )
            raise error
        if not _computes(Apply, None, self.order):
            return self.tree()
        return self._distinct_by_calls(self.tree()) if self.distinct else self._ordered_by_calls()

    def nested_plan(self) -> ir.Node:
        """Return the finished tree of a query inside another one, whose aliases it may name."""
        if not self.correlated:
            return self.tree()
        if _computes(Window, self.record, self.order):
            raise refusal(
                "a window function in a nested query that names the row around it",
                "compute it in a subquery: query(q.alias('x')).where(x.id == outer.id)",
            )
        source = ir.Filter(self.source, conjunction(self.correlated))
        return self.changed(source=source, correlated=(), outer=()).tree()

    def tree(self) -> ir.Node:
        """Return the finished tree, whichever aliases its conditions name."""
        if self.keys is not None and self.record is None:
            raise refusal(
                "group_by without select: its groups have no columns yet",
                "name them: .select(key=alias.field, n=count())",
            )
        node, record, order = self._grouped() if self.keys is not None else self._ungrouped()
        if _computes(Window, record, order):
            values = Values(node, [*(() if record is None else (record,)), *[o.by for o in order]])
            node, order = values.node, tuple(map(values.ordering, order))
            record = values.expression(self._rows() if record is None else record)
        if self.distinct:
            node, record, order = self._distinct(node, record, order)
        if order or (self.single and self.keys != ()):
            node = ir.Order(node, order, self._rows_kept(), self.offset)
        if record is not None:
            node = ir.Project(node, record, self.into)
        return node if self.function is None else ir.MapRows(node, self.function)

    def _ordered_by_calls(self) -> ir.Node:
        """Select first what functions are called for, so that the order reads what they returned."""
        record, names = self.record, None
        if record is not None:
            names = columns_of(ir.Project(self.source, record))
        if record is None or names is None:
            raise self._unnamed_call()
        known = [(name, column(record, name, self.source)) for name in names]
        order, hidden = _as_columns(self.order, known)
        whole = Record((*record.items, *hidden))
        cells = None if self.keys is None else over_cells(self.keys, whole)
        selected = self.changed(
            record=whole, cells=cells, order=(), single=False, into=None, function=None
        ).tree()
        node: ir.Node = ir.Order(selected, tuple(order), self._rows_kept(), self.offset)
        if hidden or self.into is not None:
            shown = Record(tuple((name, Column("", name)) for name in names))
            node = ir.Project(node, shown, self.into)
        return node if self.function is None else ir.MapRows(node, self.function)

    def _distinct_by_calls(self, node: ir.Node) -> ir.Node:
        """Select what functions are called for beside the distinct rows of a finished tree."""
        if not isinstance(node, ir.Order):
            assert isinstance(node, ir.Project | ir.MapRows)
            return replace(node, input=self._distinct_by_calls(node.input))
        names = columns_of(node.input)
        if names is None:
            raise self._unnamed_call()
        shown: list[tuple[str | None, Scalar]] = [(name, Column("", name)) for name in names]
        order, hidden = _as_columns(node.by, [(name, Column("", name)) for name in names])
        selected = ir.Project(node.input, Record((*shown, *hidden)))
        return ir.Project(replace(node, input=selected, by=tuple(order)), Record(tuple(shown)))

    def _unnamed_call(self) -> Exception:
        called = next(part.by for part in self.order if contains(part.by, Apply))
        return refusal(
            f"order_by {text_of(called)}: a call is ordered by as a column alone",
            "name the columns: select(id=a.id, place=fn(f, a.x)).order_by(selected.place)",
        )

    def _rows_kept(self) -> int | None:
        if not self.single:
            return self.limit
        return 1 if self.limit is None else min(1, self.limit)

    def _grouped(self) -> tuple[ir.Node, Scalar, tuple[Ordering, ...]]:
        assert self.cells is not None
        row, aggregates = self.cells
        keys = self.keys or ()
        cells = Cells(keys, aggregates)
        having = [cells.expression(part, "having") for part in self.having]
        order = tuple([cells.ordering(part, "order_by") for part in self.order])
        node: ir.Node = ir.Group(self.source, keys, cells.aggregates)
        if having:
            node = ir.Filter(node, conjunction(tuple(having)))
        return node, row, order

    def _ungrouped(self) -> tuple[ir.Node, Scalar | None, tuple[Ordering, ...]]:
        record = self.record
        if record is None and self.function is None:
            aliases = ir.scope(self.source)
            if len(aliases) > 1:
                record = Record(tuple([(alias, RowOf(alias)) for alias in aliases]))
        if not _computes(Nested, record, self.order):
            return self.source, record, self.order
        parts: dict[Nested, ir.Subquery] = {}

        def beside(node: Scalar) -> Scalar | None:
            if not isinstance(node, Nested):
                return None
            if node not in parts:
                assert isinstance(node.query, ir.Node)
                alias = f"nested {len(parts) + 1}"
                parts[node] = ir.Subquery(alias, node.query, node.one, node.live)
            return RowOf(parts[node].alias)

        row = None if record is None else rewrite(record, beside)
        order = tuple(rewrite_ordering(part, beside) for part in self.order)
        return ir.Nest(self.source, tuple(parts.values())), row, order

    def _rows(self) -> Scalar:
        """Return the row users see without a select."""
        aliases = ir.scope(self.source)
        rows = tuple((alias, RowOf(alias)) for alias in aliases)
        return rows[0][1] if len(rows) == 1 else Record(rows)

    def _distinct(
        self, node: ir.Node, record: Scalar | None, order: tuple[Ordering, ...]
    ) -> tuple[ir.Node, Scalar | None, tuple[Ordering, ...]]:
        """Put the distinct rows below their order, which can speak of nothing but their columns."""
        aliases = frozenset(ir.scope(node))
        selected = node if record is None else ir.Project(node, record)
        distinct = ir.SetOp((selected,), "distinct", columns_of(selected))

        def shown(part: Scalar) -> Scalar | None:
            if record is None:
                return Column("", part.name) if isinstance(part, Column) else None
            for name, value in record.items if isinstance(record, Record) else ():
                if value == part and name is not None:
                    return Column("", name)
                if name is None and isinstance(part, Column) and value == RowOf(part.alias):
                    return Column("", part.name)
            return None

        parts = tuple(rewrite_ordering(part, shown) for part in order)
        for before, part in zip(self.order, parts, strict=True):
            if aliases_of(part.by) & aliases or contains(part.by, Cell):
                raise refusal(
                    f"order_by {text_of(before.by)} after distinct: equal rows may differ in it",
                    "order by what is selected, or select it too",
                )
        return distinct, None if self.into is None else RowOf(""), parts

    def _selected(self, node: Scalar, clause: str) -> Scalar | None:
        if not isinstance(node, Selected):
            return None
        if self.record is None:
            raise refusal(
                f"selected.{node.name} in {clause} before there is a select",
                f"call select(...) first, then {clause}"
                if clause != "select"
                else f"{node.name} = expression; select({node.name}={node.name}, more={node.name} + 1)",
            )
        found = column(self.record, node.name, self.source)
        if found is None:
            known = columns_of(ir.Project(self.source, self.record)) or ()
            raise UnknownFieldError(node.name, "select", known)
        return found


def _computes(kind: type[Scalar], record: Scalar | None, order: tuple[Ordering, ...]) -> bool:
    """Tell whether a node of a class is computed for each row of the result."""
    for part in order:
        if contains(part.by, kind):
            return True
    return record is not None and contains(record, kind)


def _as_columns(
    parts: tuple[Ordering, ...], known: list[tuple[str, Scalar | None]]
) -> tuple[list[Ordering], list[tuple[str | None, Scalar]]]:
    """Return an order that speaks of columns alone, and the columns to be selected for it.

    Args:
        parts: The order.
        known: The columns there are, and what they stand for.
    """
    hidden: list[tuple[str | None, Scalar]] = []
    order: list[Ordering] = []
    for part in parts:
        name = next((name for name, value in known if value == part.by), None)
        if name is None:
            name = f"order {len(hidden) + 1}"
            hidden.append((name, part.by))
        order.append(replace(part, by=Column("", name)))
    return order, hidden


_WRAP: Final = "wrap it: query(q.alias('x'))"
_TWICE: Final = {
    "order_by": "name all parts of the order in one call: order_by(a.x, a.y.desc())",
    "group_by": "name all keys in one call: group_by(a.x, a.y)",
    "limit": "the query keeps one window: limit(n, offset=k)",
    "offset": "the query keeps one window: limit(n, offset=k)",
    "select": "name all columns in one call: select(a, total=a.x + 1)",
}
_PLACE: Final[dict[tuple[str, str], str]] = {
    ("where", "group_by"): "where looks at rows; a condition on groups is having(...)",
    ("order_by", "one"): "order_by decides which row is the first, so it comes before",
}
