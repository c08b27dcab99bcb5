"""One kind of value into another, and tests of kind."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeVar

from dataflow.query.expr import Expr, call, operand
from dataflow.query.traps import refusal

T = TypeVar("T")

_CASTS: Final[dict[object, str]] = {
    int: "cast_int",
    float: "cast_float",
    str: "cast_str",
    bool: "cast_bool",
    Decimal: "cast_decimal",
    date: "cast_date",
    datetime: "parse_datetime",
}


def cast(value: object, to: type[T]) -> Expr[T]:
    """Return a value as one of another kind; null where it does not name one.

    int cuts a fraction off; a bool is 1 or 0; a text counts if it is written as a number, as true
    or false, or as a time in ISO 8601.

    >>> cast("42", int)
    <Expr cast_int('42')>

    Args:
        value: What is cast.
        to: int, float, str, bool, Decimal, date or datetime.

    Raises:
        QueryError: It is none of them.
    """
    name = _CASTS.get(to)
    if name is None:
        raise refusal(
            f"cast knows no kind {to!r}", "one of int, float, str, bool, Decimal, date, datetime"
        )
    return call(name, operand(value, "cast"))


def is_number(value: object) -> Expr[bool]:
    """Test whether a value is a number; a bool is none."""
    return call("is_number", operand(value, "is_number"))


def is_text(value: object) -> Expr[bool]:
    """Test whether a value is a text."""
    return call("is_text", operand(value, "is_text"))


def is_bool(value: object) -> Expr[bool]:
    """Test whether a value is a bool."""
    return call("is_bool", operand(value, "is_bool"))


def is_datetime(value: object) -> Expr[bool]:
    """Test whether a value is a datetime; a date is none."""
    return call("is_datetime", operand(value, "is_datetime"))


def is_list(value: object) -> Expr[bool]:
    """Test whether a value is a list or tuple."""
    return call("is_list", operand(value, "is_list"))


def is_dict(value: object) -> Expr[bool]:
    """Test whether a value is a dict."""
    return call("is_dict", operand(value, "is_dict"))
