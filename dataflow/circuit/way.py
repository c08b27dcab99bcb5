"""Ways: the nodes that a change of one source can reach, found once instead of rank by rank in every epoch.

Law     following a way steps what waking consumers rank by rank would step: its nodes in order, those with a changed input
Cost    finding one: O(its nodes), after the nodes of the graph have changed; following one: a test per node
Edges   there is none where it would be long, since idle queries are not to be visited, none through a router that chooses
        among readers, and none with a node out of order. It ends at a step that raises

What follows a way is generated, one function for each shape: which nodes read which. With the nodes of one way written out,
Python knows of each place in the code what it meets there. In a loop over nodes of many kinds it knows nothing, and takes
a quarter of a microsecond more for each.

    if n0.out:
        try:
            out = step1()
        except BaseException as error:
            return 1, error
        ...
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from dataflow.circuit.node import Way
from dataflow.circuit.router import FEW

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.circuit.node import Node, SourceNode

Shape: TypeAlias = tuple[tuple[int, ...], ...]
"""Of each node after the first the places of its inputs on the way."""


def way_from(source: SourceNode) -> Way | None:
    """Return the way that changes of a source take, None if they have to look for it in every epoch."""
    ranks: dict[int, dict[Node, None]] = {0: {source: None}}
    places: dict[Node, int] = {}
    while ranks:
        for node in ranks.pop(min(ranks)):
            if len(places) > FEW or not (
                node is source or (node.router is None and not node.error)
            ):
                return None  # up to so many readers a router of a source wakes them all
            places[node] = len(places)
            for consumer in node.consumers:
                if node not in consumer.inputs:  # woken by a stand-in of its input
                    return None
                ranks.setdefault(consumer.rank, {})[consumer] = None
    nodes = tuple(places)
    shape = tuple(
        tuple(places[each] for each in dict.fromkeys(node.inputs) if each in places)
        for node in nodes[1:]
    )
    return Way(nodes, _following(shape)(*nodes))


@lru_cache(maxsize=1_000)
def _following(shape: Shape) -> Callable[..., Any]:
    """Return what makes, of the nodes of a way of some shape, the function that follows it."""
    lines = [f"def make({', '.join(f'n{place}' for place in range(len(shape) + 1))}):"]
    lines += [f"    step{place} = n{place}.step" for place in range(1, len(shape) + 1)]
    lines += ["    def follow(touched):"]
    for place, inputs in enumerate(shape, 1):
        lines += [
            f"        if {' or '.join(f'n{each}.out' for each in inputs)}:",
            f"            n{place}.steps += 1",
            "            try:",
            f"                out = step{place}()",
            "            except BaseException as error:",
            f"                return {place}, error",
            "            if out:",
            f"                touched.append(n{place})",
            f"                n{place}.out = out",
        ]
    lines += ["        return None", "    return follow"]
    names: dict[str, Any] = {}
    exec("\n".join(lines), names)  # holds nothing but places
    make: Callable[..., Any] = names["make"]
    return make
