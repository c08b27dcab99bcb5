"""Three-valued logic: comparisons and connectives that answer True, False or None (unknown).

Null compared with anything is unknown. Equality of anything else is `equality.equal`, hence always
known. `lt` and its siblings are known for two values of one ordered kind (numbers, texts, bools,
bytes, dates, times, durations, UUIDs, tuples, lists) and follow the total order there: NaN is
the largest number. Everything else is unknown: "1" < 2, naive < aware, mappings, sets, objects.
Opaque objects of one class are asked for their own <.

The connectives are Kleene's: unknown unless the known operand decides. An operand that is neither
a bool nor null is unknown as well: there is no truthiness in queries.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from dataflow.values import kinds
from dataflow.values.equality import EXACT, equal
from dataflow.values.null import is_null
from dataflow.values.order import NAN_KEY, SortKey, sort_key

if TYPE_CHECKING:
    from collections.abc import Iterable

_ORDERED: Final[frozenset[type]] = frozenset((int, str, bool, bytes, date, timedelta))
_MACHINE_NUMBERS: Final[frozenset[type]] = frozenset((int, float))
_UNORDERED_RANKS: Final = frozenset((kinds.SET, kinds.MAPPING, kinds.OBJECT, kinds.OPAQUE))


def eq(a: object, b: object) -> bool | None:
    """Return a == b, or None if either is null."""
    cls = a.__class__
    if cls is b.__class__ and cls in EXACT:
        return a == b
    return None if is_null(a) or is_null(b) else equal(a, b)


def ne(a: object, b: object) -> bool | None:
    """Return a != b, or None if either is null."""
    cls = a.__class__
    if cls is b.__class__ and cls in EXACT:
        return a != b
    return None if is_null(a) or is_null(b) else not equal(a, b)


def lt(a: Any, b: Any) -> bool | None:
    """Return a < b, or None if that is unknown."""
    cls = a.__class__
    if cls is b.__class__ and cls in _ORDERED:
        return bool(a < b)
    if cls in _MACHINE_NUMBERS and b.__class__ in _MACHINE_NUMBERS:
        return a < b or (b != b and a == a)
    keys = _comparable(a, b)
    return _opaque_lt(a, b) if keys is None else keys[0] < keys[1]


def le(a: Any, b: Any) -> bool | None:
    """Return a <= b, or None if that is unknown."""
    more = lt(b, a)
    return None if more is None else not more


def gt(a: Any, b: Any) -> bool | None:
    """Return a > b, or None if that is unknown."""
    return lt(b, a)


def ge(a: Any, b: Any) -> bool | None:
    """Return a >= b, or None if that is unknown."""
    less = lt(a, b)
    return None if less is None else not less


def not_(a: object) -> bool | None:
    """Return the negation of a; unknown stays unknown."""
    if a is True:
        return False
    return True if a is False else None


def and_(a: object, b: object) -> bool | None:
    """Return a AND b: False if either is, True if both are, else unknown."""
    if a is False or b is False:
        return False
    return True if a is True and b is True else None


def or_(a: object, b: object) -> bool | None:
    """Return a OR b: True if either is, False if both are, else unknown."""
    if a is True or b is True:
        return True
    return False if a is False and b is False else None


def truth(a: object) -> bool:
    """Tell whether a condition holds: where and having pass rows on True alone."""
    return a is True


def in_(a: object, options: Iterable[object]) -> bool | None:
    """Return whether `a` equals one of the options, as SQL's IN does.

    Unknown if none is equal but one is null, and if `a` is null; yet False if there are no options.

    Complexity: O(options).
    """
    found: bool | None = False
    for option in options:
        same = eq(a, option)
        if same:
            return True
        if same is None:
            found = None
    return found


def _comparable(a: object, b: object) -> tuple[SortKey, SortKey] | None:
    """Return the sort keys of two values of one ordered kind, or None."""
    if is_null(a) or is_null(b):
        return None
    left, right = sort_key(a), sort_key(b)
    rank = left[0]
    if rank in _UNORDERED_RANKS:
        return None
    numbers = (kinds.NUMBER, NAN_KEY[0])
    if rank == right[0] or (rank in numbers and right[0] in numbers):
        return left, right
    return None


def _opaque_lt(a: Any, b: Any) -> bool | None:
    if kinds.kind_of(a) != kinds.OPAQUE or a.__class__ is not b.__class__:
        return None
    try:
        answer = a < b
    except Exception:  # noqa: BLE001 - a foreign __lt__ may raise anything
        return None
    return answer if isinstance(answer, bool) else None
