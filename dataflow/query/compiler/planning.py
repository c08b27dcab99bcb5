"""Planning: what the parts of the planner share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from dataflow.query import ir

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from dataflow.circuit.node import Node
    from dataflow.query.compiler.attach import Adopt
    from dataflow.query.compiler.layout import Layout
    from dataflow.query.compiler.steps import Step

ROW_BY_ROW: Final = (ir.Named, ir.Filter, ir.FilterRows, ir.Project, ir.MapRows)
"""What becomes a step of a chain."""


class Physical(NamedTuple):
    """A node of the graph, or a join that is to run inside its reader, and the layout of its rows."""

    node: Node
    layout: Layout


class Planning(Protocol):
    """The planner, as the files that plan one kind of IR node see it.

    Attributes:
        adopt: makes the child collections of a live result; None where nothing runs.
    """

    adopt: Adopt | None

    def build(self, tree: ir.Node, *, stored: bool = False, inside: bool = False) -> Physical:
        """Return the node of a tree; with `stored` one that keeps its rows, with `inside` a join that runs inside its reader."""
        ...

    def steps(self, upstream: Physical, steps: tuple[Step, ...], *, stored: bool) -> Physical:
        """Return the chain of some steps over a node."""
        ...

    def share(self, identity: Hashable, make: Callable[[], Node]) -> Any:
        """Return the running node of an identity, or make one."""
        ...
