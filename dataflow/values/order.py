"""The total order: any two values compare, and only equal ones compare as neither less nor more.

Python refuses `None < 1` and answers nonsense about NaN, so rows are sorted by keys that are tuples
of a rank and what to compare within it:

    absent < null < bools < numbers < NaN < texts (by code point) < bytes < dates
    < naive, aware datetimes < naive, aware times < durations < UUIDs
    < tuples < lists < sets < mappings < objects that declare fields (by class) < opaque objects

Sequences compare element by element, mappings and objects by their sorted fields. Opaque objects of
one class compare by their own <, if it works; those it cannot tell apart count as equal here.

Nulls come first in both directions, or last if so asked: the place is that in the result.

Law   not a < b and not b < a  <=>  equal(a, b), opaque objects excepted
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from dataflow.values import kinds
from dataflow.values.fields import compared_fields
from dataflow.values.kinds import kind_of, plain
from dataflow.values.normal import NAN, normal
from dataflow.values.null import is_null
from dataflow.values.temporal import instant, is_aware

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SortKey: TypeAlias = tuple[Any, ...]
"""(rank, what to compare within the rank, ...); the keys of any two values compare with <."""

NULL_KEY: Final[SortKey] = (kinds.NULL,)
NAN_KEY: Final[SortKey] = (kinds.NUMBER + 1,)
NULL_FIRST: Final[SortKey] = (-100,)  # before every rank, negated ones included
NULL_LAST: Final[SortKey] = (100,)


def sort_key(value: object) -> SortKey:
    """Return the key that sorts `value` in ascending order, nulls first.

    Complexity: O(1) for scalars, O(size log size) for containers.
    """
    cls = value.__class__
    if cls is str:
        return (kinds.TEXT, value)
    if cls is int:
        return (kinds.NUMBER, value)
    if cls is float:
        return (kinds.NUMBER, value) if value == value else NAN_KEY
    return _SORT_KEYS[kind_of(value)](plain(value))


def row_sort_key(key: object) -> SortKey:
    """Return the key that breaks ties between rows: the row's key, ascending, always.

    Takes row keys in normal form or as users see them, and sorts `ABSENT` first.
    """
    return sort_key(key)


class Reversed:
    """A sort key that compares the other way round."""

    __slots__ = ("key",)

    def __init__(self, key: Any) -> None:
        self.key: Any = key

    def __lt__(self, other: Reversed) -> bool:
        return bool(other.key < self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reversed) and bool(self.key == other.key)

    def __hash__(self) -> int:
        return hash((Reversed, self.key))

    def __repr__(self) -> str:
        return f"Reversed({self.key!r})"


def descending(key: SortKey) -> SortKey:
    """Reverse a sort key: `descending(a) < descending(b)` exactly if `b < a`.

    A number is negated, which sorts several times faster than anything a method compares.
    """
    rank = key[0]
    if rank == kinds.NUMBER:
        number = key[1]  # a Decimal's own minus would round it to the context's precision
        return (-rank, number.copy_negate() if isinstance(number, Decimal) else -number)
    return (-rank, Reversed(key[1:]))


class Direction(NamedTuple):
    """How one column of an ORDER BY sorts; the place of nulls is that in the result."""

    descending: bool = False
    nulls_last: bool = False


def column_key(direction: Direction) -> Callable[[object], SortKey]:
    """Return the function from a value of one ORDER BY column to its sort key."""
    null_key = NULL_LAST if direction.nulls_last else NULL_FIRST
    if direction.descending:
        return lambda value: null_key if is_null(value) else descending(sort_key(value))
    if direction.nulls_last:
        return lambda value: null_key if is_null(value) else sort_key(value)
    return sort_key


def order_key(directions: Iterable[Direction]) -> Callable[[Sequence[object]], SortKey]:
    """Return the function from the values of all ORDER BY columns to their common sort key.

    Append `row_sort_key(key)` to the result: without it rows with equal values have no order.

    >>> key = order_key([Direction(descending=True), Direction(nulls_last=True)])
    >>> sorted([(1, "a"), (2, None), (None, "b"), (2, "a")], key=key)
    [(None, 'b'), (2, 'a'), (2, None), (1, 'a')]
    """
    columns = tuple(column_key(direction) for direction in directions)
    if len(columns) == 1:
        (column,) = columns
        return lambda values: (column(values[0]),)
    return lambda values: tuple([column(v) for column, v in zip(columns, values, strict=True)])


class _OpaqueOrder:
    """Compares opaque objects by their own <, as far as that works."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __lt__(self, other: _OpaqueOrder) -> bool:
        try:
            return bool(self.value < other.value)  # type: ignore[operator]  # that is the question
        except Exception:  # noqa: BLE001 - a foreign __lt__ may raise anything
            return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _OpaqueOrder) and not (self < other or other < self)

    __hash__ = None  # type: ignore[assignment]  # as an order, it is no key


def _class_name(value: object) -> str:
    return f"{value.__class__.__module__}.{value.__class__.__qualname__}"


def _number_key(value: Any) -> SortKey:
    return NAN_KEY if normal(value) is NAN else (kinds.NUMBER, value)


def _datetime_key(value: Any) -> SortKey:
    if is_aware(value):
        return (kinds.DATETIME + 1, instant(value))
    return (kinds.DATETIME, value.replace(tzinfo=None))


def _time_key(value: Any) -> SortKey:
    return (kinds.TIME + is_aware(value), value)


def _mapping_key(value: Any) -> SortKey:
    fields = [(sort_key(name), sort_key(v)) for name, v in value.items() if not is_null(v)]
    return (kinds.MAPPING, tuple(sorted(fields)))


def _object_key(value: Any) -> SortKey:
    names = compared_fields(value.__class__) or ()
    fields = [
        (sort_key(name), sort_key(part))
        for name in names
        if not is_null(part := getattr(value, name, None))
    ]
    return (kinds.OBJECT, _class_name(value), id(value.__class__), tuple(sorted(fields)))


_SORT_KEYS: Final[dict[int, Callable[[Any], SortKey]]] = {
    kinds.ABSENT_RANK: lambda _: (kinds.ABSENT_RANK,),
    kinds.NULL: lambda _: NULL_KEY,
    kinds.BOOL: lambda value: (kinds.BOOL, value),
    kinds.NUMBER: _number_key,
    kinds.TEXT: lambda value: (kinds.TEXT, value),
    kinds.BYTES: lambda value: (kinds.BYTES, value),
    kinds.DATE: lambda value: (kinds.DATE, value),
    kinds.DATETIME: _datetime_key,
    kinds.TIME: _time_key,
    kinds.DURATION: lambda value: (kinds.DURATION, value),
    kinds.IDENTIFIER: lambda value: (kinds.IDENTIFIER, value.int),
    kinds.TUPLE: lambda value: (kinds.TUPLE, tuple(map(sort_key, value))),
    kinds.LIST: lambda value: (kinds.LIST, tuple(map(sort_key, value))),
    kinds.SET: lambda value: (kinds.SET, tuple(sorted(map(sort_key, value)))),
    kinds.MAPPING: _mapping_key,
    kinds.OBJECT: _object_key,
    kinds.OPAQUE: lambda value: (kinds.OPAQUE, _class_name(value), _OpaqueOrder(value)),
}
