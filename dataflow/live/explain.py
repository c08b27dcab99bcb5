"""Explain: what a query is, and how it runs.

    query       the tree the text stands for
    optimized   the tree after the rewrites, if they changed it
    plan        the physical nodes in rank order, what they read, how many rows they hold
    code        with `code=True`: the generated function of each node

Explaining a query that is not running plans it once and lets it go again; queries over sources that are still loading have no plan yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.circuit.node import Node, SourceNode
from dataflow.live.live import LiveQuery, live, tree_of
from dataflow.live.statistics import plan_nodes
from dataflow.query.optimizer.optimize import optimize
from dataflow.query.render import render

if TYPE_CHECKING:
    from dataflow.query.builder import Query
    from dataflow.query.source import Source


def explain(query: Query[Any] | Source[Any], *, code: bool = False) -> str:
    """Describe a query, or a running live query.

    Args:
        code: add the generated code of each node.
    """
    if isinstance(query, LiveQuery):
        return "\n\n".join(_sections(query.tree, query, code=code))
    tree, _ = tree_of(query)
    with live(query) as running:
        return "\n\n".join(_sections(tree, running, code=code))


def _sections(tree: Any, running: LiveQuery[Any], *, code: bool) -> list[str]:
    text, optimized = render(tree), render(optimize(tree))
    sections = [f"query\n{_indented(text)}"]
    if optimized != text:
        sections.append(f"optimized\n{_indented(optimized)}")
    last = running.last_node
    if last is None:
        return [*sections, "plan\n  none yet: a source is still loading"]
    nodes = plan_nodes((last,))
    sections.append("plan\n" + _indented("\n".join(_describe(node, nodes) for node in nodes)))
    if code:
        sections += [
            f"code of node {nodes.index(node)}: {node.label}\n{_indented(node.source.rstrip())}"
            for node in nodes
            if node.source
        ]
    return sections


def _describe(node: Node, nodes: list[Node]) -> str:
    number = nodes.index(node)
    if isinstance(node, SourceNode):
        return f"{number}  source {node.label} ({len(node.rows or ())} rows)"
    reads = ", ".join(str(nodes.index(source)) for source in dict.fromkeys(node.inputs))
    held = node.state_rows()
    state = f"holds {held} rows" if held or node.rows is not None else "holds nothing"
    shared = f", shared by {node.references}" if node.references > 1 else ""
    return f"{number}  {node.label} <- {reads} ({state}{shared})"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
