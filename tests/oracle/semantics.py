"""Null, equality, order and normal form, written a second time from the words of the contract.

Nothing here is fast and nothing here is imported from the engine but `ABSENT`, which is a name and
not a rule. Where both homes of these rules agree by accident of sharing code, no test can tell.

    null        `None`; a field that is missing is null as well
    equality    kinds never mix (True, 1 and "1" are three values), 1 == 1.0, -0.0 == 0.0,
                NaN == NaN; lists and dicts by content, a null field being a missing one
    order       absent < null < bools < numbers < NaN < texts < bytes < dates < naive < aware
                datetimes < durations < UUIDs < tuples < lists < mappings < objects
    normal      an integral float is an int, one NaN, datetimes in UTC; containers inside out
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cmp_to_key
from typing import Any
from uuid import UUID

from dataflow.values.null import ABSENT

KINDS = (
    "absent",
    "null",
    "bool",
    "number",
    "nan",
    "text",
    "bytes",
    "date",
    "naive datetime",
    "aware datetime",
    "duration",
    "uuid",
    "tuple",
    "list",
    "mapping",
    "object",
)


COMMON: dict[type, str] = {
    type(None): "null",
    bool: "bool",
    int: "number",
    str: "text",
    tuple: "tuple",
    list: "list",
    dict: "mapping",
}
"""The kinds of most values, by their exact class."""


def kind(value: Any) -> str:
    """Name the kind of a value; the place in `KINDS` is its rank in the total order."""
    common = COMMON.get(type(value))
    if common is not None:
        return common
    if value is ABSENT:
        return "absent"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float | Decimal):
        return "nan" if math.isnan(value) else "number"
    if isinstance(value, datetime):
        return "naive datetime" if value.tzinfo is None else "aware datetime"
    for name, classes in (
        ("text", str),
        ("bytes", bytes),
        ("date", date),
        ("duration", timedelta),
        ("uuid", UUID),
        ("tuple", tuple),
        ("list", list),
        ("mapping", Mapping),
    ):
        if isinstance(value, classes):
            return name
    return "object"


def fields_of(row: Any) -> dict[str, Any]:
    """Return the fields of a dict, dataclass, pydantic model or other object as a dict."""
    if isinstance(row, Mapping):
        return dict(row)
    if dataclasses.is_dataclass(row):
        return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    if hasattr(type(row), "model_fields"):
        return {name: getattr(row, name) for name in type(row).model_fields}
    return dict(vars(row))


def field_of(row: Any, name: str) -> Any:
    """Return one field; null where the row is null or has no such field."""
    if isinstance(row, Mapping):
        return row.get(name)
    return getattr(row, name, None)


def compare(a: Any, b: Any) -> int:
    """Return -1, 0 or 1: the total order over all values, nulls first."""
    if a is b:
        return 0
    mine, theirs = kind(a), kind(b)
    if mine != theirs:
        return _sign(KINDS.index(mine), KINDS.index(theirs))
    if mine in ("absent", "null", "nan"):
        return 0
    if mine in ("tuple", "list"):
        for left, right in zip(a, b, strict=False):
            found = compare(left, right)
            if found:
                return found
        return _sign(len(a), len(b))
    if mine == "object" and type(a) is not type(b):
        return _sign(_class_name(a), _class_name(b))
    if mine in ("mapping", "object"):
        return compare(_sorted_fields(a), _sorted_fields(b))
    return _sign(a, b)


def same(a: Any, b: Any) -> bool:
    """Tell whether two values are equal by contract."""
    return compare(a, b) == 0


def comparable(a: Any, b: Any) -> bool:
    """Tell whether `a < b` has an answer; otherwise it is null."""
    kinds = {"number" if kind(value) == "nan" else kind(value) for value in (a, b)}
    return len(kinds) == 1 and not kinds & {"absent", "null", "mapping", "object"}


def normal(value: Any) -> Any:
    """Return the form in which a value is exposed in keys."""
    match kind(value):
        case "number" if isinstance(value, float | Decimal) and math.isfinite(value):
            return int(value) if value == int(value) else value
        case "nan":
            return math.nan
        case "aware datetime":
            return value.astimezone(UTC)
        case "tuple":
            return tuple(normal(part) for part in value)
        case "list":
            return [normal(part) for part in value]
        case "mapping":
            return {name: normal(part) for name, part in value.items()}
        case _:
            return value


by_total_order = cmp_to_key(compare)


def _sorted_fields(value: Any) -> list[Any]:
    present = [[name, part] for name, part in fields_of(value).items() if part is not None]
    return sorted(present, key=by_total_order)


def _class_name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _sign(a: Any, b: Any) -> int:
    return int(a > b) - int(a < b)
