"""The reading side that collections and live results share.

A readable is a Mapping of keys to rows over the rows of one node of the graph: keys are exposed from their normal form, iteration
follows the order of the query if it has one, and look-up goes by the engine's equality, so that `x[True]` never finds `1`.

A readable belongs to the thread of its first use. Every public call checks that, but look-up of a single key.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from dataflow.circuit.graph import Graph, current_graph
from dataflow.collection.following import Changes
from dataflow.collection.subscription import Subscription
from dataflow.collection.table import html_table
from dataflow.query.source import Source
from dataflow.values.normal import expose, normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dataflow.circuit.node import Delta, Node
    from dataflow.collection.changes import Change

R_co = TypeVar("R_co", covariant=True)

Status: TypeAlias = Literal["loading", "ready", "error", "closed"]


class Readable(Source[R_co]):
    """A source with rows in the graph of one thread."""

    __slots__ = ("__weakref__", "_graph", "_name", "_open", "_pending")

    def __init__(self, name: str) -> None:
        self._name = name
        self._graph: Graph | None = None
        self._pending: list[
            tuple[Any, bool]
        ] = []  # followers that wait for the node, and whether they want its rows
        self._open: list[Changes[Any]] = []

    # -- what subclasses know ----------------------------------------------------------------------------------------

    @abstractmethod
    def _find_node(self) -> Node | None:
        """Return the node with the rows, or None while there is none yet. Raises if closed."""

    @property
    @abstractmethod
    def status(self) -> Status:
        """`loading`, `ready`, `error` or `closed`."""

    @property
    @abstractmethod
    def error(self) -> BaseException | None:
        """Why the status is `error`, else None."""

    # -- threads and graph -------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Label for plans and errors; it need not be unique."""
        return self._name

    def _used(self) -> Graph:
        """Return the graph this belongs to, the calling thread's on first use; raise in any other thread."""
        graph = self._graph
        if graph is None:
            graph = self._graph = current_graph()
        graph.check_thread(f"{self._kind} {self._name!r}")
        return graph

    def _node_in_use(self) -> Node | None:
        self._used()
        return self._find_node()

    # -- rows --------------------------------------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> R_co:
        node = self._find_node()
        rows = {} if node is None else node.rows
        assert rows is not None
        try:
            row: R_co = rows[normal(key)]
        except KeyError:
            raise KeyError(key) from None
        return row

    def __iter__(self) -> Iterator[Any]:
        node = self._node_in_use()
        return iter([]) if node is None else map(expose, _keys(node))

    def __len__(self) -> int:
        node = self._node_in_use()
        return 0 if node is None or node.rows is None else len(node.rows)

    def __contains__(self, key: object) -> bool:
        node = self._node_in_use()
        return node is not None and node.rows is not None and normal(key) in node.rows

    def rows(self) -> list[R_co]:
        """Return the rows in query order, as a new list. The rows are the stored ones: do not change them."""
        node = self._node_in_use()
        if node is None:
            return []
        assert node.rows is not None
        keys = node.ordered_keys()
        return list(node.rows.values()) if keys is None else [node.rows[key] for key in keys]

    # -- following ---------------------------------------------------------------------------------------------------

    def subscribe(
        self,
        fn: Callable[[list[Change[Any]]], object],
        *,
        initial: bool = False,
        where: Callable[[Any], object] | None = None,
    ) -> Subscription:
        """Call `fn` with the net changes of each epoch, after every derived collection has been updated.

        Args:
            fn: gets a non-empty list, at most one change per key. What it raises surfaces from the commit.
            initial: deliver the present rows first, as inserts.
            where: restrict to rows for which it answers something truthy; rows that start or cease to do so are inserts and deletes.

        Returns:
            A subscription, alive until its `close()`, also when this handle is dropped.
        """
        graph = self._used()
        subscription = Subscription(self, graph, fn, where=where)
        node = self._find_node()
        if node is None:
            self._pending.append((subscription, initial))
        else:
            subscription.attach(node, initial=initial)
        return subscription

    def changes(self, *, initial: bool = False) -> Changes[Any]:
        """Subscribe now and return the changes as an asynchronous iterator: one list per epoch, merged for slow consumers.

        Args:
            initial: yield the present rows first, as inserts; an empty list, once, if there are none.
        """
        graph = self._used()
        node = self._find_node()
        present: Delta | None = None
        if initial and node is not None:
            rows = node.rows or {}
            present = [(key, None, rows[key]) for key in _keys(node)]
        following: Changes[Any] = Changes(self, self._unfollow, present, since=graph.epoch)
        self._open.append(following)
        if node is None:
            self._pending.append((following, initial))
        else:
            self._follow(node, following)
        return following

    @staticmethod
    def _follow(node: Node, following: Changes[Any]) -> None:
        node.subscribers.append(following)
        node.watchers.append(following)
        following.nodes.append(node)

    def _unfollow(self, following: Changes[Any]) -> None:
        self._open.remove(following)
        self._pending = [entry for entry in self._pending if entry[0] is not following]
        for node in following.nodes:
            node.subscribers.remove(following)
            node.watchers.remove(following)

    def _repr_html_(self) -> str:
        return html_table(self.rows(), caption=repr(self))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name!r} {self.status}>"


def _keys(node: Node) -> Iterable[Any]:
    keys = node.ordered_keys()
    if keys is not None:
        return keys
    assert node.rows is not None
    return list(node.rows)
