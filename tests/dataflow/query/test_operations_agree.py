"""Every operation means one thing: generated code, safe evaluator and reference evaluator agree.

Each is computed for all combinations of values of every kind, missing fields among them, once with
all arguments in columns and once with constants after the first, for which other code is generated.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from dataflow import Collection, case, query, run
from dataflow.query.compiler.evaluate import evaluator
from dataflow.query.compiler.layout import Layout, Slot
from dataflow.query.expr import Expr, node_of, origins_of
from dataflow.query.notation import text_of
from dataflow.query.operations.registry import OPERATIONS
from dataflow.query.operations.times import LENGTHS, MONTHS, PARTS
from dataflow.query.scalar import Call, Column, Const, Scalar
from tests.oracle.scalars import CALLS, value_of
from tests.oracle.semantics import same

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING = object()
AWARE = datetime(2026, 3, 29, 1, 30, 15, 123456, tzinfo=UTC)
NAIVE = datetime.fromisoformat("2024-02-29T23:59:59.999999")
NUMBERS = (
    True,
    False,
    0,
    1,
    -2,
    3,
    2.5,
    -0.0,
    0.1,
    -1.5,
    1e300,
    2**70,
    math.nan,
    math.inf,
    -math.inf,
)
WORDS = ("", "a", "ab,B", " 12 ", "-1e2", "TRUE", "nan", "1_0", "x\ny", "é", "ab\u00a0")
NESTED: tuple[Any, ...] = ([], [1, None, "a"], {"b": 1, "a": None}, {}, (1, 2))
TIMES = (
    *(AWARE, AWARE.astimezone(timezone(timedelta(hours=-5))), NAIVE, date(2024, 2, 29)),
    *(date(2026, 1, 31), date(1, 1, 1), datetime(9999, 12, 31, 23, tzinfo=UTC), NAIVE.replace(year=4)),
    *map(datetime.fromisoformat, ("2026-10-25T02:30", "2026-03-29T02:30")),
    timedelta(hours=30),
)  # fmt: skip
WRITTEN = ("2026-01-31", "2026-01-31T10:11:12.5+02:00", "20260131T101112Z", "2026-02-30")
PLAIN = (None, MISSING, *NUMBERS, *WORDS, *NESTED)
EVERYTHING = (*PLAIN, *TIMES, *WRITTEN, Decimal("1.50"), Decimal(-7), Decimal("nan"), b"a")
FEW = (None, MISSING, True, 1, 2.5, math.nan, "", "a", "b,", [1], {"a": 1})
ZONES = ("Europe/Berlin", "America/New_York", "UTC", "Asia/Kathmandu")
PATTERN = re.compile(r"([a-z])(\d|b)?", re.IGNORECASE)

ONLY_PLAIN = {"add", "sub", "mul", "div", "floordiv", "mod", "neg", "abs", "round"}
"""Operations whose rules for durations and Decimals have tests of their own."""

FURTHER: dict[str, list[tuple[Any, ...]]] = {
    "in": [((),), ((1, "a"),), ((None, True, NAIVE),)],
    "round": [(0,), (1,), (-1,)],
    "pad_start": [(4,), (3, "*"), (10_001,), (2.0, "ab")],
    "pad_end": [(4,), (3, "*"), (-1,), (2.0, "ab")],
    "substring": [(0,), (1, 1), (-2,), (-2, 5), (1.0, None), ("a",)],
    "regexp_matches": [(PATTERN,), (re.compile("^$"),)],
    "regexp_extract": [(PATTERN,), (PATTERN, 2), (re.compile("(?P<all>.+)"), "all")],
    "regexp_replace": [(PATTERN, r"\1!"), (re.compile(""), "-")],
    "date_part": [(part,) for part in PARTS],
    "date_trunc": [(unit,) for unit in (*MONTHS, *LENGTHS)],
    "to_local": [(zone,) for zone in ZONES],
    "from_local": [(zone,) for zone in ZONES],
}
"""Operation -> the constants that may stand after its first argument, where not any value may."""

SECOND: dict[str, tuple[Any, ...]] = {
    "date_add": (None, 0, 1, -13, 2.0, 2.5, 10**12, "a", True),
    "date_diff": TIMES,
}
"""Operation -> the second arguments it is computed for, before a unit."""

CONSTANTS = (0, 1.0, math.nan, True, "a", None, NAIVE)


def rows(*columns: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Return a row for each combination of values, its fields called a, b, c."""
    named = [dict(zip("abc", values, strict=False)) for values in product(*columns)]
    present = [{n: v for n, v in row.items() if v is not MISSING} for row in named]
    return [{"id": number, **row} for number, row in enumerate(present)]


def columns(count: int) -> tuple[Scalar, ...]:
    return tuple(Column("x", name) for name in "abc"[:count])


def forms(name: str) -> Iterator[tuple[tuple[Scalar, ...], list[tuple[Any, ...]]]]:
    """Yield the arguments an operation is called with, and the values of their columns."""
    operation = OPERATIONS[name]
    values = PLAIN if name in ONLY_PLAIN else EVERYTHING
    if name in FURTHER:
        for constants in FURTHER[name]:
            yield (*columns(1), *map(Const, constants)), [values]
    elif name in SECOND:
        for unit in (*MONTHS, *LENGTHS):
            yield (*columns(2), Const(unit)), [values, SECOND[name]]
    elif operation.least == 2:
        yield columns(2), [values, values]
        for constant in CONSTANTS if values is EVERYTHING else CONSTANTS[:-1]:
            yield (*columns(1), Const(constant)), [values]
    else:
        yield columns(operation.least), [values if operation.least == 1 else FEW] * operation.least
    if operation.most is None:
        yield columns(3), [FEW, FEW, FEW]


CASES = [
    pytest.param(name, args, values, id=text_of(Call(name, args)))
    for name in sorted(OPERATIONS)
    for args, values in forms(name)
]


@pytest.mark.parametrize(("name", "args", "values"), CASES)
def test_generated_code_safe_evaluator_and_oracle_agree(
    name: str, args: tuple[Scalar, ...], values: list[tuple[Any, ...]]
) -> None:
    given = rows(*values)
    source = Collection("rows", key="id")
    with source.sync() as write:
        for row in given:
            write.insert(row)
    x = source.alias("x")
    expr: Expr[Any] = Expr(Call(name, args), origins_of(x.id))
    node = node_of(expr)
    tests = case((expr, "true"), (~expr, "false"), else_="unknown")
    generated = run(query(x).select(id=x.id, v=expr, t=tests).order_by(x.id))
    safe = evaluator(node, Layout((Slot("x", None, "any"),)))
    assert _differing(node, given, generated, safe) == []


def _differing(node: Scalar, given: Any, generated: Any, safe: Any) -> list[Any]:
    """Return row, generated answer, safe answer and what was expected, where they differ."""
    found = []
    for row, made in zip(given, generated, strict=True):
        expected, answer = value_of(node, {"x": row}), safe(row)
        truth = "unknown" if not isinstance(expected, bool) else str(expected).lower()
        if not (same(made["v"], expected) and same(answer, expected) and made["t"] == truth):
            found.append((row, made, answer, expected))
    return found


def test_the_reference_evaluator_knows_every_operation() -> None:
    assert set(OPERATIONS) - set(CALLS) == {"case"}
