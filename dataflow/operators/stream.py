"""Delta streams: the handles of edges while a circuit is built, and the calls that add operators.

A stream stands for a relation, a Z-set that changes from epoch to epoch; what passes along its edge are the changes. Each
method adds one operator and returns the stream of what it makes; the file of that name says what it means and costs.

Functions given to operators have to be pure: the same answer for equal rows at any time. A row that leaves is told from one
that stays by calling them again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from dataflow.errors import QueryError
from dataflow.operators.antijoin import Antijoin
from dataflow.operators.concat import Concat
from dataflow.operators.count import Count
from dataflow.operators.distinct import Distinct
from dataflow.operators.edge import Edge, attach, refuse_in_loop
from dataflow.operators.filter import Filter
from dataflow.operators.flat_map import FlatMap
from dataflow.operators.inspect import Inspect
from dataflow.operators.iterate import Iterate
from dataflow.operators.join import Join
from dataflow.operators.loop import Loop
from dataflow.operators.map import Map
from dataflow.operators.negate import Negate
from dataflow.operators.output import Integrate, Output
from dataflow.operators.reduce import Reduce
from dataflow.operators.semijoin import Semijoin
from dataflow.operators.topk import TopK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dataflow.operators.operator import Operator, OperatorStatistics
    from dataflow.zset import ZSet

R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")


class DeltaStream(Generic[R]):
    """An edge of a circuit. Made by `Circuit.source` and by the methods here, all of which raise when

    - the circuit has run already (CollectionError),
    - streams of two circuits, or of two loops, meet (QueryError),
    - the operator is not monotone and the stream depends on the variable of a loop (QueryError).

    Attributes:
        edge: what it is a handle of; for the operators of this package.
    """

    __slots__ = ("edge",)

    def __init__(self, edge: Edge[R]) -> None:
        self.edge: Edge[R] = edge

    def __repr__(self) -> str:
        return f"<DeltaStream of {self.edge.operator.name!r}>"

    # -- linear operators: no state --------------------------------------------------------------------------------

    def map(self, fn: Callable[[R], S]) -> DeltaStream[S]:
        """Make one row of each row."""
        return self._attach(lambda source: Map(source, fn))

    def flat_map(self, fn: Callable[[R], Iterable[S]]) -> DeltaStream[S]:
        """Make any number of rows of each row."""
        return self._attach(lambda source: FlatMap(source, fn))

    def filter(self, predicate: Callable[[R], object]) -> DeltaStream[R]:
        """Keep the rows for which the predicate's answer is true."""
        return self._attach(lambda source: Filter(source, predicate))

    def concat(self, *others: DeltaStream[R]) -> DeltaStream[R]:
        """Add up relations: weights of equal rows are summed."""
        return self._attach(Concat, *others)

    def negate(self) -> DeltaStream[R]:
        """Turn the sign of every weight."""
        refuse_in_loop("negate", self.edge)
        return self._attach(Negate)

    # -- joins -----------------------------------------------------------------------------------------------------

    @overload
    def join(
        self,
        right: DeltaStream[S],
        *,
        left_key: Callable[[R], object],
        right_key: Callable[[S], object],
    ) -> DeltaStream[tuple[R, S]]: ...

    @overload
    def join(
        self,
        right: DeltaStream[S],
        *,
        left_key: Callable[[R], object],
        right_key: Callable[[S], object],
        into: Callable[[R, S], T],
    ) -> DeltaStream[T]: ...

    def join(
        self,
        right: DeltaStream[S],
        *,
        left_key: Callable[[R], object],
        right_key: Callable[[S], object],
        into: Callable[[R, S], Any] | None = None,
    ) -> DeltaStream[Any]:
        """Match rows by equal keys; weights multiply, and a null key matches nothing.

        Args:
            right: the other side.
            left_key: row of this side -> key.
            right_key: row of the other side -> key.
            into: left row, right row -> joined row; by default the pair of both.
        """
        make = _pair if into is None else into
        return self._attach(
            lambda one, other: Join(one, other, left_key=left_key, right_key=right_key, into=make),
            right,
        )

    def semijoin(
        self,
        right: DeltaStream[S],
        *,
        left_key: Callable[[R], object],
        right_key: Callable[[S], object],
    ) -> DeltaStream[R]:
        """Keep the rows whose key the right side has: the weights of its rows with that key sum up to more than zero.

        Args:
            right: the other side.
            left_key: row of this side -> key; a null key is never found.
            right_key: row of the other side -> key.
        """
        if self.edge.loop is not None or right.edge.loop is not None:
            return self.join(right, left_key=left_key, right_key=right_key, into=_left)
        return self._attach(
            lambda one, other: Semijoin(one, other, left_key=left_key, right_key=right_key), right
        )

    def antijoin(
        self,
        right: DeltaStream[S],
        *,
        left_key: Callable[[R], object],
        right_key: Callable[[S], object],
    ) -> DeltaStream[R]:
        """Keep the rows that `semijoin` would leave out, those with a null key among them.

        Args:
            right: the other side.
            left_key: row of this side -> key.
            right_key: row of the other side -> key.
        """
        refuse_in_loop("antijoin", self.edge, right.edge)
        return self._attach(
            lambda one, other: Antijoin(one, other, left_key=left_key, right_key=right_key), right
        )

    # -- groups ----------------------------------------------------------------------------------------------------

    def distinct(self) -> DeltaStream[R]:
        """Keep each row of positive weight once. Inside a loop, where relations are sets anyway, it does nothing."""
        return self._attach(Distinct) if self.edge.loop is None else self

    def count(self, *, key: Callable[[R], object] | None = None) -> DeltaStream[tuple[Any, int]]:
        """Sum up the weights per key, as rows (key, sum); a sum of zero has no row.

        Args:
            key: row -> key; without it all rows are one group, under the key `()`.
        """
        refuse_in_loop("count", self.edge)
        return self._attach(lambda source: Count(source, key=key or _no_key))

    def reduce(
        self,
        fn: Callable[[Any, list[tuple[R, int]]], Iterable[S]],
        *,
        key: Callable[[R], object] | None = None,
    ) -> DeltaStream[S]:
        """Make any number of rows of each group.

        Args:
            fn: key in normal form, (row, weight) pairs in the total order of rows -> rows.
            key: row -> key; without it all rows are one group, under the key `()`.
        """
        refuse_in_loop("reduce", self.edge)
        return self._attach(lambda source: Reduce(source, fn, key=key or _no_key))

    def topk(
        self,
        k: int,
        *,
        offset: int = 0,
        key: Callable[[R], object] | None = None,
        order: Callable[[R], object] | None = None,
        descending: bool = False,
    ) -> DeltaStream[R]:
        """Keep the rows at the positions offset ... offset + k of each group in order.

        Args:
            k: rows to keep per group.
            offset: rows to leave out before them.
            key: row -> key; without it all rows are one group.
            order: row -> value to sort by, in the total order of values; by default the row itself.
            descending: whether the greatest value comes first. Ties stay in ascending order of rows.

        Raises:
            QueryError: k or offset is negative.
        """
        refuse_in_loop("topk", self.edge)
        if k < 0 or offset < 0:
            raise QueryError(f"topk of {k} rows from position {offset}: neither may be negative")
        return self._attach(
            lambda source: TopK(
                source,
                k,
                offset=offset,
                key=key or _no_key,
                order=order or _row_itself,
                descending=descending,
            )
        )

    # -- recursion -------------------------------------------------------------------------------------------------

    def iterate(
        self,
        step: Callable[[DeltaStream[R]], DeltaStream[R]],
        *,
        max_rounds: int = 10_000,
    ) -> DeltaStream[R]:
        """Find the least set that has the rows of this stream, and whatever `step` makes of its rows.

        Other streams may be used inside `step`; they enter the loop as sets.

        Args:
            step: called once, while the circuit is built, with the stream of the rows found so far.
            max_rounds: rounds in one epoch after which the epoch is discarded.

        Raises:
            QueryError: the stream is inside a loop already.
        """
        refuse_in_loop("iterate", self.edge)
        schedule = self.edge.schedule
        loop = Loop(schedule)
        seed = loop.enter(self.edge.operator)
        found = step(DeltaStream(Edge(schedule, loop.variable, loop)))
        result = found.edge.read_from(schedule, loop)
        loop.is_built = True
        operator = Iterate(seed, loop, result, max_rounds=max_rounds)
        schedule.add(operator)
        return DeltaStream(Edge(schedule, operator))

    # -- looking at it ---------------------------------------------------------------------------------------------

    def inspect(self, fn: Callable[[ZSet[R]], object]) -> DeltaStream[R]:
        """Call a function with the delta of each epoch that changes this stream, once that epoch is complete.

        What `fn` raises surfaces from the push in an ExceptionGroup; the epoch stands. It cannot push.
        """
        refuse_in_loop("inspect", self.edge)
        return self._attach(lambda source: Inspect(source, fn))

    def output(self) -> Output[R]:
        """Keep the rows of this stream to be read between epochs."""
        refuse_in_loop("output", self.edge)
        schedule = self.edge.schedule
        operator = Integrate(self.edge.operator, schedule)
        schedule.add(operator)
        return Output(operator, schedule)

    def statistics(self) -> OperatorStatistics:
        """Return a snapshot of the operator that feeds this stream."""
        return self.edge.operator.statistics()

    def _attach(
        self, make: Callable[..., Operator[S]], *others: DeltaStream[Any]
    ) -> DeltaStream[S]:
        return DeltaStream(attach(make, self.edge, *[other.edge for other in others]))


def _pair(left: R, right: S) -> tuple[R, S]:
    return left, right


def _left(left: R, _right: object) -> R:
    return left


def _no_key(_row: object) -> tuple[()]:
    return ()


def _row_itself(row: R) -> R:
    return row
