"""The inlet: what the way of a row into a collection asks for, at hand.

Each attribute of a collection takes Python twice as long to find as one of an object without `__getattr__`, which a collection has
for the names that it does not have. A commit of one row asks for a dozen of them, so they are kept here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dataflow.circuit.graph import Graph
    from dataflow.circuit.node import SourceNode
    from dataflow.collection.layers import Layers


class Journal(Protocol):
    """Notes which rows of a collection may have been written."""

    def note(self, keys: Iterable[Any]) -> None:
        """Take note of the keys of one commit, in normal form; called when it has been applied, before anybody hears of it."""
        ...


class Inlet:
    """What writers ask of the collection they write to.

    Attributes:
        node: the source node with the rows.
        graph: the collection's, as long as nothing speaks against synced rows from its thread; None if that is to be checked.
        key_of: row -> key in normal form; raises if the row is none of the collection's.
        equal_rows: tells whether two rows are equal.
        overlay: what lies over the synced rows; None while that is nothing.
        journal: who notes which rows were written, if anybody does.
    """

    __slots__ = ("equal_rows", "graph", "journal", "key_of", "node", "overlay")

    def __init__(self, node: SourceNode, key_of: Callable[[Any], Any]) -> None:
        self.node: SourceNode = node
        self.graph: Graph | None = None
        self.key_of: Callable[[Any], Any] = key_of
        self.equal_rows: Callable[[Any, Any], bool] = _no_rows
        self.overlay: Layers | None = None
        self.journal: Journal | None = None


def _no_rows(old: Any, new: Any) -> bool:
    raise AssertionError("compared rows before there were two")
