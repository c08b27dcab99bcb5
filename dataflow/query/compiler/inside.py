"""Inside: operators that a join may run inside of.

A join is a node of the graph, or runs inside the one that reads it: a chain, a group, a join that goes through it. Inside, it hands
over its changes one by one: what is made for a change is gone before the next one is looked at, and the garbage collector has nothing
to count. Listed, the keys and pairs of ten thousand changes are most of what it goes through in an epoch.

All its rows it hands over in one of two ways: pair by pair under their keys (`scan`), or, to who asks for no keys, many at a time as
a list of rows for each alias (`columns`), from which the reader takes the columns it reads. No pair is made then.

Edges       a reader reads what the join reads; a join with two readers is joined twice, over the same arrangements
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.circuit.node import Node
from dataflow.query.compiler.join import Join
from dataflow.query.compiler.runtime import in_columns

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from dataflow.query.compiler.runtime import Columns


class Reader(Node):
    """An operator with one input, which may be a join that runs inside.

    Args:
        upstream: a node of the graph, or such a join.
    """

    __slots__ = ("_join", "_upstream")

    def __init__(self, upstream: Node, *, label: str) -> None:
        join = upstream if isinstance(upstream, Join) and upstream.inside else None
        if join is None:
            super().__init__((upstream,), label=label)
        else:
            super().__init__(join.inputs, label=f"{join.label}, {label}")
        self._join = join
        self._upstream = upstream

    def _delta(self) -> Iterable[tuple[Any, Any, Any]]:
        """Return the input's net delta, to be gone through once, and count it as touched."""
        if self._join is not None:
            return self._join.changes(self)
        delta = self._upstream.out
        self.touched += len(delta)
        return delta

    def _columns(self, *, joined: bool) -> Iterator[Columns]:
        """Yield the input's rows, many at a time.

        Args:
            joined: whether they are joined ones.
        """
        if self._join is not None:
            return self._join.columns()
        return in_columns(self._upstream.scan(), joined=joined)

    def reaches(self, key: Any) -> bool:
        return key in [change[0] for change in self._delta()]  # which finds NaN

    def _sources(self, own: str) -> str:
        """Return the generated code that runs in this node, given its own."""
        return own if self._join is None else f"{self._join.source}\n{own}"


def known_as(upstream: Node) -> Hashable:
    """Return what an input is to the identity of its reader: the node, or what tells a join that runs inside from others."""
    return upstream.identity if isinstance(upstream, Join) and upstream.inside else upstream
