"""Live queries: a query kept up to date, as a read-only collection.

A live query holds one reference to the last node of its plan; the node holds the rows. Plans are shared: two live queries of equal
text over the same sources are one chain of nodes. What belongs to a live query alone is its window, its key, and who follows it.

Lifetime  sources hold live queries weakly: one that nobody references, follows or derives from is released by itself. A
          subscription, an open `changes()` and a derived query each keep it alive. `close()` ends it at once. Its plan goes when
          the next epoch or live query begins, and what that needs of it stays; there is no delay by time.
Readiness a live query over sources that still load is empty and "loading"; it hydrates in one epoch with everything that waits
"""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from dataflow.closing import Closing
from dataflow.collection.readable import Follower, present_rows
from dataflow.collection.readiness import Readiness
from dataflow.errors import CollectionError, QueryError
from dataflow.live.children import Children, has_children
from dataflow.live.functions import replace_functions
from dataflow.live.rekeying import LiveKey, rekeyed
from dataflow.live.statistics import LiveStatistics, statistics_of
from dataflow.live.waiting import Waiter, sources_of, stop_waiting
from dataflow.live.windowed import Windowed
from dataflow.query import ir
from dataflow.query.builder import Query
from dataflow.query.compiler.layout import UNKNOWN, Layout, layout_of_adapter
from dataflow.query.compiler.plan import Planner
from dataflow.query.optimizer.optimize import optimize
from dataflow.query.rows import columns_of
from dataflow.query.source import Source
from dataflow.query.traps import refusal
from dataflow.values.individual import Individual
from dataflow.values.row import adapter_for_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dataflow.circuit.commit import Announcement
    from dataflow.circuit.graph import Graph
    from dataflow.circuit.node import Node
    from dataflow.collection.status import Status

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class LiveQuery(Windowed[R_co], Closing):
    """The result of a query, kept up to date; made by `live`."""

    __slots__ = (
        "_closed",
        "_failure",
        "_kept",
        "_key",
        "_layout",
        "_release",
        "_row_type",
        "_sources",
        "_waiter",
    )

    _kind = "live query"

    def __init__(
        self,
        tree: ir.Node,
        *,
        name: str | None,
        key: LiveKey | None,
        row_type: Any,
        kept: bool = True,
    ) -> None:
        scans = ir.scans(tree)
        super().__init__(name or " ⋈ ".join(dict.fromkeys([scan.alias for scan in scans])))
        self._kept = kept  # whether the rows of the result are
        self._tree = tree
        self._key = key
        self._row_type = row_type
        self._node: Node | None = None
        self._layout: Layout = UNKNOWN
        self._release: weakref.finalize[Any, Any] | None = None
        self._closed = False
        self._failure: Exception | None = (
            None  # why the query could not start once its sources were there
        )
        self._waiter = Waiter(self)
        self._sources = sources_of(scans)
        self._begin()

    # -- start and end -------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        graph, sources = self._used(), self._sources
        graph.refuse_while_stepping("start a live query")
        waits = [source.wait_for(self._waiter) for source in sources]
        if any(waits):
            self._let_go(graph, partial(stop_waiting, self._waiter, sources))
        else:
            self._start(graph)
        graph.collect()  # only now: what has just been dropped may be what this needs

    def _start(self, graph: Graph) -> None:
        tree = self._tree
        if graph.observer is not None:
            tree = replace_functions(tree, graph.observer.function)
        planner = Planner(graph, Children(graph, partial(ChildQuery, weakref.ref(self))))
        self._node, self._layout = planner.plan(tree, stored=self._kept)
        self._let_go(graph, partial(graph.release, self._node))

    def _let_go(self, graph: Graph, action: Callable[[], object]) -> None:
        """Do something when this is closed, or no longer referenced; it replaces what was to be done before."""
        if self._release is not None:
            self._release.detach()
        self._release = weakref.finalize(self, graph.later, action)
        self._release.atexit = False

    def source_ready(self) -> list[Announcement]:
        """Hydrate if every source is ready, and pass it on; return what is to be announced."""
        if not self.is_waiting:
            return []
        if any(source.is_waiting for source in self._sources):
            self._status_changed()  # one of them may have failed
            return [news for each in tuple(self._waiting) for news in each.source_ready()]
        try:
            self._start(self._used())
        except Exception as error:  # noqa: BLE001 - nobody to raise to: it becomes the status
            self._failure = error
        followers = tuple(self._followers)
        waiting, self._waiting = self._waiting, {}
        announcements = self._announce(followers)
        for each in waiting:
            announcements += each.source_ready()
        return announcements

    def _announce(self, followers: tuple[Follower, ...]) -> list[Announcement]:
        node = self._node
        if node is not None:
            for follower in followers:
                follower.follow(node)
        self._status_changed()
        present = present_rows(node)
        return [(node.rank, followers, present)] if node and present else []

    def restart(self) -> None:
        """Try what failed again, though nothing has changed: for functions that failed on something outside.

        Nothing happens unless the status is "error". If it fails again, the status stays as it is.
        """
        graph, node = self._used(), self._find_node()
        if self._failure is not None:
            self._failure = None
            graph.run(Readiness((self.source_ready,)))
        elif node is not None and node.error is not None:
            graph.restart(node)

    def close(self) -> None:
        """Release the plan, close subscriptions and end every `changes()`. Closing twice is allowed.

        Queries derived from this one go on. Using a closed live query raises `CollectionError`.
        """
        if not self._closed:
            self._used()
            self._closed = True
            self._end()

    def _end(self) -> None:
        graph = self._used()
        self._end_followers()
        waiting, self._waiting = self._waiting, {}
        for each in waiting:
            each.source_ready()
        if self._release is not None:
            self._release()
            graph.collect()
        self._node = None
        if self._followers:
            graph.run(Readiness((self._tell_closed,)))

    def _tell_closed(self) -> list[Announcement]:
        self._status_changed()
        return []

    # -- what `explain` asks -------------------------------------------------------------------------------------------

    @property
    def tree(self) -> ir.Node:
        """The optimized tree of the query."""
        return self._tree

    @property
    def last_node(self) -> Node | None:
        """The node that holds the result, None while the sources are loading."""
        return self._node_in_use()

    # -- what queries and errors ask -----------------------------------------------------------------------------------

    @property
    def row_type(self) -> Any:
        """The type of the rows as far as the query declares it, or None."""
        return self._row_type

    @property
    def key_field(self) -> str | None:
        """The field given as `key=`, or None."""
        return self._key if isinstance(self._key, str) else None

    @property
    def status(self) -> Status:
        """`loading` until all sources are ready, `error` after a user function raised or a source failed, `closed`, else `ready`."""
        if self._closed:
            return "closed"
        if self.error is not None:
            return "error"
        return "loading" if self._node is None else "ready"

    @property
    def error(self) -> BaseException | None:
        """What a user function raised, the rows being the last good ones, or why a source failed, whose rows it goes on to follow."""
        if self._closed:
            return None
        failed = (s.error for s in self._sources if s.status == "error")
        return self._failed() or next(failed, None)

    def _failed(self) -> BaseException | None:
        """Return what the query itself failed on, if it did."""
        return self._failure if self._node is None else self._node.error

    @property
    def is_waiting(self) -> bool:
        """Whether it has not been computed for the first time."""
        return not self._closed and self._node is None and self._failure is None

    def physical(self) -> tuple[Node, Layout]:
        """Return the last node of the plan and the layout of its rows, for the compiler."""
        node = self._node_in_use()
        if self._failure is not None:
            raise CollectionError(f"{self} is in status 'error'") from self._failure
        assert node is not None, "compiled against before it was ready"
        layout = self._layout
        if layout.slots and layout.slots[0].kind == "any" and node.rows:
            # Rows of a map may be of several kinds. Reading a dict by subscript raises on all others, which then go to the safe
            # evaluator; reading an object by attribute would find methods on a dict.
            adapter = adapter_for_row(next(iter(node.rows.values())))
            if adapter.kind == "mapping":
                layout = layout_of_adapter(adapter)
        return node, layout

    def statistics(self) -> LiveStatistics:
        """Return a snapshot of the plan's counters: rows held and touched, per node."""
        node = self._node_in_use()
        return statistics_of(() if node is None else (node,))

    def _declared_fields(self) -> Iterable[str]:
        return columns_of(self._tree) or ()

    def _find_node(self) -> Node | None:
        self._check_open()
        return self._node

    def _check_open(self) -> None:
        if self._closed:
            raise CollectionError(f"{self} is closed")


