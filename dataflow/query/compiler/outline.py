"""Outline: a plan that is drawn, not run.

Planning again finds every node that runs already. What does not run is made and left alone: it is not wired to its inputs, reads no
row and calls no user function. Beside the nodes an outline keeps what they are: their identity, by which equal parts are
recognized, and the part of the query they answer.

An outermost window or re-key is never shared, so the outline of a running query has one of its own; `counterparts` finds the one
that runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.query.compiler.plan import Planner, Unshared

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from dataflow.circuit.graph import Graph
    from dataflow.circuit.node import Node
    from dataflow.query import ir
    from dataflow.query.compiler.layout import Layout
    from dataflow.query.compiler.planning import Physical


class Outline(Planner):
    """Draws the plan of one query.

    Attributes:
        identities: node -> what it was asked for as: its kind, then what makes it different from others.
        answers: node -> the part of the query it answers, and where the fields of its rows are.
        loops: node of a recursion -> the same, drawn anew, so that the nodes inside it are known.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.identities: dict[Node, tuple[Any, ...]] = {}
        self.answers: dict[Node, tuple[ir.Node, Layout]] = {}
        self.loops: dict[Node, Node] = {}
        self._known: dict[Hashable, Node] = {}

    def build(
        self, tree: ir.Node, *, stored: bool = False, outermost: bool = False, inside: bool = False
    ) -> Physical:
        """Return the node of a tree, and remember what it is for."""
        physical = super().build(tree, stored=stored, outermost=outermost, inside=inside)
        self.answers.setdefault(physical.node, (tree, physical.layout))
        return physical

    def _operator(self, tree: ir.Node, *, stored: bool, outermost: bool, inside: bool) -> Physical:
        physical = super()._operator(tree, stored=stored, outermost=outermost, inside=inside)
        self.answers.setdefault(physical.node, (tree, physical.layout))
        return physical

    def share(self, identity: Hashable, make: Callable[[], Node]) -> Any:
        """Return the running node of an identity, or one that was drawn before, or draw one."""
        found = self._find(identity)
        kind = identity[0] if isinstance(identity, tuple) else None
        if found is None or kind == "recursive":
            made = make()
            found = found or made
            self._remember(identity, found)
            if kind == "recursive":
                self.loops[found] = made
        if isinstance(identity, tuple):
            self.identities[found] = identity
        return found

    def made_in_loop(self, identity: Hashable, node: Node) -> None:
        """Remember what a node inside a recursion is."""
        assert isinstance(identity, tuple)
        self.identities[node] = identity

    def _find(self, identity: Hashable) -> Node | None:
        if isinstance(identity, Unshared):
            return None
        try:
            return self._graph.nodes.get(identity) or self._known.get(identity)
        except TypeError:  # an unhashable constant or callable
            return None

    def _remember(self, identity: Hashable, node: Node) -> None:
        if isinstance(identity, Unshared):
            return
        try:
            self._known[identity] = node
        except TypeError:
            return


def counterparts(drawn: Node, running: Node) -> dict[Node, Node]:
    """Return drawn node -> running node, of two plans of one query."""
    found = {drawn: running}
    pending = [(drawn, running)]
    while pending:
        mine, theirs = pending.pop()
        for below in zip(mine.inputs, theirs.inputs, strict=False):
            if below[0] is not below[1] and below[0] not in found:
                found[below[0]] = below[1]
                pending.append(below)
    return found
