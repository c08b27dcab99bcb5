"""Secondary indexes: finding the rows of a collection by something else than their key.

    by_email = users.create_index("email")          by_email.rows("ada@x.org")
    by_age = users.create_index("age", ordered=True)    by_age.rows(ge=18, lt=65, descending=True, limit=10)

Queries make the indexes that they need by themselves. A hash index is the arrangement that they make for a join on the same fields:
it exists once, whoever asked for it.

Law     `rows` returns the rows for which the comparison holds, as a `where` with the same comparison does: nulls match nothing, and
        a text never compares with a number
Cost    hash: O(1) and the rows found; ordered: O(log n) and the rows found; both O(1) or O(log n) per changed row
State   references to rows by value. An index lives as long as its handle, a query or another handle holds it
"""

from __future__ import annotations

import math
import weakref
from functools import partial
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from sortedcontainers import SortedList

from dataflow.circuit.node import EMPTY, Delta, Node
from dataflow.closing import Closing
from dataflow.errors import CollectionError
from dataflow.query.compiler.plan import Planner
from dataflow.query.compiler.plan_joins import index_of
from dataflow.query.compiler.planning import Physical
from dataflow.query.scalar import Column
from dataflow.values import kinds
from dataflow.values.logic import ge, gt, le, lt
from dataflow.values.normal import expose, normal
from dataflow.values.null import is_null
from dataflow.values.order import NAN_KEY, SortKey, row_sort_key, sort_key
from dataflow.values.row import adapter_for_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dataflow.circuit.graph import Graph
    from dataflow.circuit.node import Pairs
    from dataflow.query.compiler.index import Index as HashNode
    from dataflow.query.compiler.layout import Layout

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

_NO_BOUND: Any = object()


class Indexed(Protocol):
    """What an index can be made of."""

    def physical(self) -> tuple[Node, Layout]:
        """Return the node with the rows, and how they are read."""


class Index(Closing, Generic[R_co]):
    """What both kinds of index share: a node that is held until the index is closed."""

    def __init__(self, owner: str, graph: Graph, node: Node) -> None:
        self._owner = owner
        self._graph = graph
        self._node = node
        node.references += 1
        self._release = weakref.finalize(self, graph.later, partial(graph.release, node))
        self._release.atexit = False

    def close(self) -> None:
        """Give the index up; it goes when nobody else uses it. Closing twice is allowed."""
        if self._release.alive:
            self._graph.check_thread(self._owner)
            self._release()
            self._graph.collect()

    def _check_open(self) -> None:
        self._graph.check_thread(self._owner)
        if not self._release.alive:
            raise CollectionError(f"this index of {self._owner} is closed")


class HashIndex(Index[R_co]):
    """Rows by the equal values of one field or several; made by `create_index`."""

    _node: HashNode

    def __init__(self, owner: str, graph: Graph, node: HashNode, *, width: int) -> None:
        super().__init__(owner, graph, node)
        self._width = width

    def rows(self, *values: object) -> list[R_co]:
        """Return the rows with these values, one for each field of the index, in the order in which they came to have them.

        Raises:
            TypeError: if the fields are not as many.
        """
        return [*self._bucket(values).values()]

    def keys(self, *values: object) -> list[Any]:
        """Return the keys of the rows with these values."""
        return [expose(key) for key in self._bucket(values)]

    def _bucket(self, values: tuple[object, ...]) -> dict[Any, Any]:
        self._check_open()
        width = self._width
        if len(values) != width:
            raise TypeError(f"this index of {self._owner} is by {width} fields, not {len(values)}")
        if any(map(is_null, values)):
            return {}
        value = normal(values[0]) if width == 1 else normal(values)
        return self._node.arrangement.buckets.get(value, {})


class OrderedIndex(Index[R_co]):
    """Rows in the order of one field; made by `create_index(..., ordered=True)`."""

    _node: OrderedNode

    def rows(
        self,
        *,
        ge: object = _NO_BOUND,
        gt: object = _NO_BOUND,
        le: object = _NO_BOUND,
        lt: object = _NO_BOUND,
        descending: bool = False,
        limit: int | None = None,
    ) -> list[R_co]:
        """Return the rows within bounds, ordered by the field, then by key.

        Without bounds these are all rows but those whose field is null. A bound that is null leaves nothing.

        Args:
            ge, gt, le, lt: what the field has to be greater or less than, or equal to.
            descending: from the greatest to the least; rows with equal values stay in ascending order of their keys.
            limit: how many at most.
        """
        return [
            row for _, row in self._found(_bounds(ge, gt, le, lt), limit, descending=descending)
        ]

    def keys(
        self,
        *,
        ge: object = _NO_BOUND,
        gt: object = _NO_BOUND,
        le: object = _NO_BOUND,
        lt: object = _NO_BOUND,
        descending: bool = False,
        limit: int | None = None,
    ) -> list[Any]:
        """Return the keys of the rows that `rows` would return."""
        return [
            expose(key)
            for key, _ in self._found(_bounds(ge, gt, le, lt), limit, descending=descending)
        ]

    def _found(
        self, bounds: list[_Bound], limit: int | None, *, descending: bool
    ) -> Iterable[tuple[Any, Any]]:
        self._check_open()
        if any(is_null(bound.value) for bound in bounds):
            return ()
        return islice(self._node.between(bounds, descending=descending), limit)


