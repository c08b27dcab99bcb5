"""Checksums of answers: equal for equal rows, whoever computed them, in whatever process."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row


_PLAIN: Final = frozenset({int, str, bool, type(None)})


def checksum(rows: Sequence[Row], *, ordered: bool = False) -> int:
    """Return a number that depends on the rows, and on their order if asked; the same in every process.

    Numbers count by value, for not all peers tell 2 from 2.0. The fields are those of the first row.
    """
    names = sorted(rows[0]) if rows else []
    total = crc32(repr(names).encode())
    for place, row in enumerate(rows, 1):
        total += crc32(text_of(row, names).encode()) * (place if ordered else 1)
    return total & 0xFFFF_FFFF


def text_of(row: Row, names: Sequence[str]) -> str:
    """Return a text of the values of some fields that equal rows have in common."""
    values = [row[name] for name in names]
    return repr(values if _PLAIN.issuperset(map(type, values)) else [*map(_settled, values)])


def _settled(value: Any) -> Any:
    if isinstance(value, float | Decimal) and value == value.__trunc__():
        return int(value)
    return value
