"""Window functions over the rows of one partition, one column of values at a time.

A function is asked for the values of a stretch of rows after something in it, or before it, has
changed; what stands before the stretch is right already. Four of them read what they need off the
row before; a running sum keeps the exact total of the whole partition, takes the old rows of the
stretch out (`rewind`) and the new ones in again, so that no value depends on the history.

Law     column(...) == the values SQL gives these rows with ROWS UNBOUNDED PRECEDING..CURRENT ROW
State   none, but for `Running`: one exact total
Cost    O(rows of the stretch)
Edges   rows of equal order are peers of `rank` and `dense_rank`, and follow each other in all else;
        nulls are skipped by aggregates, and are values to `lag` and `lead`
Source  SQL:2003, window functions; the suffix taken back as in any prefix-sum maintenance
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from dataflow.aggregation.extremes import Extremes
from dataflow.aggregation.sums import Total
from dataflow.values.order import sort_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class Member:
    """A row of a partition.

    Attributes:
        key: The row's key.
        partition: The partition's key, in normal form.
        place: What sorts it: (key of its order, key that breaks ties).
        arguments: What the functions read of the row.
        head: What the values are appended to when the row is built.
        values: The value of each function; None before the first.
    """

    __slots__ = ("arguments", "head", "key", "partition", "place", "values")

    def __init__(
        self, key: Any, partition: Any, place: tuple[Any, Any], arguments: tuple[Any, ...]
    ) -> None:
        self.key: Any = key
        self.partition: Any = partition
        self.place: tuple[Any, Any] = place
        self.arguments: tuple[Any, ...] = arguments
        self.head: tuple[Any, ...] = ()
        self.values: tuple[Any, ...] | None = None


class Stretch:
    """Neighbouring rows of a partition whose values are asked for.

    Attributes:
        members: The rows, and those before and after that the functions look at.
        first, last: Where the rows begin and end in `members`.
        position: The position of `members[first]` in the partition.
    """

    __slots__ = ("first", "last", "members", "position")

    def __init__(self, members: Sequence[Member], first: int, last: int, position: int) -> None:
        self.members: Sequence[Member] = members
        self.first: int = first
        self.last: int = last
        self.position: int = position

    def rows(self) -> Sequence[Member]:
        """Return the rows themselves."""
        return self.members[self.first : self.last]

    def before(self) -> Member | None:
        """Return the row before the first; None at the beginning of the partition."""
        return self.members[self.first - 1] if self.first else None


class PositionFunction(Protocol):
    """A function of the rows of a partition in order.

    Attributes:
        behind, ahead: How many rows it looks back and forward.
        reaches_end: Whether a change may concern all later rows.
    """

    behind: int
    ahead: int
    reaches_end: bool

    def rewind(self, members: Iterable[Member]) -> None:
        """Forget the rows from some place to the end."""
        ...

    def column(self, stretch: Stretch) -> list[Any]:
        """Return the value for each row of a stretch."""
        ...


class _FromBefore:
    """What reads the row before and keeps nothing."""

    __slots__ = ("_at",)

    behind: int = 1
    ahead: int = 0
    reaches_end: bool = True

    def __init__(self, at: int) -> None:
        self._at = at  # the position of its value among those of a member

    def rewind(self, members: Iterable[Member]) -> None:
        """Do nothing: there is no state."""

    def _previous(self, stretch: Stretch) -> Any:
        before = stretch.before()
        return None if before is None or before.values is None else before.values[self._at]


class RowNumber(_FromBefore):
    """The position of the row, from 1."""

    __slots__ = ()

    def column(self, stretch: Stretch) -> list[Any]:
        """Return the value for each row of a stretch."""
        begin = stretch.position + 1
        return list(range(begin, begin + stretch.last - stretch.first))


class Rank(_FromBefore):
    """The position of the first of the row's peers, from 1; dense: how many orders there are up to it."""

    __slots__ = ("_dense",)

    def __init__(self, at: int, *, dense: bool) -> None:
        super().__init__(at)
        self._dense = dense

    def column(self, stretch: Stretch) -> list[Any]:
        """Return the value for each row of a stretch."""
        before = stretch.before()
        order = None if before is None else before.place[0]
        rank = self._previous(stretch) or 0
        values: list[Any] = []
        for position, member in enumerate(stretch.rows(), start=stretch.position + 1):
            if position == 1 or member.place[0] != order:
                rank = rank + 1 if self._dense else position
                order = member.place[0]
            values.append(rank)
        return values