class ChildQuery(LiveQuery[R_co], Individual):
    """The rows that belong to one row of a live result, planned when first used; see `children`."""

    __slots__ = ("_held", "_result")

    _kind = "child collection"

    def __init__(
        self, result: weakref.ref[LiveQuery[Any]], tree: ir.Node, *, name: str, row_type: Any
    ) -> None:
        self._result = result
        self._held: LiveQuery[Any] | None = None  # the result, while somebody follows this
        super().__init__(tree, name=name, key=None, row_type=row_type)

    def _begin(self) -> None:
        self._used()  # no more: rows come while the graph is stepping, when it cannot change

    def _find_node(self) -> Node | None:
        self._check_open()
        if self._node is None:
            graph = self._used()
            graph.refuse_while_stepping("look into a child collection")
            self._start(graph)
        return self._node

    def _check_open(self) -> None:
        super()._check_open()
        if self._result() is None:
            error = CollectionError(f"{self} is closed: its live result is gone")
            error.add_note("keep a reference to the live result whose rows hold it")
            raise error

    @property
    def status(self) -> Status:
        """`ready`, `error` after a user function of the nested query raised, or `closed`."""
        if self._result() is None:
            return "closed"
        status = super().status
        return "ready" if status == "loading" else status

    @property
    def is_waiting(self) -> bool:
        """False: the result it belongs to has waited for its sources."""
        return False

    def _remember(self, follower: Follower) -> None:
        super()._remember(follower)
        self._held = self._result()

    def _forget(self, follower: Follower) -> None:
        super()._forget(follower)
        if not self._followers:
            self._held = None

    def leave(self) -> None:
        """Close at once for who reads, and after the commit for who follows."""
        if not self._closed:
            self._closed = True
            self._used().later(self._end)


