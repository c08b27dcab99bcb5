"""The planner: from an optimized IR tree to nodes of the running graph.

    IR                                   physical node
    Scan                                 the source's own node
    Filter, Project, MapRows, Named …    one Chain for neighbours; stored when it is a result or calls user functions
    Join                                 Join over two Indexes, or over one and the rows of a side joined on its own key
    Group (+ Filter, Project above it)   Group, with the library steps that follow it
    Order                                Order
    Rekey                                Rekey

Nodes are shared through the graph: a part of a query whose identity (kind, inputs, expressions with their constants, functions
by identity) is already running is that node. Only the outermost window and re-key of a live result are its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, get_origin, is_typeddict

from dataflow.errors import QueryError
from dataflow.query import ir
from dataflow.query.compiler.chain import Chain, StoredChain
from dataflow.query.compiler.group import Group
from dataflow.query.compiler.index import Index
from dataflow.query.compiler.join import Join, JoinShape
from dataflow.query.compiler.keys import join_key, order_entry, value_of_columns
from dataflow.query.compiler.layout import CELLS, Layout, common_layout, layout_of_type
from dataflow.query.compiler.matching import Matched, Outer
from dataflow.query.compiler.order import Order
from dataflow.query.compiler.rekey import Rekey
from dataflow.query.compiler.semijoin import SemiJoin
from dataflow.query.compiler.setops import SetOperation, UnionAll
from dataflow.query.compiler.steps import (
    Bind,
    CallFilter,
    CallMap,
    Construct,
    Select,
    Step,
    Test,
    calls_user_code,
    output_layout,
)
from dataflow.query.scalar import (
    Aggregate,
    Apply,
    Column,
    Const,
    Ordering,
    Record,
    Scalar,
    contains,
)
from dataflow.values.normal import normal

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from dataflow.circuit.graph import Graph
    from dataflow.circuit.node import Node


class Physical(NamedTuple):
    """A node of the graph and the layout of its rows."""

    node: Node
    layout: Layout


class Readable(Protocol):
    """A source that can be compiled against: it knows its node and how its rows are read."""

    @property
    def key_field(self) -> str | None: ...
    def physical(self) -> tuple[Node, Layout]: ...


@dataclass(frozen=True, slots=True)
class Unshared:
    """Marks the outermost windows of a live result, which are its own."""


class Planner:
    """Builds, or finds, the nodes of one query."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._made: list[Node] = []

    def plan(self, tree: ir.Node) -> Physical:
        """Return the node of a whole query, with its rows kept, holding one reference for the caller.

        Raises:
            QueryError: if the query cannot run; nothing is left behind in the graph.
        """
        try:
            physical = self._build(tree, stored=True, outermost=True)
        except BaseException:
            self._discard()
            raise
        physical.node.references += 1
        return physical

    def _discard(self) -> None:
        for node in reversed(self._made):
            if node.references == 0 and node in self._graph.members:
                node.references = 1
                self._graph.release(node)

    # -- one method per kind of IR node ------------------------------------------------------------------------------

    def _build(self, tree: ir.Node, *, stored: bool = False, outermost: bool = False) -> Physical:
        """Return the node of a tree; with `stored` one that keeps its rows."""
        physical = self._operator(tree, stored=stored, outermost=outermost)
        if stored and physical.node.rows is None:
            return self._steps(physical, (), stored=True)
        return physical

    def _operator(self, tree: ir.Node, *, stored: bool, outermost: bool) -> Physical:
        match tree:
            case ir.Scan(source=source, alias=alias):
                relation: Any = source.relation
                node, layout = relation.physical()
                return Physical(node, layout.named(alias))
            case ir.Join():
                return self._join(tree)
            case ir.Group():
                return self._group(tree, ())
            case ir.SetOp():
                return self._set_operation(tree)
            case ir.UnionAll():
                return self._union_all(tree)
            case ir.Order():
                return self._order(tree, outermost=outermost)
            case ir.Rekey():
                return self._rekey(tree)
            case _:
                return self._chain(tree, stored=stored, outermost=outermost)

    def _chain(self, tree: ir.Node, *, stored: bool, outermost: bool) -> Physical:
        steps: list[Step] = []
        base = tree
        while (step := _step(base)) is not None:
            steps += step
            base = base.input  # type: ignore[union-attr]  # nodes with a step have one input
        steps.reverse()
        if isinstance(base, ir.Group):
            fused = _library_prefix(steps)
            physical = self._group(base, tuple(steps[:fused]))
            steps = steps[fused:]
        else:
            physical = self._build(base, outermost=outermost)
        while cut := _barrier(steps):
            physical = self._steps(physical, tuple(steps[:cut]), stored=True)
            steps = steps[cut:]
        if all(isinstance(step, Bind) for step in steps) and (
            not stored or physical.node.rows is not None
        ):
            return Physical(physical.node, output_layout(physical.layout, steps))
        return self._steps(physical, tuple(steps), stored=stored)

    def _steps(self, input_: Physical, steps: tuple[Step, ...], *, stored: bool) -> Physical:
        node, layout = input_
        kind = StoredChain if stored or calls_user_code(steps) else Chain
        made = self._share((kind.__name__, node, layout, steps), lambda: kind(node, layout, steps))
        return Physical(made, output_layout(layout, steps))

    def _join(self, tree: ir.Join) -> Physical:
        exists = tree.how in {"semi", "anti"}
        if exists and tree.residual is None:
            return self._semijoin(tree)
        if tree.how in {"inner", "cross"} or (tree.how == "left" and tree.residual is None):
            return self._pairs(tree, outer=tree.how == "left")
        pairs = self._pairs(tree, outer=False)
        left = self._build(tree.left, stored=True)
        width = max(len(left.layout.slots), 1)
        if exists:
            wanted = tree.how == "semi"
            node = self._share(
                ("matched", pairs.node, left.node, width, wanted),
                lambda: Matched(pairs.node, left.node, width, wanted=wanted),
            )
            return Physical(node, left.layout)
        right = self._build(tree.right, stored=True)
        keep_left, keep_right = tree.how in {"left", "full"}, tree.how in {"right", "full"}
        node = self._share(
            ("outer", pairs.node, left.node, right.node, width, keep_left, keep_right),
            lambda: Outer(
                pairs.node, left.node, right.node, width, keep_left=keep_left, keep_right=keep_right
            ),
        )
        return Physical(node, pairs.layout.absent(width, left=keep_right, right=keep_left))

    def _semijoin(self, tree: ir.Join) -> Physical:
        left = self._build(tree.left)
        left_index = self._index(left, tuple(pair[0] for pair in tree.on))
        right_index = self._index(self._build(tree.right), tuple(pair[1] for pair in tree.on))
        wanted = tree.how == "semi"
        node = self._share(
            ("semijoin", left.node, left_index, right_index, wanted),
            lambda: SemiJoin(left.node, left_index, right_index, wanted=wanted),
        )
        return Physical(node, left.layout)

    def _pairs(self, tree: ir.Join, *, outer: bool) -> Physical:
        """Return the pairs of rows that match, and with `outer` the left rows that match nothing."""
        primary = _joins_on_row_key(tree)
        left = self._build(tree.left)
        right = self._build(tree.right, stored=primary)
        left_index = self._index(left, tuple(pair[0] for pair in tree.on))
        right_index = None if primary else self._index(right, tuple(pair[1] for pair in tree.on))
        shape = JoinShape(outer=outer, primary=primary, flat=left.layout.joined)
        node = self._share(
            ("join", left.node, right.node, shape, left_index, right_index),
            lambda: Join(left.node, right.node, shape, left_index, right_index),
        )
        joined = Physical(node, left.layout.joined_with(right.layout, nullable=outer))
        return (
            joined
            if tree.residual is None
            else self._steps(joined, (Test(tree.residual),), stored=False)
        )

    @staticmethod
    def _without_calls(side: Physical, parts: tuple[Scalar, ...]) -> Physical:
        if any(contains(part, Apply) for part in parts):
            raise QueryError(
                "a join condition cannot call a Python function: select its result first"
            )
        return side

    def _index(self, side: Physical, parts: tuple[Scalar, ...]) -> Index:
        self._without_calls(side, parts)
        made = self._share(
            ("index", side.node, side.layout, parts),
            lambda: Index(side.node, join_key(side.layout, parts)),
        )
        assert isinstance(made, Index)
        return made

    def _group(self, tree: ir.Group, steps: tuple[Step, ...]) -> Physical:
        input_ = self._build(tree.input)
        keys, aggregates = tree.keys, tree.aggregates
        if any(contains(part, Apply) for part in (*keys, *aggregates)):
            input_, keys, aggregates = self._compute_calls(input_, keys, aggregates)
        node = self._share(
            ("group", input_.node, input_.layout, keys, aggregates, _options(aggregates), steps),
            lambda: Group(input_.node, input_.layout, keys, aggregates, steps),
        )
        collected = any(aggregate.kind == "collect" for aggregate in aggregates)
        return Physical(node, output_layout(replace(CELLS, collected=collected), steps))

    def _compute_calls(
        self, input_: Physical, keys: tuple[Scalar, ...], aggregates: tuple[Aggregate, ...]
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
            self._steps(input_, (Select(Record(tuple(items))),), stored=True),
            new_keys,
            new_aggregates,
        )

    def _set_operation(self, tree: ir.SetOp) -> Physical:
        operands = [self._build(operand) for operand in tree.inputs]
        columns = tree.columns
        values_of = tuple(
            normal if columns is None else value_of_columns(operand.layout, columns)
            for operand in operands
        )
        layout = common_layout([operand.layout for operand in operands])
        dicts = columns if layout.slots[0].kind == "mapping" else None
        inputs = tuple(operand.node for operand in operands)
        node = self._share(
            ("set operation", tree.kind, inputs, tuple(each.layout for each in operands), columns),
            lambda: SetOperation(inputs, tree.kind, values_of, dicts),
        )
        return Physical(node, layout)

    def _union_all(self, tree: ir.UnionAll) -> Physical:
        operands = [self._build(operand) for operand in tree.inputs]
        inputs = tuple(operand.node for operand in operands)
        node = self._share(("union all", inputs), lambda: UnionAll(inputs))
        return Physical(node, common_layout([operand.layout for operand in operands]))

    def _order(self, tree: ir.Order, *, outermost: bool) -> Physical:
        input_ = self._build(tree.input, stored=True)
        by = tree.by
        if any(contains(part.by, Apply) for part in by):
            raise QueryError("order_by cannot call a Python function: select its result first")
        identity = (
            Unshared()
            if outermost
            else ("order", input_.node, input_.layout, by, tree.limit, tree.offset)
        )
        node = self._share(
            identity,
            lambda: Order(input_.node, order_entry(input_.layout, by), tree.limit, tree.offset),
        )
        return Physical(node, input_.layout)

    def _rekey(self, tree: ir.Rekey) -> Physical:
        input_ = self._build(tree.input, stored=True, outermost=True)
        key = tree.key
        if callable(key):
            label = f"{getattr(key, '__name__', 'function')}()"
            node = self._share(Unshared(), lambda: Rekey(input_.node, key, label=label))
        else:
            parts = tuple(Column(input_.layout.slots[0].alias, name) for name in key)
            label = repr(key[0]) if tree.single else repr(key)
            key_of = join_key(input_.layout, parts)
            node = self._share(Unshared(), lambda: Rekey(input_.node, key_of, label=label))
        return Physical(node, input_.layout)

    # -- sharing -----------------------------------------------------------------------------------------------------

    def _share(self, identity: Hashable, make: Callable[[], Node]) -> Any:
        """Return the running node of an identity, or make, wire and hydrate one."""
        shared: Hashable = None if isinstance(identity, Unshared) else identity
        try:
            found = None if shared is None else self._graph.nodes.get(shared)
        except TypeError:  # an unhashable constant or callable: the node is not shared
            shared, found = None, None
        if found is None:
            found = make()
            self._graph.add(found, shared)
            self._made.append(found)
        return found


