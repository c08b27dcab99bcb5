"""Dates and datetimes: reading, parts, truncation, differences, time zones.

Aware datetimes are read in UTC; `to_local` gives what calendar and clock of a time zone show:

    date_trunc(to_local(message.sent_at, "Europe/Berlin"), "day")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from dataflow.errors import near
from dataflow.query.expr import Expr, call, operand
from dataflow.query.functions.argument import chosen
from dataflow.query.operations.times import LENGTHS, MONTHS, PARTS, zone_named
from dataflow.query.traps import refusal

if TYPE_CHECKING:
    from datetime import datetime

Unit: TypeAlias = Literal[
    "year", "quarter", "month", "week", "day", "hour", "minute", "second",
    "millisecond", "microsecond",
]  # fmt: skip
"""What times are counted in: years, quarters and months by the calendar, the others by length."""

Part: TypeAlias = Literal[
    "year", "quarter", "month", "week", "day", "hour", "minute", "second", "microsecond",
    "weekday", "dayofyear", "isoyear",
]  # fmt: skip
"""A part of a time; weeks are those of ISO 8601, and weekday is 1 for Monday, 7 for Sunday."""


def parse_datetime(text: object) -> Expr[datetime]:
    """Return the datetime that a text in ISO 8601 names; null if it names none.

    With an offset or Z it is aware, else naive; a day alone is its midnight.

    >>> parse_datetime("2026-01-31T10:00:00Z")
    <Expr parse_datetime('2026-01-31T10:00:00Z')>
    """
    return call("parse_datetime", operand(text, "parse_datetime"))


def date_part(moment: object, part: Part) -> Expr[int]:
    """Return a part of a date or datetime, as a number.

    >>> date_part(parse_datetime("2026-01-31"), "month")
    <Expr date_part(parse_datetime('2026-01-31'), 'month')>

    Raises:
        QueryError: There is no such part.
    """
    name = chosen(part, PARTS, "the part in date_part")
    return call("date_part", operand(moment, "date_part"), name)


def date_trunc(moment: object, unit: Unit) -> Expr[Any]:
    """Return when the unit began that a date or datetime lies in; a date stays a date.

    Raises:
        QueryError: There is no such unit.
    """
    return call("date_trunc", operand(moment, "date_trunc"), _unit(unit, "date_trunc"))


def date_diff(start: object, end: object, unit: Unit) -> Expr[int]:
    """Return how many whole units lie between two times: as many as `date_add` may add to `start`.

    Negative if the end is earlier; null for a naive and an aware time, or a date and a datetime.

    Raises:
        QueryError: There is no such unit.
    """
    name = _unit(unit, "date_diff")
    return call("date_diff", operand(start, "date_diff"), operand(end, "date_diff"), name)


def date_add(moment: object, amount: object, unit: Unit) -> Expr[Any]:
    """Return a date or datetime moved by a whole number of units.

    A month that has no such day gives its last one. A date moves by whole days.

    Raises:
        QueryError: There is no such unit.
    """
    name = _unit(unit, "date_add")
    return call("date_add", operand(moment, "date_add"), operand(amount, "date_add"), name)


def to_local(moment: object, timezone: object) -> Expr[datetime]:
    """Return what calendar and clock show in a time zone at an instant, as a naive datetime.

    Args:
        moment: An aware datetime.
        timezone: An IANA name such as "Europe/Berlin", or a column of names.

    Raises:
        QueryError: The constant names no time zone.
    """
    return call("to_local", operand(moment, "to_local"), _timezone(timezone, "to_local"))


def from_local(moment: object, timezone: object) -> Expr[datetime]:
    """Return the instant at which calendar and clock in a time zone show a naive datetime.

    Where clocks are set back, the first of two such instants.

    Raises:
        QueryError: The constant names no time zone.
    """
    return call("from_local", operand(moment, "from_local"), _timezone(timezone, "from_local"))


def timestamp(moment: object) -> Expr[float]:
    """Return the seconds from 1970 in UTC to an aware datetime."""
    return call("timestamp", operand(moment, "timestamp"))


def from_timestamp(seconds: object) -> Expr[datetime]:
    """Return the datetime, in UTC, so many seconds after the beginning of 1970."""
    return call("from_timestamp", operand(seconds, "from_timestamp"))


def _unit(unit: object, place: str) -> Expr[str]:
    return chosen(unit, (*MONTHS, *LENGTHS), f"the unit of {place}")


def _timezone(timezone: object, place: str) -> Expr[Any]:
    if isinstance(timezone, Expr):
        return timezone
    if not isinstance(timezone, str) or zone_named(timezone) is None:
        from zoneinfo import available_timezones

        matches = near(timezone, available_timezones()) if isinstance(timezone, str) else ""
        raise refusal(
            f"{place} knows no time zone {timezone!r}{matches}",
            "a zone is written 'Europe/Berlin', or comes from a column",
        )
    return operand(timezone, place)
