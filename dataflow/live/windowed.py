"""What a live result with an order can do beyond others: its window moves, and subscribers are told where rows stand."""

from __future__ import annotations

from abc import abstractmethod
from types import EllipsisType
from typing import TYPE_CHECKING, TypeVar

from dataflow.collection.readable import Readable
from dataflow.collection.subscription import check_subscriber
from dataflow.live.ordered import OrderedSubscription
from dataflow.live.window import WindowMove, moved, order_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataflow.circuit.node import Node
    from dataflow.collection.subscription import Subscription
    from dataflow.live.splices import Splice
    from dataflow.query import ir

R_co = TypeVar("R_co", covariant=True)


class Windowed(Readable[R_co]):
    """A readable that runs a query, which may have an order."""

    __slots__ = ("_node", "_tree")

    _tree: ir.Node
    _node: Node | None

    @abstractmethod
    def _check_open(self) -> None:
        """Raise if closed."""

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
            CollectionError: if `fn` cannot be called, or is a coroutine function.

        Complexity: O(log rows) for each row that comes, goes, moves or changes.
        """
        check_subscriber(fn)
        order_of(self._tree)
        return self.attach(
            lambda graph, forget: OrderedSubscription(graph, fn, forget=forget), initial=initial
        )
