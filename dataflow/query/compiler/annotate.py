"""Rows beside their facts.

Law         key -> {"row": row, "pending": ..., "origin": ..., "key": ...} for every row of the source
Delta rule  a key is told anew if its row or its facts changed
State       one dict per row, referring to the row
Cost        O(changes of rows + changes of facts)
Edges       rows and facts of a collection come in the same epoch, so that neither is ever seen without the other
"""

from __future__ import annotations

from typing import Any

from dataflow.circuit.node import Delta, Node, restore


class Annotate(Node):
    """A relation, each row in a dict with its facts.

    Args:
        source: the rows.
        facts: their facts, under the same keys: tuples in the order of `names`.
    """

    __slots__ = ("_before",)

    names = ("pending", "origin", "key")

    def __init__(self, source: Node, facts: Node) -> None:
        super().__init__((source, facts), label=facts.label)
        self._before: list[tuple[Any, Any]] = []
        self.rows: dict[Any, Any] = {}

    def step(self) -> Delta:
        source, facts = self.inputs
        changes: Delta = []
        self._before = []
        for key in dict.fromkeys(entry[0] for entry in (*source.out, *facts.out)):
            old, new = self.rows.get(key), self._annotated(key)
            self._before.append((key, old))
            if new is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = new
            changes.append((key, old, new))
        self.touched += len(changes)
        return changes

    def undo(self) -> None:
        restore(self.rows, self._before)

    def hydrate(self) -> None:
        rows = self.inputs[0].rows
        assert rows is not None
        self.rows = {key: self._annotated(key) for key in rows}

    def _annotated(self, key: Any) -> dict[str, Any] | None:
        source, facts = self.inputs
        assert source.rows is not None
        assert facts.rows is not None
        row = source.rows.get(key)
        if row is None:
            return None
        return {"row": row, **dict(zip(self.names, facts.rows[key], strict=True))}
