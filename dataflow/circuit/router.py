"""The router: which readers of a source a change may concern, found without asking each of them.

Law     a reader that is left out would have had nothing to emit: its route holds neither for the old row nor for the new one.
        With and without a router, every subscriber hears the same, in the same order
State   per expression that routes speak of: value -> readers for equality, intervals -> readers for order. O(readers)
Cost    per changed row and expression: one look-up, and what `intervals` take; then O(hit log hit) to put readers in order.
        Readers without a route are always woken
Edges   a null satisfies no route; a row whose value cannot be read wakes everybody, as only the reader itself may fail on it;
        with few routes everybody is woken, because asking is cheaper than routing
Source  predicate indexes of publish/subscribe systems (Fabret et al., SIGMOD 2001)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

from dataflow.circuit.intervals import HIGHEST, LOWEST, Intervals, SortKey
from dataflow.frozen import frozen
from dataflow.values.order import sort_key

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

FEW = 8  # routes, up to which everybody is woken

Delta: TypeAlias = "list[tuple[Any, Any, Any]]"


@frozen
class Route:
    """A condition that every row has to fulfil that concerns a reader.

    Attributes:
        identity: the same for routes that speak of the same expression of the same rows.
        value_of: row -> value of the expression in normal form, None for null.
        values: what the value may be equal to, in normal form; None if it has to lie between `low` and `high`.
        low: at or below the sort keys of its values, `LOWEST` if there is no such bound.
        high: above the sort keys of its values, `HIGHEST` if there is no such bound.
    """

    identity: Hashable
    value_of: Callable[[Any], Any]
    values: frozenset[Any] | None = None
    low: SortKey = LOWEST
    high: SortKey = HIGHEST


class Reader(Protocol):
    """Whoever reads a source.

    Attributes:
        route: which rows can concern it; None for all.
    """

    route: Route | None


N = TypeVar("N", bound=Reader)
N_co = TypeVar("N_co", covariant=True)


class Routing(Protocol[N_co]):
    """Knows whom a delta concerns."""

    def readers(self, delta: Delta) -> Iterable[N_co]:
        """Return the readers to wake, in the order in which they came."""
        ...


class Router(Generic[N]):
    """The readers of one source."""

    __slots__ = ("_entries", "_number", "_places", "_unrouted")

    def __init__(self) -> None:
        self._places: dict[N, int] = {}  # every reader -> its place among all
        self._unrouted: dict[N, None] = {}
        self._entries: dict[Hashable, _Entry[N]] = {}
        self._number = 0

    def __len__(self) -> int:
        return len(self._places) - len(self._unrouted)

    def add(self, reader: N) -> None:
        """Take in a reader."""
        self._number += 1
        self._places[reader] = self._number
        route = reader.route
        if route is None:
            self._unrouted[reader] = None
            return
        entry = self._entries.get(route.identity)
        if entry is None:
            entry = self._entries[route.identity] = _Entry(route.value_of)
        entry.add(reader, route)

    def remove(self, reader: N) -> None:
        """Let a reader go."""
        del self._places[reader]
        route = reader.route
        if route is None:
            del self._unrouted[reader]
            return
        entry = self._entries[route.identity]
        entry.remove(reader, route)
        if not entry.readers:
            del self._entries[route.identity]

    def readers(self, delta: Delta) -> Iterable[N]:
        """Return the readers that a delta may concern, in the order in which they came."""
        places, unrouted = self._places, self._unrouted
        if len(places) - len(unrouted) <= FEW:
            return places
        hit = dict(unrouted)
        try:
            for entry in self._entries.values():
                entry.collect(delta, hit)
        except Exception:  # noqa: BLE001 - whoever reads the value as well fails on its own
            return places
        return sorted(hit, key=places.__getitem__) if len(hit) > 1 else hit


class _Entry(Generic[N]):
    """The readers whose routes speak of one expression."""

    __slots__ = ("_equal", "_intervals", "_value_of", "readers")

    def __init__(self, value_of: Callable[[Any], Any]) -> None:
        self.readers = 0  # those of no value, too, which nothing finds
        self._value_of = value_of
        self._equal: dict[Any, dict[N, None]] = {}
        self._intervals: Intervals[N] = Intervals()

    def add(self, reader: N, route: Route) -> None:
        self.readers += 1
        if route.values is None:
            self._intervals.add(route.low, route.high, reader)
        for value in route.values or ():
            self._equal.setdefault(value, {})[reader] = None

    def remove(self, reader: N, route: Route) -> None:
        self.readers -= 1
        if route.values is None:
            self._intervals.remove(route.low, reader)
        for value in route.values or ():
            readers = self._equal[value]
            del readers[reader]
            if not readers:
                del self._equal[value]

    def collect(self, delta: Delta, hit: dict[N, None]) -> None:
        """Add the readers that a delta may concern."""
        value_of = self._value_of
        for _, old, new in delta:
            before = None if old is None else value_of(old)
            after = None if new is None else value_of(new)
            if before is not None:
                self._find(before, hit)
            if after is not None and after is not before:
                self._find(after, hit)

    def _find(self, value: Any, hit: dict[N, None]) -> None:
        readers = self._equal.get(value)
        if readers is not None:
            hit.update(readers)
        if self._intervals:
            self._intervals.stab(sort_key(value), hit)
