"""Forms of expressions as program text, by the feature they use, and the names that text may use.

In all of them {a} and {b} are values, {c} is a constant and {p} a condition.

User functions respect equality: of two equal values they make two equal ones, so that it cannot
matter which of them the engine kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from dataflow.query import (
    aggregates,
    builder,
    combining,
    functions,
    nesting,
    recursion,
    unnesting,
    windows,
)
from tests.oracle.semantics import field_of, kind

VALUES = {
    "arithmetic": ("({a} + {b})", "({a} - {c})", "({a} * 2)", "({a} / {c})", "(-{a})", "abs_({a})"),
    "coalesce": ("coalesce({a}, {b})", "coalesce({a}, {c})"),
    "case": ("case(({p}, {b}), else_={a})", "case(({p}, {c}))"),
    "fn": ("fn(double, {a})",),
    "text": (
        "upper({a})",
        "length(upper({a}))",
        "concat({a}, '-', {b})",
        "lower({a})",
        "length({a})",
        "ltrim(concat(' ', {a}))",
        "rtrim(concat({a}, ' '))",
        "pad_start({a}, 3, '.')",
        "pad_end({a}, 2)",
        "substring({a}, 0, 1)",
        "replace({a}, 'a', 'bc')",
        "position({a}, 'b')",
        "split(concat({a}, ',', {b}), ',')",
    ),
    "regex": ("regexp_extract({a}, '(a)(b?)', 2)", r"regexp_replace({a}, '[a-b]', r'<\g<0>>')"),
    "number": (
        "floor({a})",
        "ceil({a} / 2)",
        "round_({a} / 3, 1)",
        "sign({a})",
        "power({a}, 2)",
        "sqrt({a})",
        "exp({a})",
        "ln({a})",
    ),
    "choice": ("nullif({a}, {b})", "least({a}, {b}, {c})", "greatest({a}, {b})"),
    "cast": (
        "cast({a}, int)",
        "cast({a}, float)",
        "cast({a}, str)",
        "cast(cast({a}, str), float)",
        "cast({a}, bool)",
    ),
    "date": (
        "date_part(date_add(from_timestamp({a}), {b}, 'month'), 'dayofyear')",
        "date_trunc(from_timestamp({a} * 100000), 'week')",
        "date_diff(from_timestamp({a} * 1000), from_timestamp({b}), 'minute')",
        "to_local(from_timestamp({a}), 'Europe/Berlin')",
        "timestamp(date_add(from_timestamp({a}), 1, 'day'))",
        "date_part(parse_datetime({a}), 'month')",
        "date_trunc(parse_datetime({a}), 'day')",
        "date_part({a}, 'hour')",
        "date_diff({a}, {b}, 'day')",
    ),
    "json path": ("path({a}, '$.a[0]')", '{a}["a"]', "split({a}, 'a')[0]", "keys({a})[0]"),
}
"""Feature -> forms of values."""

WEIGHTS = {
    "arithmetic": 6.0,
    "coalesce": 3.0,
    "case": 2.0,
    "text": 5.0,
    "fn": 1.5,
    "choice": 1.5,
    "number": 2.0,
    "cast": 1.5,
    "date": 2.5,
    "regex": 1.0,
    "json path": 1.5,
}
"""How often a form of each feature is written, where nothing is wished for."""

TESTS = {
    "null": ("{a}.is_null()", "{a}.is_not_null()", "{a}.is_not_null()"),
    "membership": ("{a}.in_([{c}, {d}])", "{a}.not_in([{c}, {d}])", "{a}.not_in([{c}, {d}])"),
    "range": ("{a}.between({c}, {d})",),
    "text": ("{a}.like('%a%')", "{a}.starts_with('')", "{a}.contains({c})"),
    "regex": ("regexp_matches({a}, 'a|B')",),
    "type test": (
        "is_number({a})",
        "is_text({a})",
        "is_bool({a})",
        "is_list({a})",
        "is_dict({a})",
        "is_datetime(from_timestamp({a}))",
    ),
}
"""Feature -> forms of conditions; {d} is a constant like {c}."""

AGGREGATES = {
    "count": ("count()", "count({a})"),
    "sum": ("sum_({a})",),
    "avg": ("avg({a})",),
    "min": ("min_({a})",),
    "max": ("max_({a})",),
    "collect": ("collect({a}{order})",),
    "first": ("first({a}{order})",),
    "last": ("last({a}{order})",),
    "fold": (
        "fold({a}, (), append{order})",
        "fold({a}, list, grow, finish=len{order})",
        "fold({a}, '', write, finish=shout{order})",
    ),
    "count_distinct": ("count_distinct({a})",),
    "median": ("median({a})",),
    "variance": ("variance({a})",),
    "stddev": ("stddev({a})",),
    "any": ("any_({p})",),
    "all": ("all_({p})",),
    "string_agg": ("string_agg({a}, '; '{order})",),
    "aggregate": (
        "aggregate({a}, 0, heavier, lighter)",
        "aggregate({a}, tuple, bag, unbag, finish=len)",
    ),
}
"""Kind of aggregate -> its forms; {order} is an order_by, or nothing."""

WINDOWS = {
    "row_number": ("row_number()",),
    "rank": ("rank()",),
    "dense_rank": ("dense_rank()",),
    "lag": ("lag({a})", "lag({a}, 2, {b})", "lag({p})"),
    "lead": ("lead({a}, 1, {c})", "lead({a}, 0)", "lead({a}, 2)"),
}
"""Window functions that need an order, by their name."""
RUNNING = ("count()", "count({a})", "sum_({a})", "avg({a})", "min_({a})", "max_({a})")
"""Aggregates that may be window functions."""


@dataclass(frozen=True)
class Made:
    """A row that a query builds by `into`."""

    c0: Any = None
    c1: Any = None
    c2: Any = None
    g0: Any = None
    g1: Any = None
    n0: Any = None
    n1: Any = None
    n2: Any = None


def double(value: Any) -> Any:
    """Return twice a number; null of anything else."""
    return value * 2 if kind(value) in ("number", "nan") else None


def has_x(row: Any) -> bool:
    """Tell whether a row has an x, at its top or under any of its aliases."""
    parts = [row, *row.values()] if isinstance(row, dict) else [row]
    return any(field_of(part, "x") is not None for part in parts)


def wrap(row: Any) -> dict[str, Any]:
    """Put a row into a new one."""
    return {"was": row, "x": field_of(row, "x")}


def field_id(row: Any) -> Any:
    """Return the id of a row."""
    return field_of(row, "id")


def append(state: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    """Keep every value."""
    return (*state, value)


def grow(state: list[Any], value: Any) -> list[Any]:
    """Keep every value, in a new list."""
    return [*state, value]


def write(state: str, value: Any) -> str:
    """Write every text down, and the kind of anything else."""
    return f"{state}{value if isinstance(value, str) else kind(value)},"


def weight(value: Any) -> int:
    """Weigh a value by its kind."""
    return len(kind(value)) * 10 + (len(value) if isinstance(value, str) else 0)


def heavier(state: int, value: Any) -> int:
    """Add the weight of a value."""
    return state + weight(value)


def lighter(state: int, value: Any) -> int:
    """Take the weight of a value away."""
    return state - weight(value)


def bag(state: tuple[int, ...], value: Any) -> tuple[int, ...]:
    """Keep the weight of every value, in order of weight."""
    return tuple(sorted((*state, weight(value))))


def unbag(state: tuple[int, ...], value: Any) -> tuple[int, ...]:
    """Let the weight of a value go."""
    place = state.index(weight(value))
    return state[:place] + state[place + 1 :]


def shout(state: str) -> str:
    """Finish a text."""
    return state.upper()


VOCABULARY: dict[str, Any] = {
    function.__name__: function
    for function in (
        *(double, has_x, wrap, field_id, append, grow, write, shout),
        *(heavier, lighter, bag, unbag, Made),
    )
} | {"nan": math.nan, "inf": math.inf}
"""The names a program text uses besides those of the library, its sources and its views."""

LIBRARY: dict[str, Any] = {
    name: getattr(module, name)
    for module, names in (
        (builder, ("query",)),
        (combining, ("except_", "intersect", "union", "union_all")),
        (nesting, ("nested",)),
        (recursion, ("recursive",)),
        (unnesting, ("unnest",)),
        (aggregates, aggregates.__all__),
        (functions, functions.__all__),
        (windows, ("dense_rank", "lag", "lead", "rank", "row_number")),
    )
    for name in names
}
"""The names of the library a program text uses, but for `live`."""
