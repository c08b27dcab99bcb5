"""Arithmetic: every operator on every pair of samples, and the calendar."""

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dataflow.errors import QueryError
from dataflow.values.arithmetic import add, div, floordiv, mod, mul, neg, sub
from dataflow.values.equality import equal
from tests.dataflow.values.contract import canonical, computed
from tests.dataflow.values.samples import PAIRS, SAMPLES, Level

OPERATORS = {"+": add, "-": sub, "*": mul, "/": div, "//": floordiv, "%": mod}
TIMES = ("naive", "aware", "date", "duration")
HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")


def outcome(operator: Any, a: object, b: object) -> Any:
    try:
        return operator(a, b)
    except QueryError:
        return "error"


def is_same(result: Any, expected: Any) -> bool:
    if type(result) is not type(expected):
        return False
    if isinstance(result, float | Decimal) and math.isnan(result):
        return math.isnan(expected)
    return bool(result == expected)


@pytest.mark.parametrize("symbol", OPERATORS)
def test_every_pair_of_samples_that_are_no_times_computes_by_the_contract(symbol: str) -> None:
    wrong = [
        (a, b)
        for a, b in PAIRS
        if not (canonical(a)[0] in TIMES or canonical(b)[0] in TIMES)
        and not is_same(outcome(OPERATORS[symbol], a, b), computed(symbol, a, b))
    ]
    assert wrong == []


def test_negation_is_known_for_numbers_and_durations() -> None:
    for a in SAMPLES:
        kind = canonical(a)[0]
        if kind == "number":
            assert is_same(neg(a), computed("*", a, -1))
        elif kind == "duration":
            assert neg(a) == sub(timedelta(), a)
        else:
            assert neg(a) is None
    assert neg(timedelta.max) is None
    assert neg(Level.HIGH) == -2


def test_decimal_with_float_names_both() -> None:
    with pytest.raises(QueryError, match=r"cannot add decimal and float: Decimal\('1'\) and 0.5"):
        add(Decimal(1), 0.5)


def test_an_int_beyond_floats_counts_as_infinite_beside_one() -> None:
    assert add(10**400, 0.5) == math.inf
    assert sub(0.5, 10**400) == -math.inf
    assert mul(-(10**400), 0.5) == -math.inf
    assert div(10**400, -3) == -math.inf
    assert div(10**400, 10**399) == 10.0
    assert div(1.0, 10**400) == 0.0


def test_decimals_round_down_as_ints_do() -> None:
    for a in (-7, 7):
        for b in (-2, 2):
            for x, y in ((Decimal(a), b), (a, Decimal(b)), (Decimal(a), Decimal(b))):
                assert equal(floordiv(x, y), a // b)
                assert equal(mod(x, y), a % b)


def test_a_decimal_context_that_does_not_raise_changes_nothing() -> None:
    with localcontext() as context:
        context.traps = dict.fromkeys(context.traps, False)
        assert [op(Decimal(1), Decimal(0)) for op in (div, floordiv, mod)] == [None, None, None]


NOON = datetime(2026, 1, 1, 12)  # noqa: DTZ001 - naive on purpose
NOON_UTC = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = date(2026, 1, 1)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (sub(NOON, NOON - HOUR), HOUR),
        (sub(NOON_UTC, NOON_UTC.astimezone(BERLIN) - HOUR), HOUR),
        (sub(NOON, NOON_UTC), None),
        (sub(NOON, DAY), None),
        (sub(DAY, date(2025, 12, 31)), timedelta(days=1)),
        (add(NOON, HOUR), datetime(2026, 1, 1, 13)),  # noqa: DTZ001
        (add(HOUR, NOON_UTC), datetime(2026, 1, 1, 13, tzinfo=UTC)),
        (sub(NOON_UTC, HOUR), datetime(2026, 1, 1, 11, tzinfo=UTC)),
        (add(NOON, NOON), None),
        (sub(HOUR, NOON), None),
        (add(NOON, 1), None),
        (add(DAY, timedelta(days=1)), date(2026, 1, 2)),
        (add(timedelta(days=1), DAY), date(2026, 1, 2)),
        (sub(DAY, timedelta(days=1)), date(2025, 12, 31)),
        (add(date.max, timedelta(days=1)), None),
        (add(HOUR, HOUR), 2 * HOUR),
        (sub(HOUR, HOUR), timedelta()),
        (mul(HOUR, 2), 2 * HOUR),
        (mul(0.5, HOUR), HOUR / 2),
        (mul(HOUR, Decimal("0.5")), HOUR / 2),
        (mul(HOUR, True), None),
        (mul(HOUR, math.nan), None),
        (mul(HOUR, math.inf), None),
        (mul(HOUR, HOUR), None),
        (div(HOUR, 2), HOUR / 2),
        (div(HOUR, 2 * HOUR), 0.5),
        (div(HOUR, 0), None),
        (div(HOUR, timedelta()), None),
        (div(2, HOUR), None),
        (floordiv(3 * HOUR, 2 * HOUR), 1),
        (mod(3 * HOUR, 2 * HOUR), HOUR),
        (mod(HOUR, timedelta()), None),
    ],
)
def test_times_compute_by_the_table(result: object, expected: object) -> None:
    assert type(result) is type(expected)
    assert result == expected


def test_an_hour_is_an_hour_when_clocks_change() -> None:
    before = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
    after = add(before, HOUR)
    assert equal(sub(after, before), HOUR)
    assert (after.hour, after.fold, after.tzinfo) == (2, 1, BERLIN)
