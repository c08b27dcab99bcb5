"""Effects: handlers that are called with what enters, changes in and leaves the result of a query.

State   what the plan needs; the result itself is not kept, unless the query can fail: it calls functions of the user, groups,
        recurses, or reads another result. Then its rows are kept, so that after a recovery the difference can be told.
Edges   it lives until it is closed, also when its handle is dropped; closing takes effect at once, between two calls too.
        What a handler raises keeps no other handler from being called, and surfaces from the commit as with subscribers.
        While the query is in status "error" nothing is told, but to `on_error`, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dataflow.callables import is_async
from dataflow.closing import Closing
from dataflow.collection.loop import require_callable
from dataflow.collection.subscription import Subscription
from dataflow.errors import CollectionError
from dataflow.live.functions import replace_functions
from dataflow.live.live import LiveQuery, tree_of
from dataflow.query import ir
from dataflow.query.optimizer.optimize import optimize
from dataflow.values.equality import equal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dataflow.circuit.graph import Graph
    from dataflow.circuit.node import Delta, Node
    from dataflow.collection.changes import Change
    from dataflow.collection.status import Status
    from dataflow.live.statistics import LiveStatistics
    from dataflow.query.builder import Query
    from dataflow.query.source import Source

R = TypeVar("R")


class Effect(Closing, Generic[R]):
    """A running effect, made by `effect`; `close()` it, or use it as a context manager.

    Attributes:
        closed: whether it has been closed.
    """

    __slots__ = (
        "_handlers",
        "_on_batch",
        "_on_error",
        "_result",
        "_status",
        "_subscription",
        "closed",
    )

    def __init__(
        self,
        result: LiveQuery[R],
        handlers: dict[str, Callable[[Change[R]], object] | None],
        on_batch: Callable[[list[Change[R]]], object] | None,
        on_error: Callable[[BaseException], object] | None,
        *,
        skip_initial: bool,
    ) -> None:
        self.closed: bool = False
        self._result = result
        self._handlers = handlers
        self._on_batch = on_batch
        self._on_error = on_error
        self._status = result.subscribe_status(self._status_changed)
        self._subscription = result.attach(
            lambda graph, forget: _Handling(
                graph, _watched(graph, self._handle), skip_initial, forget
            ),
            initial=not skip_initial,
        )
        if on_error is not None and result.error is not None:
            on_error(result.error)

    @property
    def status(self) -> Status:
        """The status of its query; `closed` after `close()`."""
        return self._result.status

    @property
    def error(self) -> BaseException | None:
        """Why the status is `error`, else None."""
        return self._result.error

    @property
    def last_node(self) -> Node | None:
        """The node whose delta is handled, None while the sources are loading."""
        return self._result.last_node

    def restart(self) -> None:
        """Try a query that failed again, though nothing has changed."""
        self._result.restart()

    def statistics(self) -> LiveStatistics:
        """Return a snapshot of the plan's counters."""
        return self._result.statistics()

    def close(self) -> None:
        """Stop; no handler is called after this returns. Closing twice is allowed."""
        self.closed = True
        self._status.close()
        self._subscription.close()
        self._result.close()

    def _handle(self, changes: list[Change[R]]) -> None:
        errors: list[Exception] = []
        for change in changes:
            handler = self._handlers[change.op]
            if handler is not None and not self.closed:
                _call(handler, change, errors)
        if self._on_batch is not None and not self.closed:
            _call(self._on_batch, changes, errors)
        if len(errors) > 1:
            raise ExceptionGroup("handlers of an effect raised", errors)
        if errors:
            raise errors[0]

    def _status_changed(self, status: Status) -> None:
        error = self._result.error
        if status == "error" and error is not None and self._on_error is not None:
            self._on_error(error)


class _Handling(Subscription):
    """The subscription of an effect, which may pass over the rows that are there when its sources get ready."""

    __slots__ = ("_skip_initial",)

    def __init__(
        self,
        graph: Graph,
        call: Callable[[list[Any]], object],
        skip_initial: bool,  # noqa: FBT001 - one caller, a line above
        forget: Callable[[Any], object],
    ) -> None:
        super().__init__(graph, call, forget=forget)
        self._skip_initial = skip_initial

    def follow(self, node: Node) -> None:
        """Get the deltas of a node from now on, or from the next epoch on."""
        super().follow(node)
        if self._skip_initial:
            self.since = self._graph.epoch

    def deliver(self, delta: Delta) -> None:
        """Tell of an epoch; where rows are not kept, those that merely look different have not been left out yet."""
        if self._node is not None and self._node.rows is None:
            delta = [
                change
                for change in delta
                if change[1] is None or change[2] is None or not equal(change[1], change[2])
            ]
        if delta:
            super().deliver(delta)


