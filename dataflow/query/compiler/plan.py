"""The planner: from an optimized IR tree to nodes of the running graph.

    IR                                   physical node
    Scan                                 the source's own node
    Filter, Project, MapRows, Named …    one Chain for neighbours; stored when it is a result or calls user functions
    Join                                 plan_joins
    Group (+ Filter, Project above it)   plan_groups
    Nest                                 plan_nests
    Windowed                             plan_windows
    SetOp (+ Project below a distinct)   plan_sets
    UnionAll, Unnest                     UnionAll, Unnest
    Recursive                            plan_recursion
    Order, Rekey                         Order, Rekey

Nodes are shared through the graph: a part of a query whose identity (kind, inputs, expressions with their constants, functions
by identity) is already running is that node. Only the outermost window and re-key of a live result are its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, get_origin

from dataflow.errors import QueryError
from dataflow.frozen import frozen, replace
from dataflow.query import ir
from dataflow.query.compiler.annotate import Annotate
from dataflow.query.compiler.chain import Chain, StoredChain
from dataflow.query.compiler.inside import known_as
from dataflow.query.compiler.keys import join_key
from dataflow.query.compiler.layout import RECORD, common_layout, layout_of_type
from dataflow.query.compiler.make_entries import leading_column, order_entries
from dataflow.query.compiler.order import Order
from dataflow.query.compiler.plan_groups import library_prefix, plan_group
from dataflow.query.compiler.plan_joins import plan_join
from dataflow.query.compiler.plan_nests import plan_nest
from dataflow.query.compiler.plan_recursion import in_pairs, plan_recursion
from dataflow.query.compiler.plan_sets import plan_set_operation
from dataflow.query.compiler.plan_windows import plan_windows
from dataflow.query.compiler.planning import ROW_BY_ROW, Physical
from dataflow.query.compiler.rekey import Rekey
from dataflow.query.compiler.setops import UnionAll
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
from dataflow.query.compiler.unnest import Unnest
from dataflow.query.optimizer.facts_to_columns import WithFacts
from dataflow.query.scalar import Column
from dataflow.values.fields import is_typed_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from dataflow.circuit.graph import Graph
    from dataflow.circuit.node import Node
    from dataflow.query.compiler.attach import Adopt
    from dataflow.query.compiler.fixpoint import Loop
    from dataflow.query.compiler.layout import Layout


class Readable(Protocol):
    """A source that can be compiled against: it knows its node and how its rows are read."""

    @property
    def key_field(self) -> str | None: ...
    def physical(self) -> tuple[Node, Layout]: ...


@frozen
class Unshared:
    """Marks the outermost windows of a live result, which are its own."""


class Planner:
    """Builds, or finds, the nodes of one query.

    Args:
        graph: where they run.
        adopt: makes the child collections of its rows.
    """

    def __init__(self, graph: Graph, adopt: Adopt | None = None) -> None:
        self._graph = graph
        self.adopt: Adopt | None = adopt
        self._made: list[Node] = []

    def plan(self, tree: ir.Node, *, stored: bool = True) -> Physical:
        """Return the node of a whole query, holding one reference for the caller.

        Args:
            stored: whether it has to keep its rows.

        Raises:
            QueryError: if the query cannot run; nothing is left behind in the graph.
        """
        try:
            physical = self.build(tree, stored=stored, outermost=True)
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

    def build(
        self, tree: ir.Node, *, stored: bool = False, outermost: bool = False, inside: bool = False
    ) -> Physical:
        """Return the node of a tree; with `stored` one that keeps its rows, with `inside` a join that runs inside its reader."""
        inside = inside or stored  # which makes a chain of it
        physical = self._operator(tree, stored=stored, outermost=outermost, inside=inside)
        if stored and physical.node.rows is None:
            return self.steps(physical, (), stored=True)
        return physical

    def _operator(  # noqa: C901 - one case per kind of node
        self, tree: ir.Node, *, stored: bool, outermost: bool, inside: bool
    ) -> Physical:
        if isinstance(tree, ROW_BY_ROW):
            return self._chain(tree, stored=stored, outermost=outermost, inside=inside)
        match tree:
            case ir.Scan(source=source, alias=alias):
                return self._scan(source.relation, alias)
            case ir.Join():
                return plan_join(self, tree, inside=inside)
            case ir.Group():
                return plan_group(self, tree, ())
            case ir.Nest():
                return plan_nest(self, tree)
            case ir.Windowed():
                return plan_windows(self, tree)
            case ir.SetOp():
                return plan_set_operation(self, tree)
            case ir.UnionAll():
                return self._union_all(tree)
            case ir.Unnest():
                return self._unnest(tree)
            case ir.Recursive():
                step = in_pairs(tree.step, tree.so_far)
                return plan_recursion(
                    self, tree, lambda loop: _StepPlanner(self, tree, loop).build(step)
                )
            case ir.RecursiveRef():
                raise QueryError("the alias of a recursion is used outside of its step")
            case ir.Order():
                return self._order(tree, outermost=outermost)
            case ir.Rekey():
                return self._rekey(tree)
            case ir.Narrow(input=input_):
                return self.build(input_, stored=stored, outermost=outermost, inside=inside)

    def _scan(self, relation: Any, alias: str) -> Physical:
        if not isinstance(relation, WithFacts):
            node, layout = relation.physical()
            return Physical(node, layout.named(alias))
        rows, _ = relation.source.physical()
        facts = relation.source.facts_node()
        node = self.share(("facts", rows, facts), lambda: Annotate(rows, facts))
        return Physical(node, RECORD.named(alias))

    def _chain(self, tree: ir.Node, *, stored: bool, outermost: bool, inside: bool) -> Physical:
        steps: list[Step] = []
        base = tree
        while (step := _step(base)) is not None:
            steps += step
            base = base.input  # type: ignore[union-attr]  # nodes with a step have one input
        steps.reverse()
        if isinstance(base, ir.Group):
            fused = library_prefix(steps)
            physical = plan_group(self, base, tuple(steps[:fused]))
            steps = steps[fused:]
        else:
            does = any(not isinstance(step, Bind) for step in steps)
            physical = self.build(base, outermost=outermost, inside=inside or does)
        while cut := _barrier(steps):
            physical = self.steps(physical, tuple(steps[:cut]), stored=True)
            steps = steps[cut:]
        if all(isinstance(step, Bind) for step in steps) and (
            not stored or physical.node.rows is not None
        ):
            return Physical(physical.node, output_layout(physical.layout, steps))
        return self.steps(physical, tuple(steps), stored=stored)

    def steps(self, input_: Physical, steps: tuple[Step, ...], *, stored: bool) -> Physical:
        node, layout = input_
        own = steps
        while own and isinstance(own[-1], Bind):  # an alias makes no other result
            own = own[:-1]
        stored = stored or calls_user_code(own) or self._is_stored(node, layout, own)
        kind = StoredChain if stored else Chain
        made = self.share(
            (kind.__name__, known_as(node), layout, own), lambda: kind(node, layout, own)
        )
        return Physical(made, output_layout(layout, steps))

    def _is_stored(self, node: Node, layout: Layout, steps: tuple[Step, ...]) -> bool:
        """Tell whether a chain is running already that keeps its rows, which then serves instead of one that does not."""
        try:
            return (StoredChain.__name__, known_as(node), layout, steps) in self._graph.nodes
        except TypeError:  # unhashable, so not shared
            return False

    def _union_all(self, tree: ir.UnionAll) -> Physical:
        operands = [self.build(operand) for operand in tree.inputs]
        inputs = tuple(operand.node for operand in operands)
        node = self.share(("union all", inputs), lambda: UnionAll(inputs))
        return Physical(node, common_layout([operand.layout for operand in operands]))

    def _unnest(self, tree: ir.Unnest) -> Physical:
        node, layout = self.build(tree.input)
        made = self.share(
            ("unnest", node, tree.column, tree.position),
            lambda: Unnest(node, tree.column, tree.position),
        )
        return Physical(made, replace(RECORD, collected=layout.collected))

    def _order(self, tree: ir.Order, *, outermost: bool) -> Physical:
        input_ = self.build(tree.input, stored=True)
        by = tree.by
        identity = (
            Unshared()
            if outermost
            else ("order", input_.node, input_.layout, by, tree.limit, tree.offset)
        )
        node = self.share(
            identity,
            lambda: Order(
                input_.node,
                order_entries(input_.layout, by),
                tree.limit,
                tree.offset,
                leading_column(input_.layout, by),
            ),
        )
        return Physical(node, input_.layout)

    def _rekey(self, tree: ir.Rekey) -> Physical:
        input_ = self.build(tree.input, stored=True, outermost=True)
        key = tree.key
        if callable(key):
            label = f"{getattr(key, '__name__', 'function')}()"
            node = self.share(Unshared(), lambda: Rekey(input_.node, key, label=label))
        else:
            parts = tuple(Column(input_.layout.slots[0].alias, name) for name in key)
            label = repr(key[0]) if tree.single else repr(key)
            key_of = join_key(input_.layout, parts).of
            node = self.share(Unshared(), lambda: Rekey(input_.node, key_of, label=label))
        return Physical(node, input_.layout)

    # -- sharing -----------------------------------------------------------------------------------------------------

    def share(self, identity: Hashable, make: Callable[[], Node]) -> Any:
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

    def made_in_loop(self, identity: Hashable, node: Node) -> None:
        """Hear of a node inside a recursion, which is not shared."""


class _StepPlanner(Planner):
    """Plans the step of a recursion: what reads the rows so far is made for its loop, the rest is planned outside.

    Args:
        outside: the planner of the query with the recursion.
        tree: the recursion.
        loop: receives the nodes.
    """

    def __init__(self, outside: Planner, tree: ir.Recursive, loop: Loop) -> None:
        super().__init__(outside._graph)  # noqa: SLF001 - a planner too
        self._outside = outside
        self._so_far = tree.so_far
        self._loop = loop

    def build(
        self, tree: ir.Node, *, stored: bool = False, outermost: bool = False, inside: bool = False
    ) -> Physical:
        if not ir.refers(tree, self._so_far):
            return self._outside.build(tree, stored=stored, inside=inside)
        if tree == self._so_far:
            return Physical(self._loop.reference, RECORD)
        return super().build(tree, stored=stored, outermost=outermost, inside=inside)

    def share(self, identity: Hashable, make: Callable[[], Node]) -> Any:
        made = make()
        if not self._loop.reads(made):
            return self._outside.share(identity, lambda: made)
        self._loop.nodes[made] = None
        self._outside.made_in_loop(identity, made)
        return made

    def made_in_loop(self, identity: Hashable, node: Node) -> None:
        self._outside.made_in_loop(identity, node)


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
            if into is None or is_typed_dict(into):
                return (select,)
            return (Construct(into, layout_of_type(get_origin(into) or into)), select)
        case _:
            return None


def _barrier(steps: list[Step]) -> int:
    """Count the first steps that are a subquery with calls of user functions; 0 if there is none.

    It is a node of its own, so that all who read the subquery share what the functions returned.
    """
    for count, step in enumerate(steps):
        if isinstance(step, Bind) and calls_user_code(steps[:count]):
            return count
    return 0
