"""The library functions that no operator writes, a second time, from the words of their docstrings.

Where the engine computes, this counts, loops or spells out. Arguments are values; null is None.
"""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.oracle.semantics import by_total_order, kind, normal, same

if TYPE_CHECKING:
    from collections.abc import Callable

MICROSECOND = timedelta(microseconds=1)
DAY = 24 * 60 * 60 * 1_000_000
FIXED = {
    "week": 7 * DAY,
    "day": DAY,
    "hour": DAY // 24,
    "minute": 60_000_000,
    "second": 1_000_000,
    "millisecond": 1_000,
    "microsecond": 1,
}
CALENDAR = {"year": 12, "quarter": 3, "month": 1}
BELOW = ("month", "day", "hour", "minute", "second", "microsecond")


def is_number(value: Any) -> bool:
    return kind(value) in ("number", "nan")


def is_whole(value: Any) -> bool:
    return kind(value) == "number" and math.isfinite(value) and value == int(value)


def texts(operate: Callable[..., Any]) -> Callable[..., Any]:
    """Null unless every argument is a text."""
    return lambda *parts: operate(*parts) if all(isinstance(part, str) for part in parts) else None


def shown(value: Any) -> str | None:
    """Return the text that `concat` writes; None if there is none."""
    if kind(value) in ("bytes", "tuple", "list", "mapping", "object"):
        return None
    form = normal(value)
    if isinstance(form, Decimal):
        digits = f"{form:f}"
        return digits.rstrip("0").rstrip(".") if "." in digits else digits
    return "" if form is None else str(form)


# -- collations


def _of_text(collate: Callable[[str], str]) -> Callable[[Any], Any]:
    """What is no text is sorted as it is."""
    return lambda value: collate(value) if isinstance(value, str) else value


def _bare(char: str) -> str:
    """Return a character without its marks, or nothing of a mark."""
    parts = unicodedata.normalize("NFKD", char)
    return "".join(part for part in parts if unicodedata.category(part) != "Mn")


def _natural(text: str) -> str:
    written, digits = "", ""
    for char in [*text.casefold(), ""]:
        if char and char in "0123456789":
            digits += char
            continue
        if digits:
            number = digits.lstrip("0") or "0"
            written += f"{len(number):09}{number}"
        written, digits = written + char, ""
    return written


# -- numbers


def _real(operate: Callable[..., float]) -> Callable[..., Any]:
    def apply(*values: Any) -> Any:
        if not all(map(is_number, values)):
            return None
        try:
            return operate(*[float(value) for value in values])
        except ValueError:
            return None
        except OverflowError:
            return math.inf

    return apply


def _whole(rounding: Callable[[Any], int]) -> Callable[[Any], Any]:
    def apply(value: Any) -> Any:
        if not is_number(value):
            return None
        return rounding(Fraction(value)) if math.isfinite(value) else value

    return apply


def _sign(value: Any) -> Any:
    if not is_number(value) or math.isnan(value):
        return value if is_number(value) else None
    return 0 if value == 0 else math.copysign(1, value)


def _power(base: float, exponent: float) -> float:
    try:
        found: Any = base**exponent
    except ZeroDivisionError as error:
        raise ValueError from error
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 else math.inf
    if isinstance(found, complex):
        raise ValueError  # noqa: TRY004 - as math does
    return float(found)


# -- texts


def _padded(at_start: bool) -> Callable[..., Any]:
    def pad(value: Any, width: Any, fill: Any = " ") -> Any:
        sized = is_whole(width) and width <= 10_000
        if not (sized and isinstance(value, str) and isinstance(fill, str) and len(fill) == 1):
            return None
        while len(value) < width:
            value = fill + value if at_start else value + fill
        return value

    return pad


def _position(whole: str, part: str) -> int | None:
    starts = range(len(whole) - len(part) + 1)
    return next((n for n in starts if whole[n : n + len(part)] == part), None)