def _step(node: ir.Node) -> tuple[Step, ...] | None:
    """Return the steps of an IR node, last first, or None if it is no row-by-row node."""
    match node:
        case ir.Named(alias=alias):
            return (Bind(alias),)
        case ir.Filter(condition=condition):
            return (Test(condition),)
        case ir.FilterRows(function=function):
            return (CallFilter(function),)
        case ir.MapRows(function=function):
            return (CallMap(function),)
        case ir.Project(row=row, into=into):
            select = Select(row)
            if into is None or is_typeddict(into):
                return (select,)
            return (Construct(into, layout_of_type(get_origin(into) or into)), select)
        case _:
            return None


def _options(aggregates: tuple[Aggregate, ...]) -> tuple[Const, ...]:
    """Return the options of aggregates as constants, which tell a fold that starts with 0 from one that starts with False."""
    return tuple(Const(option) for aggregate in aggregates for option in aggregate.options)


def _library_prefix(steps: list[Step]) -> int:
    """Count the first steps that a group can run itself: conditions and at most one select, without user functions."""
    for count, step in enumerate(steps):
        if calls_user_code((step,)) or not isinstance(step, Test | Select):
            return count
        if isinstance(step, Select):
            return count + 1
    return len(steps)


def _barrier(steps: list[Step]) -> int:
    """Count the first steps that are a subquery with calls of user functions; 0 if there is none.

    It is a node of its own, so that all who read the subquery share what the functions returned.
    """
    for count, step in enumerate(steps):
        if isinstance(step, Bind) and calls_user_code(steps[:count]):
            return count
    return 0


def _joins_on_row_key(tree: ir.Join) -> bool:
    """Tell whether the right side is joined on the key under which its rows are known."""
    if len(tree.on) != 1:
        return False
    right, part = tree.right, tree.on[0][1]
    while isinstance(right, ir.Filter | ir.FilterRows):
        right = right.input
    if not isinstance(right, ir.Scan) or not isinstance(part, Column):
        return False
    return right.source.relation.key_field == part.name
