"""Bars are read off measurements: the worst value decides, and whatever misses is named."""

from dataclasses import replace

from benchmarks.bars import BARS, SPREAD, Bar, Figures, bars_of
from benchmarks.measurement import Measurement
from benchmarks.questions import QUESTIONS

CHANGE = Measurement(
    workload="W2",
    query="join",
    size=100_000,
    metric="change",
    unit="us per change",
    peer="ours",
    p50=10.0,
    p99=50.0,
    low=9.0,
    high=11.0,
    segments=5,
    against="floor",
    ratio=2.0,
)


def bar(text: str) -> Bar:
    (found,) = (bar for bar in BARS if bar.text.startswith(text))
    return found


def line(text: str, *measured: Measurement) -> list[str]:
    """Return the line of a bar, without its text."""
    return [*bar(text).line(Figures(measured))][1:]


def test_a_bar_is_met_if_its_worst_value_is() -> None:
    slower = replace(CHANGE, query="filter", ratio=2.5)
    elsewhere = replace(CHANGE, query="filter", size=1_000, ratio=9.0)
    found = line("W2 change, as a multiple of the floor", CHANGE, slower, elsewhere)
    assert found == ["≤ 2.5", "2.50 (filter)", "met"]


def test_whatever_misses_a_bar_is_named_with_by_how_much() -> None:
    measured = (
        CHANGE,
        replace(CHANGE, query="filter", ratio=2.75),
        replace(CHANGE, query="top100", ratio=5.0),
    )
    found = line("W2 change, as a multiple of the floor", *measured)
    assert found == ["≤ 2.5", "5.00 (top100)", "missed: top100 by 100%, filter by 10%"]


def test_a_rival_has_to_take_at_least_so_many_times_as_long() -> None:
    rival = replace(CHANGE, peer="sqlite", against="ours", ratio=0.8)
    silent = replace(rival, peer="sqlite-silent", ratio=0.5)
    found = line("W2 change of SQLite triggers, as", rival, silent)
    assert found == ["≥ 1.0", "0.80 (join)", "missed: join by 25%"]
    of_tanstack = replace(rival, peer="tanstack-db", ratio=41.0)
    text = "W2 change of TanStack DB, as a multiple of ours, N = 100,000: join"
    assert line(text, of_tanstack) == ["≥ 40", "41.0 (join)", "met"]


def test_growth_is_of_the_same_query_at_two_sizes() -> None:
    measured = (
        replace(CHANGE, size=1_000, ratio=2.0),
        replace(CHANGE, size=1_000_000, ratio=2.4),
        replace(CHANGE, query="filter", size=1_000_000, ratio=9.0),
    )
    found = line("W2 change: multiple of the floor at N = 1,000,000", *measured)
    assert found == ["≤ 1.3", "1.20 (join)", "met"]


def test_sizes_are_named_where_all_of_them_count() -> None:
    chunk = replace(CHANGE, workload="W3", query="fold", size=10, ratio=2.0)
    found = line(
        "W3 chunk, as a multiple of the floor", chunk, replace(chunk, size=20_000, ratio=1)
    )
    assert found == ["≤ 2.5", "2.00 (fold 10)", "met"]


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    lines = bars_of([]).splitlines()
    assert len(lines) == 2 + len(BARS)
    assert all(line.endswith("not measured |") for line in lines[2:])


def test_queries_that_bars_name_are_asked() -> None:
    assert SPREAD.keys() <= {question.name for question in QUESTIONS}
