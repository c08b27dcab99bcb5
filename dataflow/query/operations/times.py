"""Dates and datetimes: reading, parts, truncation, differences, time zones.

An aware datetime counts by its instant and is read in UTC, so that equal ones give equal answers;
what a calendar or clock shows elsewhere is `to_local(moment, timezone)`, a naive datetime. Naive
datetimes are read as they are, a date as its midnight. Nothing mixes: a difference of naive and
aware, or of a date and a datetime, is null.

Units of months move by the calendar, and the last day of a shorter month stands for a day that it
does not have. All others have a fixed length, weeks beginning on Monday. What leaves the calendar
(before year 1, after year 9999) is null.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from dataflow.query.operations.operation import Operation
from dataflow.query.operations.reading import integer, machine_number, text
from dataflow.values import arithmetic, kinds
from dataflow.values.kinds import kind_of, plain
from dataflow.values.temporal import EPOCH, instant, is_aware

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

MONTHS: Final = {"year": 12, "quarter": 3, "month": 1}
LENGTHS: Final = {
    "week": timedelta(weeks=1),
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
    "millisecond": timedelta(milliseconds=1),
    "microsecond": timedelta(microseconds=1),
}
PARTS: Final[dict[str, Callable[[datetime], int]]] = {
    "year": lambda moment: moment.year,
    "quarter": lambda moment: (moment.month + 2) // 3,
    "month": lambda moment: moment.month,
    "week": lambda moment: moment.isocalendar().week,
    "day": lambda moment: moment.day,
    "hour": lambda moment: moment.hour,
    "minute": lambda moment: moment.minute,
    "second": lambda moment: moment.second,
    "microsecond": lambda moment: moment.microsecond,
    "weekday": lambda moment: moment.isoweekday(),
    "dayofyear": lambda moment: moment.timetuple().tm_yday,
    "isoyear": lambda moment: moment.isocalendar().year,
}
_MONDAY: Final = datetime(1, 1, 1)  # noqa: DTZ001 - of all calendars: where weeks begin


def parse_datetime(value: object) -> datetime | None:
    """Return the datetime that a text in ISO 8601 names; a date is its midnight."""
    kind = kind_of(value)
    if kind == kinds.DATETIME:
        return plain(value)  # type: ignore[no-any-return]  # a datetime
    if kind == kinds.DATE:
        return _midnight(plain(value))
    written = text(value)
    if written is None:
        return None
    try:
        return datetime.fromisoformat(written.strip())
    except ValueError:
        return None


def date_part(value: object, part: object) -> int | None:
    """Return a part of a date or datetime: one of `PARTS`."""
    moment, read = _moment(value), PARTS.get(_name(part))
    return None if moment is None or read is None else read(moment)


def date_trunc(value: object, unit: object) -> date | None:
    """Return when the unit began that a date or datetime lies in."""
    moment, name = _moment(value), _name(unit)
    if moment is None:
        return None
    if name in MONTHS:
        first = (moment.month - 1) // MONTHS[name] * MONTHS[name] + 1
        begun = datetime(moment.year, first, 1, tzinfo=moment.tzinfo)
    elif name in LENGTHS:
        begun = moment - (moment - _MONDAY.replace(tzinfo=moment.tzinfo)) % LENGTHS[name]
    else:
        return None
    return begun.date() if kind_of(value) == kinds.DATE else begun


def date_diff(start: object, end: object, unit: object) -> int | None:
    """Return how many whole units lie between two times; negative if the end is earlier."""
    first, last = _moment(start), _moment(end)
    name, gap = _name(unit), arithmetic.sub(end, start)
    if first is None or last is None or not isinstance(gap, timedelta):
        return None
    if gap < timedelta():
        back = date_diff(end, start, unit)
        return None if back is None else -back
    if name in LENGTHS:
        return gap // LENGTHS[name]
    if name not in MONTHS:
        return None
    months = (last.year - first.year) * 12 + last.month - first.month
    reached = _moved(first, months)
    return (months - (reached is None or reached > last)) // MONTHS[name]


def date_add(value: object, amount: object, unit: object) -> date | None:
    """Return a date or datetime moved by a whole number of units."""
    moment, count, name = _moment(value), integer(amount), _name(unit)
    if moment is None or count is None:
        return None
    if name in MONTHS:
        moved = _moved(moment, count * MONTHS[name])
        is_date = kind_of(value) == kinds.DATE
        return moved.date() if is_date and moved is not None else moved
    try:
        duration = LENGTHS[name] * count
    except (KeyError, OverflowError):
        return None
    return arithmetic.add(value, duration)  # type: ignore[no-any-return]  # a date, a datetime, null


def to_local(value: object, timezone: object) -> datetime | None:
    """Return what calendar and clock show in a time zone at an instant, as a naive datetime."""
    zone = _zone(timezone)
    moment = plain(value) if kind_of(value) == kinds.DATETIME else None
    if zone is None or moment is None or not is_aware(moment):
        return None
    try:
        return (  # type: ignore[no-any-return]  # a datetime
            moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0)
        )
    except OverflowError:
        return None


def from_local(value: object, timezone: object) -> datetime | None:
    """Return the instant at which calendar and clock in a time zone show a naive datetime."""
    zone, moment = _zone(timezone), _moment(value)
    if zone is None or moment is None or moment.tzinfo is not None:
        return None
    try:
        return moment.replace(tzinfo=zone, fold=0).astimezone(UTC)
    except OverflowError:
        return None


def timestamp(value: object) -> float | None:
    """Return the seconds from 1970 in UTC to an aware datetime."""
    moment = plain(value) if kind_of(value) == kinds.DATETIME else None
    if moment is None or not is_aware(moment):
        return None
    return instant(moment) / timedelta(seconds=1)


def from_timestamp(value: Any) -> datetime | None:
    """Return the datetime, in UTC, so many seconds after the beginning of 1970."""
    seconds = machine_number(value)
    try:
        return None if seconds is None else EPOCH + timedelta(seconds=seconds)
    except (OverflowError, ValueError):  # outside the calendar, NaN
        return None


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo | None:
    """Return a time zone by its IANA name; None if there is no such zone."""
    from zoneinfo import ZoneInfo  # which few queries need, and which takes its time

    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # unknown, no path, or a folder of zones
        return None


def _zone(timezone: object) -> ZoneInfo | None:
    name = text(timezone)
    return None if name is None else zone_named(name)


def _name(unit: object) -> str:
    return text(unit) or ""


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _moment(value: object) -> datetime | None:
    """Return a date or datetime as the one datetime by which all equal values are read."""
    kind = kind_of(value)
    if kind == kinds.DATE:
        return _midnight(plain(value))
    if kind != kinds.DATETIME:
        return None
    moment: datetime = plain(value)
    if not is_aware(moment):
        return moment.replace(tzinfo=None)
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # its instant lies outside the calendar of UTC
        return None


def _moved(moment: datetime, months: int) -> datetime | None:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        return None
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


OPERATIONS: Final = (
    Operation("parse_datetime", parse_datetime, 1, 1, "a text in ISO 8601 as a datetime"),
    Operation("date_part", date_part, 2, 2, "year, month, hour, weekday ... of a time, in UTC"),
    Operation("date_trunc", date_trunc, 2, 2, "the beginning of the unit a time lies in"),
    Operation("date_diff", date_diff, 3, 3, "whole units between two times"),
    Operation("date_add", date_add, 3, 3, "a time moved by a whole number of units"),
    Operation("to_local", to_local, 2, 2, "calendar and clock of a time zone at an instant"),
    Operation("from_local", from_local, 2, 2, "the instant of calendar and clock in a time zone"),
    Operation("timestamp", timestamp, 1, 1, "seconds from 1970 in UTC to an aware datetime"),
    Operation("from_timestamp", from_timestamp, 1, 1, "the datetime so many seconds after 1970"),
)
