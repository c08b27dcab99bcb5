"""Statistics of a live query: what its plan holds and has touched, node by node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataflow.circuit.node import Node, SourceNode

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class NodeStatistics:
    """One node of a plan.

    Attributes:
        label: what it does.
        rank: its place in the order of an epoch.
        rows_held: rows in its state.
        rows_touched: rows read or written since it was made, hydration not counted.
        steps: epochs it took part in.
        shared_by: nodes and live queries that use it.
    """

    label: str
    rank: int
    rows_held: int
    rows_touched: int
    steps: int
    shared_by: int


@dataclass(frozen=True, slots=True)
class LiveStatistics:
    """A plan: totals over its nodes, sources not counted, and the nodes in rank order."""

    rows_held: int
    rows_touched: int
    nodes: tuple[NodeStatistics, ...]


def plan_nodes(last: Iterable[Node]) -> list[Node]:
    """Return the nodes of a plan, in rank order."""
    seen = dict.fromkeys(last)
    for node in (pending := list(seen)):
        for source in node.inputs:
            if source not in seen:
                seen[source] = None
                pending.append(source)
    return sorted(seen, key=lambda node: node.rank)


def statistics_of(last: Iterable[Node]) -> LiveStatistics:
    """Return the statistics of the plan that ends in some nodes."""
    nodes = [node for node in plan_nodes(last) if not isinstance(node, SourceNode)]
    return LiveStatistics(
        rows_held=sum(node.state_rows() for node in nodes),
        rows_touched=sum(node.touched for node in nodes),
        nodes=tuple(
            NodeStatistics(
                node.label, node.rank, node.state_rows(), node.touched, node.steps, node.references
            )
            for node in nodes
        ),
    )
