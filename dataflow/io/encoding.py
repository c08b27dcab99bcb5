"""Values as JSON text, and back without loss.

What JSON has is written as it is. Everything else becomes an object with the one field `"$"`-something that says what it was:

    (1, 2)                    {"$tuple": [1, 2]}
    datetime(2026, 1, 1)      {"$datetime": "2026-01-01T00:00:00"}
    {"$x": 1}, {1: 2}         {"$dict": [["$x", 1]]}, {"$dict": [[1, 2]]}

Law     decode(encode(value)) equals the value and has its kind; an enum member comes back as its value
Edges   NaN and the infinities are written as Python's json does; a value of another kind raises TypeError. Half a surrogate
        pair, as texts that come in chunks may end with, is escaped; two halves side by side come back as their character.
"""

from __future__ import annotations

import base64
import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable


_PLAIN = frozenset((str, int, float, bool, type(None)))  # what most values are


def encode(value: object) -> str:
    """Return the JSON text of a value.

    Raises:
        TypeError: if it is, or contains, something of a kind that cannot be written.

    >>> encode({"at": date(2026, 1, 2), "tags": ("a", 1)})
    '{"at":{"$date":"2026-01-02"},"tags":{"$tuple":["a",1]}}'
    """
    tagged = _tagged(value)
    text = json.dumps(tagged, separators=(",", ":"), ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(tagged, separators=(",", ":"))
    return text


def decode(text: str) -> Any:
    """Return the value of a JSON text made by `encode`.

    Raises:
        ValueError: if it is none.
    """
    try:
        return _untagged(json.loads(text))
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"not a value as it was written: {text[:80]!r}") from error


def _tagged(value: Any) -> Any:
    if value.__class__ in _PLAIN:
        return value
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [_tagged(each) for each in value]
    if isinstance(value, dict):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {
                key: each if each.__class__ in _PLAIN else _tagged(each)
                for key, each in value.items()
            }
        return {"$dict": [[_tagged(key), _tagged(each)] for key, each in value.items()]}
    for kind, (name, write, _) in _KINDS.items():
        if isinstance(value, kind):
            return {f"${name}": write(value)}
    raise TypeError(f"a value of type {type(value).__name__} cannot be written: {value!r}")


def _untagged(value: Any) -> Any:
    if isinstance(value, list):
        return [_untagged(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, content),) = value.items()
        if name.startswith("$"):
            return _READERS[name[1:]](content)
    return {key: _untagged(each) for key, each in value.items()}


def _parts(values: Any) -> list[Any]:
    return [_tagged(each) for each in values]


# kind -> (name, how it is written, how it is read); a datetime is a date, so it stands before it
_KINDS: dict[type[Any], tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    tuple: ("tuple", _parts, lambda parts: tuple(map(_untagged, parts))),
    frozenset: ("frozenset", _parts, lambda parts: frozenset(map(_untagged, parts))),
    set: ("set", _parts, lambda parts: set(map(_untagged, parts))),
    datetime: ("datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("date", date.isoformat, date.fromisoformat),
    time: ("time", time.isoformat, time.fromisoformat),
    timedelta: (
        "timedelta",
        lambda span: [span.days, span.seconds, span.microseconds],
        lambda parts: timedelta(*parts),
    ),
    Decimal: ("decimal", str, Decimal),
    UUID: ("uuid", str, UUID),
    bytes: ("bytes", lambda data: base64.b64encode(data).decode(), base64.b64decode),
}
_READERS: dict[str, Callable[[Any], Any]] = {
    **{name: read for name, _, read in _KINDS.values()},
    "dict": lambda pairs: {_untagged(key): _untagged(each) for key, each in pairs},
}
