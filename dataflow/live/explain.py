"""Explain: what a query is, and how it runs.

    query       the tree the text stands for
    optimized   the tree after the rewrites, if they changed it
    plan        the operators in the order they run: what they read, what they pass on, hold and cost (`plan_text`)
    code        with `code=True`: the generated function of each operator

Explaining runs nothing: a query that is not live is drawn, sharing what is running already, and reads no row. Queries over sources
that are still loading have no plan yet, because what rows look like decides how they are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.circuit.graph import current_graph
from dataflow.live.live import LiveQuery, tree_of
from dataflow.live.plan_text import PlanText
from dataflow.live.waiting import sources_of
from dataflow.query import ir
from dataflow.query.compiler.outline import Outline, counterparts
from dataflow.query.optimizer.optimize import optimize
from dataflow.query.render import render

if TYPE_CHECKING:
    from dataflow.circuit.node import Node
    from dataflow.query.builder import Query
    from dataflow.query.source import Source


def explain(query: Query[Any] | Source[Any], *, code: bool = False) -> str:
    """Describe a query, or a running live query.

    Args:
        code: add the generated code of each operator.
    """
    if isinstance(query, LiveQuery):
        return "\n\n".join(_sections([query.tree], query.last_node, code=code))
    tree, _ = tree_of(query)
    return "\n\n".join(_sections([tree, optimize(tree)], None, code=code))


def _sections(trees: list[ir.Node], running: Node | None, *, code: bool) -> list[str]:
    texts = list(dict.fromkeys(map(render, trees)))
    sections = [
        f"{title}\n{_indented(text)}"
        for title, text in zip(("query", "optimized"), texts, strict=False)
    ]
    tree = trees[-1]
    if any(source.status == "loading" for source in sources_of(ir.scans(tree))):
        return [*sections, "plan\n  none yet: a source is still loading"]
    outline = Outline(current_graph())
    last = outline.build(tree, stored=True, outermost=True).node
    counterpart = None if running is None else counterparts(last, running)
    plan = PlanText(outline, last, counterpart)
    title = "plan, running" if running is not None else "plan"
    sections.append(f"{title}\n{_indented(plan.text())}")
    return sections + [f"code of {name}\n{_indented(text)}" for name, text in plan.code() if code]


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.splitlines())
