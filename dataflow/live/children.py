"""Child collections: the rows that belong to one row of a live result, as a live query of their own.

What a row holds for `nested(q, live=True)`. It is read, followed, moved and queried as every live query. Its source is the branch of
its row (`split`), in which the conditions of the nested query have been answered already; it says the order and the window.

Lifetime  as long as its row: what it shows is planned when it is first used, so that rows nobody looks into cost next to nothing,
          and ends when the row leaves or the result it belongs to is released. Who follows a child keeps that result alive; who
          only holds it does not
Epochs    a changed child changes no row of the result. Both are complete before anybody is called; when the row leaves, the
          child's subscribers hear its rows leave, and its status is "closed" from then on
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from dataflow.query import ir

if TYPE_CHECKING:
    from dataflow.circuit.graph import Graph
    from dataflow.circuit.node import Node
    from dataflow.query.compiler.attach import Branching, Child
    from dataflow.query.compiler.layout import Layout


def has_children(tree: ir.Node) -> bool:
    """Tell whether rows of a query, or rows in them, hold child collections."""
    own = isinstance(tree, ir.Nest) and any(part.live for part in tree.parts)
    return own or any(map(has_children, ir.inputs(tree)))


class BranchSource:
    """What a child collection reads: the rows of one branch, before their order.

    Args:
        branching: what it has in common with other branches.
        owner: the key of the outer row.
        graph: where it runs.
    """

    __slots__ = ("_branching", "_graph", "_owner")

    key_field: ClassVar[None] = None
    row_type: ClassVar[None] = None
    is_waiting: ClassVar[bool] = False

    def __init__(self, branching: Branching, owner: Any, graph: Graph) -> None:
        self._branching = branching
        self._owner = owner
        self._graph = graph

    @property
    def name(self) -> str:
        """Label for plans."""
        return f"rows of {self._owner!r}"

    @property
    def error(self) -> BaseException | None:
        """What a user function of the nested query raised."""
        return self._branching.split.error

    @property
    def status(self) -> Literal["ready", "error"]:
        """Whether the rows are up to date."""
        return "ready" if self.error is None else "error"

    def physical(self) -> tuple[Node, Layout]:
        """Return the node of the branch, and the layout of its rows, for the compiler."""
        branch = self._branching.split.branch(self._owner)
        if branch not in self._graph.members:
            self._graph.add(branch, None)
        return branch, self._branching.layout


class _Make(Protocol):
    def __call__(self, tree: ir.Node, *, name: str, row_type: Any) -> Child: ...


class Children:
    """Makes the child collections of one live query, each for one outer row.

    Args:
        graph: where they run.
        make: what makes a live query that waits for its first use.
    """

    __slots__ = ("_graph", "_make")

    def __init__(self, graph: Graph, make: _Make) -> None:
        self._graph = graph
        self._make = make

    def __call__(self, branching: Branching, owner: Any) -> Child:
        """Return the collection of an outer row."""
        source = BranchSource(branching, owner, self._graph)
        alias = branching.layout.slots[0].alias
        rows = ir.Scan(ir.SourceRef(source), alias)
        ordered = ir.Order(rows, branching.by, branching.limit, branching.offset)
        tree = ir.Project(ordered, branching.row)
        return self._make(tree, name=branching.name, row_type=branching.row_type)
