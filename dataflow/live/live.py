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
from collections.abc import Callable, Iterable
from functools import partial
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from dataflow.collection.readable import Follower, Readable, present_rows
from dataflow.collection.readiness import Readiness
from dataflow.errors import CollectionError, QueryError, UnknownFieldError
from dataflow.live.functions import replace_functions
from dataflow.live.ordered import OrderedSubscription
from dataflow.live.statistics import LiveStatistics, statistics_of
from dataflow.live.waiting import Waiter, sources_of, stop_waiting
from dataflow.live.window import WindowMove, moved, order_of
from dataflow.query import ir
from dataflow.query.builder import Query
from dataflow.query.compiler.layout import UNKNOWN, Layout, layout_of_adapter
from dataflow.query.compiler.plan import Planner
from dataflow.query.optimizer.optimize import optimize
from dataflow.query.rows import columns_of
from dataflow.query.source import Source
from dataflow.values.row import adapter_for_row

if TYPE_CHECKING:
    from types import TracebackType

    from dataflow.circuit.commit import Announcement
    from dataflow.circuit.graph import Graph
    from dataflow.circuit.node import Node
    from dataflow.collection.status import Status
    from dataflow.collection.subscription import Subscription
    from dataflow.live.splices import Splice

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
LiveKey = str | tuple[str, ...] | Callable[[Any], object]


class LiveQuery(Readable[R_co]):
    """The result of a query, kept up to date; made by `live`."""

    __slots__ = (
        "_closed",
        "_failure",
        "_kept",
        "_key",
        "_layout",
        "_node",
        "_release",
        "_row_type",
        "_sources",
        "_tree",
        "_waiter",
    )

    _kind = "live query"

    def __init__(
        self,
        tree: ir.Node,
        *,
        name: str,
        key: LiveKey | None,
        row_type: Any,
        kept: bool = True,
    ) -> None:
        super().__init__(name)
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
        graph = self._used()
        graph.refuse_while_stepping("start a live query")
        sources = self._sources = sources_of(tree)
        waits = [source.wait_for(self._waiter) for source in sources]
        if any(waits):
            self._let_go(graph, partial(stop_waiting, self._waiter, sources))
        else:
            self._start(graph)
        graph.collect()  # only now: what has just been dropped may be what this needs

    # -- start and end -------------------------------------------------------------------------------------------------

    def _start(self, graph: Graph) -> None:
        tree = self._tree
        if graph.observer is not None:
            tree = replace_functions(tree, graph.observer.function)
        self._node, self._layout = Planner(graph).plan(tree, stored=self._kept)
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

    # -- order and window ----------------------------------------------------------------------------------------------

    @property
    def window(self) -> tuple[int | None, int]:
        """The limit, None for all rows, and the offset of the query.

        Raises:
            QueryError: if the query has no order.
        """
        order = order_of(self._tree)
        return order.limit, order.offset

    def set_window(
        self, *, limit: int | EllipsisType | None = ..., offset: int | EllipsisType = ...
    ) -> None:
        """Show other rows of the order, from now on; subscribers get the difference as one epoch.

        Args:
            limit: how many rows, or None for all.
            offset: how many to skip. What is not given stays as it is.

        Raises:
            QueryError: if the query has no order.

        Complexity: O(rows shown before and after), apart from the first two moves, which also pass over the input.
        """
        graph = self._used()
        self._check_open()
        graph.refuse_while_stepping("move a window")
        now = order_of(self._tree)
        limit = now.limit if isinstance(limit, EllipsisType) else limit
        offset = now.offset if isinstance(offset, EllipsisType) else offset
        self._tree = moved(self._tree, limit, offset)
        if self._node is not None and (limit, offset) != (now.limit, now.offset):
            graph.run(WindowMove(self._node, limit, offset))

    def subscribe_ordered(
        self, fn: Callable[[list[Splice[R_co]]], object], *, initial: bool = False
    ) -> Subscription:
        """Call `fn` with the splices of each epoch, which make the list shown before `rows()`.

        Rows that only change places are told of too. Where that is shorter, `fn` gets one `Reset`.

        Args:
            fn: gets a non-empty list of splices, to be applied strictly in sequence. What it raises surfaces from the commit.
            initial: deliver the present rows first, as a `Reset`.

        Returns:
            A subscription, alive until its `close()`, also when this handle is dropped.

        Raises:
            QueryError: if the query has no order.

        Complexity: O(log rows) for each row that comes, goes, moves or changes.
        """
        order_of(self._tree)
        return self.attach(
            lambda graph, forget: OrderedSubscription(graph, fn, forget=forget), initial=initial
        )

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
        if self._closed:
            return
        graph = self._used()
        self._closed = True
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

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
        tree = _rekeyed(tree, key)
    label = name or " ⋈ ".join(dict.fromkeys(scan.alias for scan in ir.scans(tree)))
    return LiveQuery(optimize(tree), name=label, key=key, row_type=row_type)


def _rekeyed(tree: ir.Node, key: object) -> ir.Node:
    """Return a tree whose rows are known under another key."""
    if callable(key):
        return ir.Rekey(tree, key)
    names = (key,) if isinstance(key, str) else key
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        raise QueryError(f"key= is a field, a tuple of fields or a function, not {key!r}")
    columns = columns_of(tree)
    for name in names:
        if columns is not None and name not in columns:
            raise UnknownFieldError(name, "the row of the live query", columns)
    return ir.Rekey(tree, names, single=isinstance(key, str))


def run(query: Query[R] | Source[R]) -> list[R]:
    """Compute a query once and return its rows, in its order.

    Raises:
        QueryError: if the query cannot run.
        CollectionError: if a source is still loading, or is closed.
    """
    result = live(query, name="run")
    if result.is_waiting:
        raise CollectionError(
            "a source of the query is still loading: wait for it, or use live(query)"
        )
    with result:
        error = result._failed()  # noqa: SLF001 - that a source has failed does not matter: it keeps its rows
        if error is not None:
            raise error
        return result.rows()


def tree_of(query: Query[Any] | Source[Any]) -> tuple[ir.Node, Any]:
    """Return the IR tree of a query or a source, and its row type."""
    if isinstance(query, Query):
        return query._plan(), query.row_type  # noqa: SLF001 - a query has no public names but clauses
    if isinstance(query, Source):
        return ir.Scan(ir.SourceRef(query), query.name), query.row_type
    raise QueryError(f"expected a query or a source, not {type(query).__name__}")
