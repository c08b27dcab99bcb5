"""Instances in places that are declared as Any.

Written as text and read again, a model, dataclass or struct comes back as what its place declares. Where that is Any, nobody knows
what it was, and it comes back as a dict.

Cost  nothing for rows whose fields are declared as scalars; else O(values in the other fields)
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args, get_type_hints
from uuid import UUID

from dataflow.values.fields import declared_fields, keeps_extra_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTAINERS: Final = (list, tuple, set, frozenset)
_SCALARS: Final = frozenset(
    (str, int, float, bool, bytes, type(None), date, datetime, time, timedelta, Decimal, UUID)
)


def undeclared_instance(row: Any) -> Any:
    """Return an instance in a row that its place does not declare, or None.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Row:
    ...     any: Any = None
    >>> undeclared_instance(Row([1]))
    >>> undeclared_instance(Row({"a": [Row(1)]}))
    Row(any=1)
    """
    cls: Any = type(row)
    places = _places(cls)
    for name in places.undeclared:
        for found in _instances(getattr(row, name, None)):
            return found
    for name in places.declared:
        for inner in _instances(getattr(row, name, None)):
            if (found := undeclared_instance(inner)) is not None:
                return found
    return None


class _Places(NamedTuple):
    """The fields of a class that may hold instances, by whether their types say so."""

    undeclared: tuple[str, ...]
    declared: tuple[str, ...]


@cache
def _places(cls: Any) -> _Places:
    names = declared_fields(cls) or ()
    try:
        hints = get_type_hints(cls)
    except Exception:  # noqa: BLE001 - reading annotations evaluates foreign code, which may raise anything
        return _Places((), ())
    mentioned = {name: frozenset(_mentioned(hints.get(name))) for name in names}
    undeclared = tuple(name for name in names if mentioned[name] & {Any, object})
    rest = (name for name in names if name not in undeclared)
    declared = tuple(name for name in rest if not mentioned[name] <= _SCALARS)
    extra = ("__pydantic_extra__",) if keeps_extra_fields(cls) else ()
    return _Places((*undeclared, *extra), declared)


def _mentioned(hint: Any) -> Iterator[Any]:
    """Yield the types that a hint is made of."""
    arguments = get_args(hint)
    if not arguments:
        yield Any if hint in (list, dict, tuple, set, frozenset) else hint
        return
    for each in arguments:
        if not isinstance(each, list):  # of a Callable
            yield from _mentioned(each)


def _instances(value: Any) -> Iterator[Any]:
    """Yield the instances of classes with fields in a value, the outermost ones."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _instances(each)
    elif declared_fields(type(value)) is not None:
        yield value
    elif isinstance(value, _CONTAINERS):
        for each in value:
            yield from _instances(each)
