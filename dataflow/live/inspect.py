"""Inspect: what a running query holds and has done, node by node.

`explain` says how a query would run; this says how one is running: counters, no advice. Everything is counted since the nodes
were made, hydration not included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.circuit.node import SourceNode
from dataflow.errors import QueryError
from dataflow.live.effect import Effect
from dataflow.live.live import LiveQuery
from dataflow.live.statistics import plan_nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataflow.circuit.node import Node

TITLES = ("", "node", "reads", "rows held", "touched", "epochs", "used by")


def inspect(running: LiveQuery[Any] | Effect[Any]) -> str:
    """Describe the circuit of a running live query or effect.

    One line per node in the order in which they run: which nodes it reads, rows in its state, rows read or written so far,
    epochs it ran in, nodes and results that use it.

    Raises:
        QueryError: if it is neither.
        CollectionError: if it is closed.

    >>> from dataflow import Collection, live, query
    >>> users = Collection("users", key="id")
    >>> user = users.alias()
    >>> adults = live(query(user).where(user.age >= 18).order_by(user.name), name="adults")
    >>> with users.sync() as write:
    ...     write.insert({"id": 1, "name": "Ada", "age": 36})
    >>> print(inspect(adults))
    live query 'adults', ready, 1 row
         node          reads  rows held  touched  epochs  used by
      0  source users                 1        1                1
      1  filter        0              1        1       1        1
      2  order by      1              1        1       1        1
    """
    if isinstance(running, Effect):
        node, head = running.last_node, f"effect, {running.status}"
    elif isinstance(running, LiveQuery):
        node, head = running.last_node, f"{running}, {running.status}, {_rows(len(running))}"
    else:
        raise QueryError(
            f"expected a live query or an effect, not {type(running).__name__}; explain(query) describes one that does not run"
        )
    if node is None:
        return f"{head}\n  no circuit yet: a source is still loading"
    nodes = plan_nodes((node,))
    lines = [TITLES, *(_line(node, nodes) for node in nodes)]
    return "\n".join([head, *_aligned(lines)])


def _line(node: Node, nodes: list[Node]) -> tuple[str, ...]:
    is_source = isinstance(node, SourceNode)
    reads = sorted({nodes.index(source) for source in node.inputs})
    return (
        str(nodes.index(node)),
        f"source {node.label}" if is_source else node.label + (" (failed)" if node.error else ""),
        ", ".join(map(str, reads)),
        str(node.state_rows()),
        str(node.touched),
        "" if is_source else str(node.steps),
        str(node.references),
    )


def _aligned(lines: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = (
        (
            cell.ljust(width) if title in {"node", "reads"} else cell.rjust(width)
            for cell, width, title in zip(line, widths, TITLES, strict=True)
        )
        for line in lines
    )
    return ["  " + "  ".join(text).rstrip() for text in texts]


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"
