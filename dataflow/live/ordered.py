"""Ordered subscriptions: a list on a screen, kept equal to `rows()` by splices.

Law     applying what is delivered, blindly and in sequence, to the list as it was, gives `rows()` after every epoch
Method  the order tells which rows came, went or changed in its window, and its input's delta which entries moved anywhere. An
        entry stood, before the epoch, where it stands now, less the entries that came before it, plus those that went
State   the keys and rows shown, O(window)
Cost    O(log rows) per row concerned, nothing for the others; nothing at all for a live query nobody follows like this
Edges   more than half of the list at once, a recovery, or rows from far outside the window: one `Reset`. While the query is in
        status "error" nothing is delivered. A row known under a new key is removed and inserted.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from dataflow.circuit.commit import Greeting
from dataflow.circuit.node import EMPTY
from dataflow.collection.statistics import SubscriptionStatistics
from dataflow.collection.subscription import Subscription
from dataflow.live.splices import Reset, Splice, splice_list
from dataflow.live.window import order_below
from dataflow.query.compiler.rekey import Rekey
from dataflow.values.normal import expose

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.circuit.graph import Graph
    from dataflow.circuit.node import Delta, Node
    from dataflow.query.compiler.entries import Entry
    from dataflow.query.compiler.order import Order

RESET_ABOVE = 32  # splices; from there on, if they are more than half of the rows, the new list is shorter to tell


class OrderedSubscription(Subscription):
    """A running ordered subscription; `close()` it, or use it as a context manager."""

    __slots__ = ("_lost", "_offset", "_order", "_rekey", "_shown", "_splices_of")

    def __init__(
        self,
        graph: Graph,
        call: Callable[[list[Splice[Any]]], object],
        *,
        forget: Callable[[Any], object],
    ) -> None:
        super().__init__(graph, call, forget=forget)
        self._order: Order | None = None
        self._rekey: Rekey | None = None
        self._shown: dict[Any, tuple[Any, Any]] = {}  # key in the order -> key and row shown
        self._offset = 0
        self._lost = True  # whether the list is not known to equal what is shown

    def follow(self, node: Node) -> None:
        """Follow the order below the last node of a plan, and the state of the plan."""
        self._node = node
        self._rekey = node if isinstance(node, Rekey) else None
        order = self._order = order_below(node)
        order.watched += 1
        order.subscribers[self] = None
        node.watchers[self] = None

    def skip(self, present: Callable[[], Delta]) -> None:
        """Take present rows as known, without delivering them."""
        if self._node is not None and self._node.error is None:
            self._load()

    def statistics(self) -> SubscriptionStatistics:
        """Return a snapshot of what it keeps."""
        return SubscriptionStatistics(len(self._shown), 0)

    def status_changed(self) -> None:
        """Begin anew after a failure, in an epoch of its own: where rows stand may be all that has changed."""
        assert self._node is not None
        if self._node.error is not None:
            self._lost = True
        elif self._lost:
            self._graph.run(Greeting(self, EMPTY))

    def deliver(self, delta: Delta) -> None:
        """Call the subscriber with the splices of one epoch."""
        order, last = self._order, self._node
        if self.closed or order is None or last is None or last.error is not None:
            return
        try:
            splices = self._splices(delta, order)
        except _UntoldError:
            self._load()
            rows = tuple(self._shown.values())
            splices = [Reset(tuple(row for _, row in rows), tuple(key for key, _ in rows))]
        if splices:
            self._call(splices)

    def close(self) -> None:
        """Stop; no call is made after this returns. Closing twice is allowed."""
        order, last = self._order, self._node
        super().close()
        if order is not None and last is not None:
            order.watched -= 1
            order.subscribers.pop(self, None)
            last.watchers.pop(self, None)
            self._order = self._rekey = None
            self._shown = {}

    def _load(self) -> None:
        """Take the rows as they are now for what the list shows."""
        order = self._order
        assert order is not None
        self._offset = order.offset
        self._shown = {key: self._visible(key) for key in order.ordered_keys()}
        self._lost = False

    def _visible(self, key: Any) -> tuple[Any, Any]:
        """Return the key and the row that users see for a key of the order."""
        assert self._node is not None
        assert self._node.rows is not None
        known_as = key if self._rekey is None else self._rekey.new_key(key)
        return expose(known_as), self._node.rows[known_as]

    def _splices(self, delta: Delta, order: Order) -> list[Splice[Any]]:
        """Return the splices of an epoch.

        Raises:
            _UntoldError: if the whole list is shorter to tell, or has to be told.
        """
        assert order.rows is not None
        if (
            self._lost
            or order.arrived is None
            or len(delta) > max(RESET_ABOVE, len(order.rows) // 2)
        ):
            raise _UntoldError
        places = _Places(order, order.arrived, self._offset)
        self._offset = order.offset
        removed: list[int] = []
        moved: list[tuple[int, int, Any]] = []
        inserted: list[tuple[int, Any, Any]] = []
        replaced: list[tuple[int, Any]] = []
        for key, old, new in delta:
            was, now = self._shown.pop(key, None), None
            if new is not None:
                now = self._shown[key] = self._visible(key)
            if was is not None and now is not None and was[0] == now[0]:
                before, after = order.entry(key, old), order.entry(key, new)
                place = places.now(after)
                if before != after:
                    moved.append((places.before(before), place, now[0]))
                if was[1] is not now[1]:
                    replaced.append((place, now[1]))
                continue
            if was is not None:
                removed.append(places.before(order.entry(key, old)))
            if now is not None:
                inserted.append((places.now(order.entry(key, new)), *now))
        return splice_list(removed, moved, inserted, replaced)


class _Places:
    """Where entries stand in the window, now and before the epoch."""

    __slots__ = ("_came", "_offset", "_order", "_went")

    def __init__(self, order: Order, arrived: Delta, offset: int) -> None:
        self._order = order
        self._offset = offset
        self._came: list[Entry] = []
        self._went: list[Entry] = []
        for key, old, new in arrived:
            before = None if old is None else order.entry(key, old)
            after = None if new is None else order.entry(key, new)
            if before != after:
                if before is not None:
                    self._went.append(before)
                if after is not None:
                    self._came.append(after)
        self._came.sort()
        self._went.sort()

    def now(self, entry: Entry) -> int:
        """Return the place of an entry in the window."""
        return self._position(entry) - self._order.offset

    def before(self, entry: Entry) -> int:
        """Return the place an entry had in the window before the epoch."""
        came, went = bisect_left(self._came, entry), bisect_left(self._went, entry)
        return self._position(entry) - came + went - self._offset

    def _position(self, entry: Entry) -> int:
        position = self._order.position(entry)
        if position is None:  # so much came before it that the order has let it go
            raise _UntoldError
        return position


class _UntoldError(Exception):
    """How the list became what it is cannot be told, or not in short."""