def _extract(value: Any, pattern: Any, group: Any = 0) -> Any:
    if not isinstance(value, str):
        return None
    for found in pattern.finditer(value):
        return found[group]
    return None


# -- times


def _utc(value: Any) -> datetime | None:
    """Return the datetime that is read: in UTC, or without a zone."""
    if kind(value) == "date":
        return datetime.fromordinal(value.toordinal())
    if kind(value) == "aware datetime":
        elapsed: timedelta = value - datetime(1970, 1, 1, tzinfo=UTC)
        return datetime(1970, 1, 1, tzinfo=UTC) + elapsed
    return value if kind(value) == "naive datetime" else None


def _parse(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    return value if isinstance(value, datetime) else _utc(value)


def _part(value: Any, part: Any) -> int | None:
    moment = _utc(value)
    if moment is None:
        return None
    year, week, weekday = moment.isocalendar()
    named = {"isoyear": year, "week": week, "weekday": weekday}
    named["quarter"] = (1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4)[moment.month - 1]
    named["dayofyear"] = int(moment.strftime("%j"))
    return named[part] if part in named else int(getattr(moment, part))


def _trunc(value: Any, unit: Any) -> Any:
    moment = _utc(value)
    if moment is None:
        return None
    if unit == "millisecond":
        begun = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    else:
        above = {"quarter": "month", "week": "day"}.get(unit, unit)
        fields = BELOW[BELOW.index(above) + 1 :] if above != "year" else BELOW
        begun = moment.replace(**{name: int(name in ("month", "day")) for name in fields})  # type: ignore[arg-type]  # ints for ints
        while unit == "quarter" and begun.month not in (1, 4, 7, 10):
            begun = begun.replace(month=begun.month - 1)
        while unit == "week" and begun.weekday():
            begun -= timedelta(days=1)
    return begun.date() if kind(value) == "date" else begun


def _add(value: Any, amount: Any, unit: Any) -> Any:
    moment = _utc(value)
    if moment is None or not is_whole(amount):
        return None
    is_date = kind(value) == "date"
    try:
        if unit in FIXED:
            duration = int(amount) * FIXED[unit] * MICROSECOND
            return value + timedelta(days=duration.days) if is_date else moment + duration
        months = int(amount) * CALENDAR[unit] + moment.month - 1
        year, month, day = moment.year + months // 12, months % 12 + 1, moment.day
        if not 1 <= year <= 9999:
            return None
        moved = None
        while moved is None:
            try:
                moved = moment.replace(year=year, month=month, day=day)
            except ValueError:
                day -= 1
    except OverflowError:
        return None
    return moved.date() if is_date else moved


def _diff(start: Any, end: Any, unit: Any) -> int | None:
    if _utc(start) is None or kind(start) != kind(end):
        return None
    first, last = _utc(start), _utc(end)
    assert first is not None
    assert last is not None
    if last < first:
        back = _diff(end, start, unit)
        return None if back is None else -back
    if unit in FIXED:
        return (last - first) // MICROSECOND // FIXED[unit]
    count = max(0, (last.year - first.year) * 12 // CALENDAR[unit] - 2)
    while (later := _add(first, count + 1, unit)) is not None and later <= last:
        count += 1
    return count


def _to_local(value: Any, timezone: Any) -> Any:
    if kind(value) != "aware datetime" or not isinstance(timezone, str):
        return None
    zone, moment = ZoneInfo(timezone), _utc(value)
    assert moment is not None
    try:
        return zone.fromutc(moment.replace(tzinfo=zone)).replace(tzinfo=None, fold=0)
    except OverflowError:
        return None


def _from_local(value: Any, timezone: Any) -> Any:
    if kind(value) not in ("date", "naive datetime") or not isinstance(timezone, str):
        return None
    local = _utc(value)
    assert local is not None
    offset = local.replace(tzinfo=ZoneInfo(timezone), fold=0).utcoffset()
    assert offset is not None
    try:
        return (local - offset).replace(tzinfo=UTC)
    except OverflowError:
        return None


def _timestamp(value: Any) -> Any:
    return value.timestamp() if kind(value) == "aware datetime" else None


def _from_timestamp(value: Any) -> Any:
    try:
        return datetime.fromtimestamp(float(value), UTC) if is_number(value) else None
    except (ValueError, OverflowError, OSError):
        return None


# -- casts


def _cast(from_text: Callable[[str], Any], from_number: Callable[[Any], Any]) -> Callable[..., Any]:
    def cast(value: Any) -> Any:
        if isinstance(value, str):
            return None if "_" in value else _tried(from_text, value.strip())
        if isinstance(value, bool):
            return _tried(from_number, int(value))
        return _tried(from_number, value) if is_number(value) else None

    return cast


def _tried(convert: Callable[[Any], Any], value: Any) -> Any:
    try:
        return convert(value)
    except (ValueError, ArithmeticError):
        return None


def _cast_decimal(value: Any) -> Decimal:
    return Decimal(str(value))


def _cast_bool(value: Any) -> bool | None:
    return None if math.isnan(value) else value != 0


def _bool_of_text(text: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.casefold())


def _cast_date(value: Any) -> date | None:
    moment = _utc(_parse(value))
    return None if moment is None else moment.date()


# -- choices and containers


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*values: Any) -> Any:
        known = [value for value in values if value is not None]
        return choose(known, key=by_total_order) if known else None

    return apply


def _keys(value: Any) -> list[Any] | None:
    if not isinstance(value, dict):
        return None
    return sorted([name for name, part in value.items() if part is not None], key=by_total_order)


LIBRARY: dict[str, Callable[..., Any]] = {
    "nullif": lambda a, b: None if a is None or (b is not None and same(a, b)) else a,
    "least": _extreme(min),
    "greatest": _extreme(max),
    "floor": _whole(math.floor),
    "ceil": _whole(math.ceil),
    "sign": _sign,
    "power": _real(_power),
    "sqrt": _real(math.sqrt),
    "exp": _real(math.exp),
    "ln": _real(math.log),
    "ltrim": texts(lambda text: re.sub(r"\A\s+", "", text)),
    "rtrim": texts(lambda text: re.sub(r"\s+\Z", "", text)),
    "pad_start": _padded(at_start=True),
    "pad_end": _padded(at_start=False),
    "replace": texts(lambda text, old, new: new.join(text.split(old)) if old else text),
    "position": texts(_position),
    "split": texts(lambda text, between: re.split(re.escape(between), text) if between else None),
    "regexp_matches": lambda text, pattern: (
        bool(pattern.findall(text)) if isinstance(text, str) else None
    ),
    "regexp_extract": _extract,
    "regexp_replace": lambda text, pattern, new: (
        pattern.subn(new, text)[0] if isinstance(text, str) else None
    ),
    "parse_datetime": _parse,
    "date_part": _part,
    "date_trunc": _trunc,
    "date_diff": _diff,
    "date_add": _add,
    "to_local": _to_local,
    "from_local": _from_local,
    "timestamp": _timestamp,
    "from_timestamp": _from_timestamp,
    "cast_int": _cast(int, math.trunc),
    "cast_float": _cast(float, float),
    "cast_decimal": _cast(_cast_decimal, _cast_decimal),
    "cast_str": lambda value: None if value is None else shown(value),
    "cast_bool": _cast(_bool_of_text, _cast_bool),
    "cast_date": _cast_date,
    "is_number": is_number,
    "is_text": lambda value: kind(value) == "text",
    "is_bool": lambda value: kind(value) == "bool",
    "is_datetime": lambda value: kind(value) in ("naive datetime", "aware datetime"),
    "is_list": lambda value: kind(value) in ("list", "tuple"),
    "is_dict": lambda value: kind(value) == "mapping",
    "keys": _keys,
    "nocase": _of_text(lambda text: "".join(char.casefold() for char in text)),
    "unaccented": _of_text(lambda text: "".join(map(_bare, text.casefold()))),
    "natural": _of_text(_natural),
}
"""Library functions by their name in the IR."""
