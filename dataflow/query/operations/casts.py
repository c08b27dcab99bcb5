"""One kind of value into another, and tests of kind.

A cast answers null where the value does not name one of the other kind: texts count if they are
written as a number, bool or ISO date of that kind, white space around them aside. The tests of kind
are never unknown: null is of no kind.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from dataflow.query.operations.operation import Operation
from dataflow.query.operations.reading import machine_number, shown, text
from dataflow.query.operations.times import date_trunc, parse_datetime
from dataflow.values import kinds
from dataflow.values.kinds import kind_of, plain
from dataflow.values.normal import NAN, normal
from dataflow.values.null import is_null

if TYPE_CHECKING:
    from datetime import date

_INTEGER: Final = re.compile(r"\s*[+-]?[0-9]+\s*")
_NUMBER: Final = re.compile(
    r"\s*[+-]?([0-9]+\.?[0-9]*(e[+-]?[0-9]+)?|\.[0-9]+(e[+-]?[0-9]+)?|inf|infinity|nan)\s*",
    re.IGNORECASE,
)
_BOOLS: Final = {"true": True, "false": False, "1": True, "0": False}
_LARGEST_EXPONENT: Final = 308  # of a float; the int of a larger Decimal might not fit in memory


def cast_int(value: object) -> int | None:
    """Return a number without its fraction, the int that a text writes, 1 for true, 0 for false."""
    if kind_of(value) == kinds.BOOL:
        return int(plain(value))
    written = text(value)
    if written is not None:
        try:
            return int(written) if _INTEGER.fullmatch(written) else None
        except ValueError:  # more digits than Python reads
            return None
    number = normal(value)
    if isinstance(number, int):
        return number
    if isinstance(number, float):
        return int(number) if isfinite(number) else None
    if isinstance(number, Decimal) and number.adjusted() <= _LARGEST_EXPONENT:
        return int(number)
    return None


def cast_float(value: object) -> float | None:
    """Return a number as a float, the number that a text writes, 1.0 for true, 0.0 for false."""
    if kind_of(value) == kinds.BOOL:
        return float(plain(value))
    written = text(value)
    if written is not None:
        return float(written) if _NUMBER.fullmatch(written) else None
    return machine_number(value)


def cast_decimal(value: object) -> Decimal | None:
    """Return a number as a Decimal, a float by the shortest text that names it."""
    written = text(value)
    if written is None:
        kind, number = kind_of(value), plain(value)
        if kind == kinds.BOOL:
            return Decimal(int(number))
        if kind != kinds.NUMBER or isinstance(number, Decimal):
            return number if kind == kinds.NUMBER else None
        return Decimal(number) if isinstance(number, int) else Decimal(repr(number))
    try:
        return Decimal(written.strip()) if _NUMBER.fullmatch(written) else None
    except InvalidOperation:  # an exponent beyond those of Decimals
        return None


def cast_str(value: object) -> str | None:
    """Return the text of a number, bool or time, as `concat` writes it."""
    return None if is_null(value) else shown(value)


def cast_bool(value: object) -> bool | None:
    """Return whether a number is not zero, or the bool that a text writes."""
    kind = kind_of(value)
    if kind == kinds.BOOL:
        return bool(plain(value))
    if kind == kinds.NUMBER:
        number = normal(value)
        return None if number is NAN else number != 0
    written = text(value)
    return None if written is None else _BOOLS.get(written.strip().lower())


def cast_date(value: object) -> date | None:
    """Return the day of a datetime, in UTC if it is aware, or the day that a text writes."""
    if kind_of(value) == kinds.DATE:
        return plain(value)  # type: ignore[no-any-return]  # a date
    begun: Any = date_trunc(parse_datetime(value), "day")
    return None if begun is None else begun.date()


def is_number(value: object) -> bool:
    """Tell whether a value is a number; bools are none."""
    return kind_of(value) == kinds.NUMBER


def is_text(value: object) -> bool:
    """Tell whether a value is a text."""
    return kind_of(value) == kinds.TEXT


def is_bool(value: object) -> bool:
    """Tell whether a value is a bool."""
    return kind_of(value) == kinds.BOOL


def is_datetime(value: object) -> bool:
    """Tell whether a value is a datetime; a date is none."""
    return kind_of(value) == kinds.DATETIME


def is_list(value: object) -> bool:
    """Tell whether a value is a list or tuple."""
    return kind_of(value) in (kinds.LIST, kinds.TUPLE)


def is_dict(value: object) -> bool:
    """Tell whether a value is a dict or another mapping."""
    return kind_of(value) == kinds.MAPPING


OPERATIONS: Final = (
    Operation("cast_int", cast_int, 1, 1, "a number without its fraction; the int of a text"),
    Operation("cast_float", cast_float, 1, 1, "a number as a float; the number of a text"),
    Operation("cast_decimal", cast_decimal, 1, 1, "a number as a Decimal; that of a text"),
    Operation("cast_str", cast_str, 1, 1, "the text of a number, bool or time"),
    Operation("cast_bool", cast_bool, 1, 1, "whether a number is not zero; the bool of a text"),
    Operation("cast_date", cast_date, 1, 1, "the day of a datetime or text"),
    Operation("is_number", is_number, 1, 1, "of the kind of numbers; never unknown"),
    Operation("is_text", is_text, 1, 1, "a text; never unknown"),
    Operation("is_bool", is_bool, 1, 1, "a bool; never unknown"),
    Operation("is_datetime", is_datetime, 1, 1, "a datetime; never unknown"),
    Operation("is_list", is_list, 1, 1, "a list or tuple; never unknown"),
    Operation("is_dict", is_dict, 1, 1, "a dict; never unknown"),
)