def effect(
    query: Query[R] | Source[R],
    *,
    on_enter: Callable[[Change[R]], object] | None = None,
    on_update: Callable[[Change[R]], object] | None = None,
    on_exit: Callable[[Change[R]], object] | None = None,
    on_batch: Callable[[list[Change[R]]], object] | None = None,
    on_error: Callable[[BaseException], object] | None = None,
    skip_initial: bool = False,
    name: str | None = None,
) -> Effect[R]:
    """Call handlers with what happens to the rows of a query, without keeping its result.

    Each gets a `Change`: `change.value` is the row that entered, is new, or left. What they write is the next epoch.

    Args:
        query: a query, or a source.
        on_enter: a row is new in the result.
        on_update: a row of it has changed; `change.old` is the row before.
        on_exit: a row is in it no longer.
        on_batch: all changes of the epoch, after the calls for each of them.
        on_error: the query has failed, with what its function raised; it goes on when it recovers.
        skip_initial: pass over the rows that are there when it starts, or when its sources get ready.
        name: a label for plans and errors.

    Returns:
        An effect, alive until its `close()`, also when this handle is dropped.

    Raises:
        QueryError: if the query cannot run.
        CollectionError: if there is no handler, or one cannot be called, or is a coroutine function.

    Complexity: each epoch costs what it changes; a result that is not kept costs no memory.
    """
    handlers = {"insert": on_enter, "update": on_update, "delete": on_exit}
    _check_handlers(
        on_enter=on_enter,
        on_update=on_update,
        on_exit=on_exit,
        on_batch=on_batch,
        on_error=on_error,
    )
    tree, row_type = tree_of(query)
    tree = optimize(tree)
    label = name or "effect"
    result: LiveQuery[R] = LiveQuery(
        tree, name=label, key=None, row_type=row_type, kept=_can_fail(tree)
    )
    try:
        return Effect(result, handlers, on_batch, on_error, skip_initial=skip_initial)
    except BaseException:
        result.close()
        raise


def _check_handlers(**handlers: Callable[..., object] | None) -> None:
    given = {name: handler for name, handler in handlers.items() if handler is not None}
    if not given:
        raise CollectionError("an effect needs a handler: on_enter, on_update, on_exit or on_batch")
    for name, handler in given.items():
        require_callable(handler, f"{name} of an effect")
        if is_async(handler):
            error = CollectionError(f"an effect cannot call a coroutine function: {handler!r}")
            error.add_note("start a task in it, or follow live(query).changes()")
            raise error


def _watched(
    graph: Graph, handle: Callable[[list[Change[Any]]], object]
) -> Callable[[list[Change[Any]]], object]:
    """Return what to call in place of handlers: a debug mode looks at the rows they are given."""
    return handle if graph.observer is None else graph.observer.subscriber(handle)


def _call(function: Callable[[Any], object], argument: object, errors: list[Exception]) -> None:
    try:
        function(argument)
    except Exception as error:  # noqa: BLE001 - one handler must not starve the next
        errors.append(error)


def _can_fail(tree: ir.Node) -> bool:
    """Tell whether a query may lose track of its changes for a while, and has to find them by comparing."""
    called: list[str] = []

    def noted(function: Callable[..., Any], role: str) -> Callable[..., Any]:
        called.append(role)
        return function

    replace_functions(tree, noted)
    return bool(called) or any(_may_raise(node) for node in _nodes(tree))


def _may_raise(node: ir.Node) -> bool:
    match node:
        case ir.Scan(source=source):
            return isinstance(source.relation, LiveQuery)
        case ir.Project(into=into):
            return into is not None
        case _:
            return isinstance(node, ir.Group | ir.Windowed | ir.Nest | ir.Recursive | ir.Rekey)


def _nodes(tree: ir.Node) -> Iterator[ir.Node]:
    yield tree
    for child in ir.inputs(tree):
        yield from _nodes(child)
