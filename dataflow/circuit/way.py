"""Ways: the nodes that a change of one source can reach, found once instead of rank by rank in every epoch.

Law     stepping the nodes of a way in order, those with a changed input, does what waking consumers rank by rank does
Cost    finding one: O(its nodes), after the nodes of the graph have changed; following one: a test per node
Edges   there is none where it would be long, since idle queries are not to be visited, and none through a router that chooses
        among readers; an epoch that meets a node out of order goes on rank by rank from there
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.circuit.router import FEW

if TYPE_CHECKING:
    from dataflow.circuit.node import Node, SourceNode, Way


def way_from(source: SourceNode) -> Way | None:
    """Return the way that changes of a source take, None if they have to look for it in every epoch."""
    ranks: dict[int, dict[Node, None]] = {0: {source: None}}
    found: list[Node] = []
    while ranks:
        for node in ranks.pop(min(ranks)):
            if len(found) > FEW or not (node is source or node.router is None):
                return None  # up to so many readers a router of a source wakes them all
            found.append(node)
            for consumer in node.consumers:
                if node not in consumer.inputs:  # woken by a stand-in of its input
                    return None
                ranks.setdefault(consumer.rank, {})[consumer] = None
    return tuple((node, node.inputs) for node in found[1:])