class _Bound(NamedTuple):
    """A comparison that the field has to pass."""

    holds: Callable[[Any, Any], bool | None]
    value: Any
    is_lower: bool


def _bounds(at_least: Any, above: Any, at_most: Any, below: Any) -> list[_Bound]:
    given = [
        _Bound(ge, at_least, is_lower=True),
        _Bound(gt, above, is_lower=True),
        _Bound(le, at_most, is_lower=False),
        _Bound(lt, below, is_lower=False),
    ]
    return [bound for bound in given if bound.value is not _NO_BOUND]


_Entry: TypeAlias = tuple[SortKey, SortKey, Any]  # of the value, of the row key; the row key

_NUMBERS = (kinds.NUMBER, NAN_KEY[0])  # ranks of numbers, the largest of which is NaN
_BEHIND: SortKey = (math.inf,)  # sorts behind every row key


class OrderedNode(Node):
    """The keys of a relation in the order of one field; rows whose field is null are left out.

    Args:
        upstream: a node that keeps its rows.
        value_of: row -> value of the field.
    """

    __slots__ = ("_entries", "_value_of")

    def __init__(self, upstream: Node, value_of: Callable[[Any], Any], *, label: str) -> None:
        super().__init__((upstream,), label=label)
        self._value_of = value_of
        self._entries: Any = SortedList()

    def step(self) -> Delta:
        """Move the rows whose value has changed."""
        delta = self.inputs[0].out
        self.touched += len(delta)
        for key, old, new in delta:
            before = None if old is None else self._entry(key, old)
            after = None if new is None else self._entry(key, new)
            if before != after:
                if before is not None:
                    self._entries.remove(before)
                if after is not None:
                    self._entries.add(after)
        return EMPTY

    def scan(self) -> Pairs:
        """Iterate over the relation."""
        return self.inputs[0].scan()

    def hydrate(self) -> None:
        """Sort all rows."""
        entries = [self._entry(key, row) for key, row in self.scan()]
        self._entries = SortedList([entry for entry in entries if entry is not None])

    def state_rows(self) -> int:
        """Count the entries."""
        return len(self._entries)

    def between(self, bounds: list[_Bound], *, descending: bool) -> Iterator[tuple[Any, Any]]:
        """Iterate over (key, row) of the rows that pass all bounds."""
        rows, value_of = self.inputs[0].rows, self._value_of
        assert rows is not None
        for key in self._keys(_range(bounds), descending=descending):
            row = rows[key]
            value = value_of(row)
            if all(bound.holds(value, bound.value) for bound in bounds):
                yield key, row

    def _keys(self, limits: tuple[Any, Any], *, descending: bool) -> Iterator[Any]:
        entries = self._entries.irange(*limits, reverse=descending)
        if not descending:
            return (entry[-1] for entry in entries)
        equal = groupby(entries, key=itemgetter(0))  # within which keys ascend all the same
        return (entry[-1] for _, same in equal for entry in reversed([*same]))

    def _entry(self, key: Any, row: Any) -> _Entry | None:
        value = self._value_of(row)
        return None if is_null(value) else (sort_key(value), row_sort_key(key), key)


def _range(bounds: list[_Bound]) -> tuple[Any, Any]:
    """Return the entries between which all that passes stands: of the kind of the bounds, and not beyond them."""
    if not bounds:
        return None, None
    lower = [sort_key(bound.value) for bound in bounds if bound.is_lower]
    upper = [sort_key(bound.value) for bound in bounds if not bound.is_lower]
    rank = sort_key(bounds[0].value)[0]
    first, last = _NUMBERS if rank in _NUMBERS else (rank, rank)
    low = (max(lower, default=(first,)),)
    high = (min(upper), _BEHIND) if upper else ((last + 1,),)
    return (low, high) if low <= high else (high, high)


def index_of_fields(
    source: Indexed, graph: Graph, fields: tuple[str, ...], *, ordered: bool
) -> HashIndex[Any] | OrderedIndex[Any]:
    """Return an index over a source, sharing the running one on the same fields if there is one."""
    planner = Planner(graph)
    node, layout = source.physical()
    if ordered:
        (field,) = fields
        value_of = partial(_field_of, field)
        made = planner.share(
            ("ordered index", node, field),
            lambda: OrderedNode(node, value_of, label=f"ordered index on {field}"),
        )
        return OrderedIndex(str(source), graph, made)
    parts = tuple(Column("", field) for field in fields)
    found = index_of(planner, Physical(node, layout), parts)
    return HashIndex(str(source), graph, found, width=len(fields))


def _field_of(field: str, row: Any) -> Any:
    return adapter_for_row(row).get(row, field)