def live(
    query: Query[R] | Source[R], *, key: LiveKey | None = None, name: str | None = None
) -> LiveQuery[R]:
    """Run a query and keep its result up to date.

    Args:
        query: a query, or a source to follow as it is.
        key: know rows under another key: a field, a tuple of fields, or a function of the row. Two rows with one key put the
            result in status "error".
        name: a label for plans and errors.

    Raises:
        QueryError: if the query cannot run.

    Complexity: one pass over the sources; after that each epoch costs what it changes.
    """
    tree, row_type = tree_of(query)
    if key is not None:
        tree = rekeyed(tree, key)
    return LiveQuery(optimize(tree), name=name, key=key, row_type=row_type)


def run(query: Query[R] | Source[R]) -> list[R]:
    """Compute a query once and return its rows, in its order.

    Raises:
        QueryError: if the query cannot run.
        CollectionError: if a source is still loading, or is closed.
    """
    if has_children(tree_of(query)[0]):
        error = QueryError("run cannot keep child collections: they live as long as their result")
        error.add_note("write nested(q) for lists, or live(query)")
        raise error
    result = live(query, name="run")
    if result.is_waiting:
        raise CollectionError(
            "a source of the query is still loading: wait for it, or use live(query)"
        )
    with result:
        failure = result._failed()  # noqa: SLF001 - that a source has failed does not matter: it keeps its rows
        if failure is not None:
            raise failure
        return result.rows()


def tree_of(query: Query[Any] | Source[Any]) -> tuple[ir.Node, Any]:
    """Return the IR tree of a query or a source, and its row type."""
    if isinstance(query, Query):
        return query._plan(), query.row_type  # noqa: SLF001 - a query has no public names but clauses
    if isinstance(query, Source):
        return ir.Scan(ir.SourceRef(query), query.name), query.row_type
    raise refusal(
        f"expected a query or a source, not {type(query).__name__}",
        "begin with query(alias), or query(collection)",
    )
