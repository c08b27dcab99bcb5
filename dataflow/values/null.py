"""Null, and the one thing that is not even null: an absent side of an outer join.

A missing field, `None` and `msgspec.UNSET` are one and the same null. UNSET is recognised by the
name of its class, so that msgspec need not be installed.

`ABSENT` stands in row keys for a side of an outer join that found no match. It cannot be `None`:
a group key may be null, and the two must not be one key.
"""

from __future__ import annotations

from typing import Final, final


class _NullClasses(dict[type, bool]):
    """Class -> whether its instances are null; learns each class once."""

    def __missing__(self, cls: type) -> bool:
        unset = cls.__name__ == "UnsetType" and cls.__module__.partition(".")[0] == "msgspec"
        self[cls] = unset
        return unset


NULL_CLASSES: Final = _NullClasses({type(None): True})


def is_null(value: object) -> bool:
    """Tell whether `value` is null: `None` or `msgspec.UNSET`."""
    return value is None or NULL_CLASSES[value.__class__]


@final
class Absent:
    """The class of `ABSENT`; it has no other instance, and copies and pickles to it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"

    def __reduce__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()
"""The part of a row key that an unmatched side of an outer join leaves empty; sorts first."""