class Shift:
    """The argument of another row, `rows` before this one (after it if negative); else a default."""

    __slots__ = ("_argument", "_default", "_rows", "ahead", "behind")

    reaches_end: bool = False

    def __init__(self, argument: int, default: int, rows: int) -> None:
        self._argument = argument
        self._default = default
        self._rows = rows
        self.behind: int = max(0, rows)
        self.ahead: int = max(0, -rows)

    def rewind(self, members: Iterable[Member]) -> None:
        """Do nothing: there is no state."""

    def column(self, stretch: Stretch) -> list[Any]:
        """Return the value for each row of a stretch."""
        members, argument, rows = stretch.members, self._argument, self._rows
        values: list[Any] = []
        for at in range(stretch.first, stretch.last):
            if 0 <= at - rows < len(members):
                values.append(members[at - rows].arguments[argument])
            else:
                values.append(members[at].arguments[self._default])
        return values


class RunningCount(_FromBefore):
    """How many rows up to this one have an argument that is not null."""

    __slots__ = ("_argument",)

    def __init__(self, at: int, argument: int) -> None:
        super().__init__(at)
        self._argument = argument

    def column(self, stretch: Stretch) -> list[Any]:
        """Return the value for each row of a stretch."""
        count = self._previous(stretch) or 0
        values: list[Any] = []
        for member in stretch.rows():
            count += member.arguments[self._argument] is not None
            values.append(count)
        return values


class RunningExtreme(_FromBefore):
    """The smallest or the largest argument up to this row; of equal ones the first."""

    __slots__ = ("_argument", "_largest")

    def __init__(self, at: int, argument: int, *, largest: bool) -> None:
        super().__init__(at)
        self._argument = argument
        self._largest = largest

    def column(self, stretch: Stretch) -> list[Any]:
        """Return the value for each row of a stretch."""
        extreme = self._previous(stretch)
        key = None if extreme is None else sort_key(extreme)
        values: list[Any] = []
        for member in stretch.rows():
            value = member.arguments[self._argument]
            if value is not None:
                other = sort_key(value)
                if key is None or (key < other if self._largest else other < key):
                    extreme, key = value, other
            values.append(extreme)
        return values


class RunningTotal:
    """The exact sum, or mean, of the arguments up to this row."""

    __slots__ = ("_argument", "_mean", "_total")

    behind: int = 0
    ahead: int = 0
    reaches_end: bool = True

    def __init__(self, argument: int, *, mean: bool) -> None:
        self._argument = argument
        self._mean = mean
        self._total = Total()

    def rewind(self, members: Iterable[Member]) -> None:
        """Forget the rows from some place to the end."""
        for member in members:
            self._total.remove(member.arguments[self._argument])

    def column(self, stretch: Stretch) -> list[Any]:
        """Return the value for each row of a stretch, which reaches to the end of the partition."""
        total = self._total
        result = total.mean if self._mean else total.total
        values: list[Any] = []
        for member in stretch.rows():
            total.add(member.arguments[self._argument])
            values.append(result())
        return values


class Whole:
    """An aggregate of all rows of a partition: one value that all of them share."""

    __slots__ = ("_argument", "_held", "_result")

    def __init__(self, argument: int, kind: str) -> None:
        self._argument = argument
        make, result = _WHOLE[kind]
        self._held = make()
        self._result: Callable[[], Any] = getattr(self._held, result)

    def change(self, gone: Iterable[Member], come: Iterable[Member]) -> Any:
        """Take rows out and in; return the value."""
        for member in gone:
            self._held.remove(member.arguments[self._argument])
        for member in come:
            self._held.add(member.arguments[self._argument])
        return self._result()


class _Count:
    """A count of values that are not null."""

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = 0

    def add(self, value: Any) -> None:
        self._count += value is not None

    def remove(self, value: Any) -> None:
        self._count -= value is not None

    def count(self) -> int:
        return self._count


_WHOLE: Final[dict[str, tuple[Callable[[], Any], str]]] = {
    "count": (_Count, "count"),
    "sum": (Total, "total"),
    "avg": (Total, "mean"),
    "min": (Extremes, "minimum"),
    "max": (Extremes, "maximum"),
}
"""Kind -> what holds the values, and its method that answers."""
