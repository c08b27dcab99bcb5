"""Ways: the nodes that a change of one source can reach, found once instead of rank by rank in every epoch.

Law     following a way does what waking consumers rank by rank would do: it steps its nodes in order, those with a changed input,
        and then tells the subscribers of those that changed
Cost    finding one: O(its nodes), after the nodes of the graph have changed; following one: a test per node
Edges   there is none where it would be long, since idle queries are not to be visited, none through a router that chooses
        among readers, and none with a node out of order. It ends at a step that raises; the rest is gone on with rank by rank

What follows a way is generated, one function for each shape: which nodes read which. With the nodes of one way written out,
Python knows of each place in the code what it meets there. In a loop over nodes of many kinds it knows nothing, and takes
a quarter of a microsecond more for each.

    def follow(graph, errors):
        at = 0; out1 = EMPTY
        graph.stepping = True
        try:
            out0 = n0.out
            if out0:
                at = 1
                n1.steps += 1
                n1.out = out1 = step1()
        except BaseException as error:
            graph.stepping = False
            return nodes, at, error
        graph.stepping = False
        n0.out = n1.out = EMPTY
        if out1 and n1.subscribers:
            ...
        return None
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from dataflow.circuit.node import EMPTY
from dataflow.circuit.router import FEW

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.circuit.node import Node, SourceNode, Way

Shape: TypeAlias = tuple[tuple[int, ...], ...]
"""Of each node after the first the places of its inputs on the way."""


def nodes_on_way(source: SourceNode) -> tuple[Node, ...] | None:
    """Return the nodes that changes of a source reach, itself first, None if they have to be looked for in every epoch."""
    ranks: dict[int, dict[Node, None]] = {0: {source: None}}
    found: dict[Node, None] = {}
    while ranks:
        for node in ranks.pop(min(ranks)):
            if len(found) > FEW or not (node is source or (node.router is None and not node.error)):
                return None  # up to so many readers a router of a source wakes them all
            found[node] = None
            for consumer in node.consumers:
                if node not in consumer.inputs:  # woken by a stand-in of its input
                    return None
                ranks.setdefault(consumer.rank, {})[consumer] = None
    return tuple(found)


def way_along(nodes: tuple[Node, ...]) -> Way:
    """Return what follows the way along some nodes."""
    places = {node: place for place, node in enumerate(nodes)}
    shape = tuple(
        tuple(places[each] for each in dict.fromkeys(node.inputs) if each in places)
        for node in nodes[1:]
    )
    way: Way = _following(shape)(nodes)
    return way


@lru_cache(maxsize=1_000)
def _following(shape: Shape) -> Callable[..., Any]:
    """Return what makes, of the nodes of a way of some shape, the function that follows it."""
    places = range(1, len(shape) + 1)
    lines = ["def make(nodes):"]
    lines += [f"    {''.join(f'n{place}, ' for place in (0, *places))}= nodes"]
    lines += [f"    step{place} = n{place}.step" for place in places]
    lines += ["    def follow(graph, errors):"]
    lines += [f"        at = 0; {''.join(f'out{place} = ' for place in places)}EMPTY"]
    lines += ["        graph.stepping = True"]
    lines += ["        try:", "            out0 = n0.out"]
    for place, inputs in enumerate(shape, 1):
        lines += [
            f"            if {' or '.join(f'out{each}' for each in inputs)}:",
            f"                at = {place}",
            f"                n{place}.steps += 1",
            f"                n{place}.out = out{place} = step{place}()",
        ]
    lines += ["        except BaseException as error:", "            graph.stepping = False"]
    lines += ["            return nodes, at, error"]
    lines += ["        graph.stepping = False"]
    lines += [f"        {''.join(f'n{place}.out = ' for place in (0, *places))}EMPTY"]
    for place in (0, *places):
        lines += [
            f"        if out{place} and n{place}.subscribers:",
            f"            for subscriber in tuple(n{place}.subscribers):",
            "                if subscriber.since < graph.epoch:",
            "                    try:",
            f"                        subscriber.deliver(out{place})",
            "                    except BaseException as error:",
            "                        errors.append(error)",
        ]
    lines += ["        return None", "    return follow"]
    names: dict[str, Any] = {"EMPTY": EMPTY}
    exec("\n".join(lines), names)  # holds nothing but places
    make: Callable[..., Any] = names["make"]
    return make
