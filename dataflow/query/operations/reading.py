"""Arguments of one kind, read from values of any: None where the value is of another.

`plain` makes built-in values of subclasses and enum members, and `normal` one number of all equal
ones, so that no operation has to know them.
"""

from __future__ import annotations

from decimal import Decimal
from math import inf, nan
from typing import Any

from dataflow.values import kinds
from dataflow.values.kinds import kind_of, plain
from dataflow.values.normal import expose, normal


def text(value: object) -> str | None:
    """Return a text as a plain str."""
    if value.__class__ is str:
        return value
    found = plain(value)
    return found if isinstance(found, str) else None


def integer(value: object) -> int | None:
    """Return a number without fraction as an int."""
    number = normal(value)
    return number if isinstance(number, int) else None


def machine_number(value: Any) -> float | None:
    """Return a number as the nearest float; one too large for any is infinite."""
    if value.__class__ is float:
        return value
    if kind_of(value) != kinds.NUMBER:
        return None
    number = plain(value)
    try:
        return float(number)
    except OverflowError:
        return inf if number > 0 else -inf
    except ValueError:  # a signalling NaN
        return nan


def shown(value: object) -> str | None:
    """Return the text that stands for a scalar, one for all equal values; None without one.

    Null is the empty text. Bytes and containers have none.
    """
    if value.__class__ is str:
        return value
    kind = kind_of(value)
    if kind == kinds.NULL:
        return ""
    if kind not in kinds.SCALARS or kind == kinds.BYTES:
        return None
    form = expose(normal(value))
    return f"{form.normalize():f}" if isinstance(form, Decimal) else str(form)
