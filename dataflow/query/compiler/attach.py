"""Attach: beside each row its child collections, the same ones as long as the row is there.

Law         a row has one child collection per live nested query, made when the row came and left when it goes
Delta rule  the outer delta, with the collections added; changes of the rows in them are none of this node's
State       key -> collections. O(rows)
Cost        O(outer delta)
Edges       built anew after a failure, it keeps the collections of rows that are still there. Whoever comes back is given new ones
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from dataflow.circuit.node import Delta, Node, Pairs
from dataflow.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.query.compiler.layout import Layout
    from dataflow.query.compiler.split import Split
    from dataflow.query.scalar import Ordering, Scalar


class Child(Protocol):
    """A child collection, as this node sees it."""

    def leave(self) -> None:
        """End: the outer row is gone."""
        ...


@frozen
class Branching:
    """What the child collections of a live nested query have in common.

    Attributes:
        split: their rows.
        layout: where the fields of these are.
        row: what users see of a row.
        by, limit, offset: their order, and the window of it.
        row_type: the declared type of what users see, or None.
        name: a label.
    """

    split: Split
    layout: Layout
    row: Scalar
    by: tuple[Ordering, ...]
    limit: int | None
    offset: int
    row_type: Any
    name: str


Adopt: TypeAlias = "Callable[[Branching, Any], Child]"
"""Makes a child collection: what it has in common with others, key of the outer row -> the collection."""


class Attach(Node):
    """Outer rows, each followed by its child collections.

    Args:
        outer: the outer rows.
        parts: what to make collections of. Their splits are inputs, so that they run as long as this does.
        adopt: makes the collections.
        flat: whether outer rows are tuples already.
    """

    __slots__ = ("_adopt", "_children", "_flat", "_parts")

    def __init__(
        self, outer: Node, parts: tuple[Branching, ...], adopt: Adopt | None, *, flat: bool
    ) -> None:
        super().__init__((outer, *(part.split for part in parts)), label="child collections")
        self._adopt = adopt
        self._children: dict[Any, tuple[Child, ...]] = {}
        self._flat = flat
        self._parts = parts

    def step(self) -> Delta:
        changes: Delta = []
        for key, old, new in self.inputs[0].out:
            children = self._children.get(key) or self._adopted(key)
            if new is None:
                _leave(self._children.pop(key))
            changes.append((key, self._row(old, children), self._row(new, children)))
        self.touched += len(changes)
        return changes

    def scan(self) -> Pairs:
        for key, row in self.inputs[0].scan():
            yield key, self._row(row, self._children[key])

    def hydrate(self) -> None:
        before, self._children = self._children, {}
        for key, _ in self.inputs[0].scan():
            self._children[key] = before.pop(key, ()) or self._adopted(key)
        for children in before.values():
            _leave(children)

    def released(self) -> None:
        for children in self._children.values():
            _leave(children)
        self._children = {}

    def state_rows(self) -> int:
        return len(self._children)

    def _adopted(self, key: Any) -> tuple[Child, ...]:
        assert self._adopt is not None, "drawn, not run"
        children = self._children[key] = tuple([self._adopt(part, key) for part in self._parts])
        return children

    def _row(self, row: Any, children: tuple[Child, ...]) -> Any:
        if row is None:
            return None
        return (*row, *children) if self._flat else (row, *children)


def _leave(children: tuple[Child, ...]) -> None:
    for child in children:
        child.leave()
