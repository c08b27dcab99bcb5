"""The text of a plan: one operator after the other, in the order they run.

    3  inner join on m.author == u.id <- 0, 1, 2
         delta  (m, u) -> (m, u)
         reads  m.author, m.text, u.id, u.name
         holds  12 rows

The first line says what the operator does, which it reads, and how many use it if these are several. `delta` is what passes along
its edge: for each key at most one change, from the row before to the row after. `reads` are the only columns whose changes concern
it; without that line all do. `holds` says how many rows are in its state while it runs; `costs` where more is done than the size of
the change asks for (`plan_costs`).
"""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from dataflow.circuit.node import Node, SourceNode
from dataflow.live.operator_text import does_text, joins_inside, key_text, operator_of, row_text
from dataflow.live.plan_costs import costs_of
from dataflow.live.statistics import plan_nodes
from dataflow.query import ir
from dataflow.query.compiler.fixpoint import Fixpoint
from dataflow.query.compiler.index import Index
from dataflow.query.notation import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataflow.query.compiler.outline import Outline

WIDTH = 94  # columns; `explain` indents by two more

_READERS = {
    "join": ir.Join, "outer": ir.Join, "semijoin": ir.Join, "matched": ir.Join, "group": ir.Group, "window": ir.Windowed,
}  # fmt: skip
"""Operators that tell what they read, and the node of the tree on whose inputs that is noted."""


class PlanText:
    """Writes the plan of a query.

    Args:
        outline: the query, drawn.
        last: its last node there.
        running: drawn node -> the one that runs in its place, where these are two; None if the query does not run.
    """

    def __init__(self, outline: Outline, last: Node, running: dict[Node, Node] | None) -> None:
        self._outline = outline
        self._running = running
        textual = {node: at for at, node in enumerate(outline.answers)}
        self._nodes = sorted(
            plan_nodes((last,)), key=lambda node: (node.rank, textual.get(node, len(textual)))
        )
        self._names = {node: str(number) for number, node in enumerate(self._nodes)}

    def text(self) -> str:
        """Return the operators, one after the other."""
        return "\n".join(line for node in self._nodes for line in self._operator(node))

    def code(self) -> list[tuple[str, str]]:
        """Return name and generated code of each operator that has any."""
        return [
            (f"{self._names[node]}: {node.label}", node.source.rstrip())
            for node in self._nodes
            if node.source
        ]

    def _operator(self, node: Node) -> Iterator[str]:
        yield from _wrapped(f"{self._names[node]:>2}  ", self._does(node))
        for title, text in (
            ("delta", self._delta(node)),
            ("reads", self._reads(node)),
            ("holds", self._holds(node)),
            ("costs", costs_of(self._identity(node), scans=self._scans(node))),
        ):
            if text:
                yield from _wrapped(f"      {title}  ", text)
        if node in self._outline.loops:
            yield from self._rounds(self._outline.loops[node])

    def _rounds(self, recursion: Node) -> Iterator[str]:
        """Write the operators inside a recursion, which run until a round finds nothing new."""
        assert isinstance(recursion, Fixpoint)
        loop = recursion.loop
        letters = "abcdefghijklmnopqrstuvwxyz"
        self._names[loop.reference] = "rows so far"
        self._names |= {node: letters[at % 26] for at, node in enumerate(loop.nodes)}
        for at, node in enumerate(loop.nodes):
            title = "round" if at == 0 else "     "
            yield from _wrapped(f"      {title}  {self._names[node]}  ", self._does(node))

    def _identity(self, node: Node) -> tuple[Any, ...]:
        return self._outline.identities.get(node, ("",))

    def _does(self, node: Node) -> str:
        if isinstance(node, SourceNode):
            return f"source {node.label}"
        answer = self._outline.answers.get(node, (None, None))[0]
        names = ", ".join(self._names[source] for source in dict.fromkeys(node.inputs))
        uses = self._uses(node)
        shared = f"; shared by {uses}" if uses > 1 else ""
        return f"{does_text(self._identity(node), answer, node.label)} <- {names}{shared}"

    def _delta(self, node: Node) -> str:
        if node not in self._outline.answers:
            return ""
        tree, layout = self._outline.answers[node]
        return f"{key_text(tree)} -> {row_text(tree, layout)}"

    def _reads(self, node: Node) -> str:
        identity = self._identity(node)
        answer = self._outline.answers.get(node, (None, None))[0]
        joins = joins_inside(identity, answer)
        kind = _READERS.get(identity[0])
        operators = [*joins, None if kind is None else operator_of(answer, kind)]
        sides = [side for each in operators if each is not None for side in ir.inputs(each)]
        noted = [side.columns for side in sides if isinstance(side, ir.Narrow)]
        if not noted:
            return ""
        whole = [
            f"all of {name}"
            for side in sides
            if not isinstance(side, ir.Narrow) and operator_of(side, ir.Join) not in joins
            for name in ir.scope(side)
        ]
        columns = sorted(text_of(part) for some in noted for part in some)
        return ", ".join(columns + whole) or "no column, only which rows there are"

    def _holds(self, node: Node) -> str:
        runs = self._running_for(node)
        is_source = isinstance(node, SourceNode)
        rows = len(runs.rows or ()) if is_source else runs.state_rows() if runs.references else 0
        return f"{rows:,} row{'' if rows == 1 else 's'}" if rows else ""

    def _running_for(self, node: Node) -> Node:
        return node if self._running is None else self._running.get(node, node)

    def _uses(self, node: Node) -> int:
        """Count who uses a node: live queries and operators, a join with its arrangements as one on either side."""
        runs = self._running_for(node)
        users = list(runs.consumers)
        if self._running is None:  # what does not run yet
            users += [user for user in self._nodes if not user.references and node in user.inputs]
        direct = [user for user in users if not isinstance(user, Index)]
        through = {source for user in direct for source in user.inputs}
        indexes = [user for user in users if isinstance(user, Index) and user not in through]
        edges = sum(user.inputs.count(runs) for user in direct)
        return runs.references - len(runs.consumers) + edges + len(indexes)

    def _scans(self, node: Node) -> bool:
        """Tell whether a node reads an arrangement in which all rows have one key."""
        identities = [self._identity(source) for source in node.inputs]
        return any(identity[0] == "index" and not identity[3] for identity in identities)


def _wrapped(head: str, text: str) -> list[str]:
    """Return text behind a head, in lines of limited width."""
    indent = " " * len(head)
    return wrap(
        text, WIDTH, initial_indent=head, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
