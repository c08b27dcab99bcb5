"""The reading side that collections and live results share.

A readable is a Mapping of keys to rows over the rows of one node of the graph: keys are exposed from their normal form, iteration
follows the order of the query if it has one, and look-up goes by the engine's equality, so that `x[True]` never finds `1`.

A readable belongs to the thread of its first use. Every public call checks that, but look-up of a single key.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeAlias, TypeVar, get_origin

from dataflow.circuit.graph import Graph, current_graph
from dataflow.collection.changes import Change, changes_of
from dataflow.collection.following import Changes, Inbox
from dataflow.collection.frames import to_arrow, to_pandas, to_polars
from dataflow.collection.readiness import Wake
from dataflow.collection.status import Status, StatusSubscription
from dataflow.collection.subscription import Subscription, check_subscriber
from dataflow.collection.table import SHOWN, Table, html, rich_table, table_of
from dataflow.collection.unknown_names import unknown_name
from dataflow.errors import CollectionError
from dataflow.query.source import Source
from dataflow.values.fields import declared_fields
from dataflow.values.normal import expose, normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dataflow.circuit.node import Delta, Node
    from dataflow.collection.gathering import Clock
    from dataflow.collection.readiness import Waiting

R_co = TypeVar("R_co", covariant=True)
S = TypeVar("S", bound=Subscription)
Follower: TypeAlias = Subscription | Inbox | StatusSubscription


class Readable(Source[R_co]):
    """A source with rows in the graph of one thread."""

    __slots__ = ("__weakref__", "_followers", "_graph", "_name", "_waiting")

    _kind: ClassVar[str]

    def __init__(self, name: str) -> None:
        self._name = name
        self._graph: Graph | None = None
        self._followers: dict[Follower, None] = {}
        self._waiting: dict[Waiting, None] = {}

    # -- what subclasses know ----------------------------------------------------------------------------------------

    @abstractmethod
    def _find_node(self) -> Node | None:
        """Return the node with the rows, or None while there is none yet. Raises if closed."""

    @property
    @abstractmethod
    def status(self) -> Status:
        """`idle`, `loading`, `ready`, `error` or `closed`."""

    @property
    @abstractmethod
    def error(self) -> BaseException | None:
        """Why the status is `error`, else None."""

    @property
    @abstractmethod
    def is_waiting(self) -> bool:
        """Whether the first rows are still to come, be it after an error."""

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
        graph.check_thread(self)
        return graph

    def _node_in_use(self) -> Node | None:
        self._used()
        return self._find_node()

    def __str__(self) -> str:
        return f"{self._kind} {self._name!r}"

    # -- readiness ---------------------------------------------------------------------------------------------------

    def wait_for(self, waiting: Waiting) -> bool:
        """Ask to be told once the first rows are there, or the status is another; False if they are there."""
        self._node_in_use()
        if not self.is_waiting:
            return False
        self._waiting[waiting] = None
        return True

    def stop_waiting(self, waiting: Waiting) -> None:
        """Take back `wait_for`."""
        self._waiting.pop(waiting, None)

    async def wait_ready(self) -> None:
        """Wait until the first rows are there.

        Raises:
            CollectionError: if the status is, or becomes, "error" or "closed".
        """
        import asyncio

        self._node_in_use()
        while self.status in ("idle", "loading"):
            future = asyncio.get_running_loop().create_future()
            wake = Wake(future)
            self.wait_for(wake)
            try:
                await future
            finally:
                self.stop_waiting(wake)
        self._node_in_use()
        if self.status != "ready":
            raise CollectionError(f"{self} is in status {self.status!r}") from self.error

    def subscribe_status(self, fn: Callable[[Status], object]) -> StatusSubscription:
        """Call `fn` with the new status whenever it has changed, after the epoch that changed it.

        Returns:
            A subscription, alive until its `close()` or until the status is "closed".

        Raises:
            CollectionError: if `fn` is not callable, or is a coroutine function.
        """
        check_subscriber(fn)
        graph, node = self._used(), self._find_node()
        graph.refuse_while_stepping("subscribe")
        subscription = StatusSubscription(self, graph, fn, forget=self._forget)
        self._remember(subscription)
        if node is not None:
            subscription.follow(node)
        return subscription

    def _status_changed(self) -> None:
        """Tell followers that they are to look at the status again."""
        for follower in tuple(self._followers):
            if not isinstance(follower, Subscription):
                follower.status_changed()

    def _end_followers(self) -> None:
        """Close what follows the rows; who follows the status closes itself when it is told."""
        for follower in tuple(self._followers):
            if not isinstance(follower, StatusSubscription):
                follower.close()

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
        return iter([]) if node is None else map(expose, list(_keys(node)))

    def __len__(self) -> int:
        node = self._node_in_use()
        return 0 if node is None or node.rows is None else len(node.rows)

    def __contains__(self, key: object) -> bool:
        node = self._node_in_use()
        return node is not None and node.rows is not None and normal(key) in node.rows

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Mapping):
            return NotImplemented
        return _by_normal_form(self) == _by_normal_form(other)

    __hash__ = None  # type: ignore[assignment]  # equal contents now need not be equal later

    def rows(self) -> list[R_co]:
        """Return the rows in query order, as a new list. The rows are the stored ones: do not change them."""
        node = self._node_in_use()
        if node is None:
            return []
        rows = node.rows
        assert rows is not None
        keys = _keys(node)
        return list(rows.values()) if keys is rows else [rows[key] for key in keys]

    # -- following ---------------------------------------------------------------------------------------------------

    def subscribe(
        self,
        fn: Callable[[list[Change[R_co]]], object],
        *,
        initial: bool = False,
        where: Callable[[R_co], object] | None = None,
        every: float | None = None,
        clock: Clock | None = None,
    ) -> Subscription:
        """Call `fn` with the net changes of each epoch, after every derived collection has been updated.

        Args:
            fn: gets a non-empty list, at most one change per key. What it raises surfaces from the commit.
            initial: deliver the present rows first, as inserts.
            where: restrict to rows for which it answers something truthy; rows that start or cease to do so are inserts and deletes.
            every: gather changes for so many seconds, and deliver them merged into one net change per key; `math.inf` gathers
                until the subscription's `flush()`.
            clock: what calls back after these seconds, by its `call_later(seconds, callback)`; by default the running asyncio loop.

        Returns:
            A subscription, alive until its `close()`, also when this handle is dropped.

        Raises:
            CollectionError: if `fn` is not callable, or is a coroutine function.
        """
        check_subscriber(fn)
        graph = self._used()
        if graph.observer is not None:
            fn = graph.observer.subscriber(fn)
        return self.attach(
            lambda graph, forget: Subscription(
                graph, fn, where=where, every=every, clock=clock, forget=forget
            ),
            initial=initial,
        )

    def attach(self, make: Callable[[Graph, Callable[[Any], object]], S], *, initial: bool) -> S:
        """Let a new subscription follow the rows, from those that are there now on.

        Args:
            make: (graph, what it has to call when it closes) -> the subscription.
            initial: deliver the present rows first.
        """
        graph, node = self._used(), self._find_node()
        graph.refuse_while_stepping("subscribe")
        subscription = make(graph, self._forget)
        self._remember(subscription)
        if node is None:
            return subscription
        subscription.follow(node)
        try:
            if not initial:
                subscription.skip(partial(present_rows, node))
            elif present := present_rows(node):
                graph.greet(subscription, present)
        except BaseException:
            subscription.close()
            raise
        return subscription

    def initial_changes(
        self, *, where: Callable[[R_co], object] | None = None
    ) -> list[Change[R_co]]:
        """Return the present rows as inserts: what a subscriber with `initial=True` is told first.

        Args:
            where: leave out rows for which it answers something falsy.
        """
        changes = changes_of(present_rows(self._node_in_use()))
        return [change for change in changes if where is None or where(change.value)]

    def changes(
        self, *, initial: bool = False, every: float | None = None, clock: Clock | None = None
    ) -> Changes[R_co]:
        """Subscribe now and return the changes as an asynchronous iterator: one list per epoch, merged for slow consumers.

        Args:
            initial: yield the present rows first, as inserts; an empty list, once, if there are none.
            every: gather changes for so many seconds before each list.
            clock: what counts the seconds; see `subscribe`.
        """
        graph, node = self._used(), self._find_node()
        graph.refuse_while_stepping("subscribe")
        inbox = Inbox(graph, forget=self._forget, every=every, clock=clock)
        self._remember(inbox)
        if node is not None:
            inbox.follow(node)
        return Changes(self, graph, inbox, present_rows(node) if initial else None)

    def _remember(self, follower: Follower) -> None:
        self._followers[follower] = None

    def _forget(self, follower: Follower) -> None:
        self._followers.pop(follower, None)

    # -- looking at it ----------------------------------------------------------------------------------------------

    def to_pandas(self) -> Any:
        """Return the rows as a pandas DataFrame, one column per field; needs the extra `[pandas]`.

        Raises:
            ImportError: if pandas is not installed.
        """
        return to_pandas(self.rows(), self._declared_fields())

    def to_polars(self) -> Any:
        """Return the rows as a polars DataFrame, one column per field; needs the extra `[polars]`.

        Raises:
            ImportError: if polars is not installed.
        """
        return to_polars(self.rows(), self._declared_fields())

    def to_arrow(self) -> Any:
        """Return the rows as an Arrow table, one column per field; needs the extra `[arrow]`.

        Raises:
            ImportError: if pyarrow is not installed.
        """
        return to_arrow(self.rows(), self._declared_fields())

    def _declared_fields(self) -> Iterable[str]:
        row_type = get_origin(self.row_type) or self.row_type
        return (declared_fields(row_type) if isinstance(row_type, type) else None) or ()

    def _table(self) -> Table:
        node = None if self.status == "closed" else self._node_in_use()
        count, first = 0, []
        if node is not None and node.rows is not None:
            count, rows = len(node.rows), node.rows
            first = [rows[key] for key in islice(_keys(node), SHOWN)]
        return table_of(first, count=count, caption=f"{self}, {self.status}")

    def _repr_html_(self) -> str:
        return html(self._table())

    def __rich__(self) -> object:
        return rich_table(self._table())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name!r} {self.status}>"

    if not TYPE_CHECKING:  # a checker reports unknown names by itself

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("_"):  # also asked while a copy has no state yet
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
            raise unknown_name(self, name, tuple(self._declared_fields()))


def _keys(node: Node) -> Iterable[Any]:
    keys, rows = node.ordered_keys(), node.rows
    if rows is None:
        return ()
    if keys is None:
        return rows
    if node.error is not None:
        # the order below may have gone on without it: what that has let go comes last
        return dict.fromkeys(key for key in (*keys, *rows) if key in rows)
    return keys


def _by_normal_form(mapping: Mapping[Any, Any]) -> dict[Any, Any]:
    return {normal(key): row for key, row in mapping.items()}


def present_rows(node: Node | None) -> Delta:
    """Return all rows of a node as inserts, in query order."""
    if node is None:
        return []
    rows = node.rows
    if rows is None:  # not kept
        return [(key, None, row) for key, row in node.scan()]
    return [(key, None, rows[key]) for key in _keys(node)]
