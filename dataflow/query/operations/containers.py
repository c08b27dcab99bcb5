"""Lists and dicts: what is in them, and how much.

A field of a dict that is null counts as missing, as it does when dicts are compared.
"""

from __future__ import annotations

from typing import Any, Final

from dataflow.query.operations.operation import Operation
from dataflow.query.operations.reading import text
from dataflow.values import kinds
from dataflow.values.equality import equal
from dataflow.values.kinds import kind_of, plain
from dataflow.values.null import is_null
from dataflow.values.order import sort_key

_SIZED: Final = frozenset((kinds.TEXT, kinds.BYTES, kinds.TUPLE, kinds.LIST, kinds.SET))
_LISTS: Final = frozenset((kinds.TUPLE, kinds.LIST, kinds.SET))


def length(value: Any) -> int | None:
    """Return the characters of a text, the elements of a list, or the fields of a dict."""
    kind = kind_of(value)
    if kind == kinds.MAPPING:
        return len(_present(value))
    return len(plain(value)) if kind in _SIZED else None


def contains(whole: object, part: object) -> bool | None:
    """Tell whether a text has a part, a list, tuple or set an element, or a dict a field."""
    if is_null(part):
        return None
    kind = kind_of(whole)
    if kind in _LISTS:
        return any(equal(element, part) for element in plain(whole))
    if kind == kinds.MAPPING:
        return any(equal(name, part) for name in _present(whole))
    text_, inner = text(whole), text(part)
    return None if text_ is None or inner is None else inner in text_


def keys(value: object) -> list[Any] | None:
    """Return the names of the fields of a dict, in ascending order."""
    return sorted(_present(value), key=sort_key) if kind_of(value) == kinds.MAPPING else None


def _present(value: Any) -> list[Any]:
    return [name for name, field in value.items() if not is_null(field)]


OPERATIONS: Final = (
    Operation("length", length, 1, 1, "characters of a text, elements of a list, fields of a dict"),
    Operation("contains", contains, 2, 2, "a text has a part, a list an element, a dict a field"),
    Operation("keys", keys, 1, 1, "the names of the fields of a dict, in order"),
)
