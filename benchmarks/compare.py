"""Comparing two runs of the engine by their ratios to the floor, which cancel what the machine was doing meanwhile.

A measurement got slower, or faster, when the ranges its ratio had over the segments of both runs do not overlap and the
medians are a quarter apart; anything less is noise. What has no floor is compared by its own figures. Runs that did other work,
as their checksums tell, have no verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.roster import OURS
from benchmarks.records import read
from benchmarks.tables import figure, table

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.measurement import Measurement

NOTABLE = 1.25

HEADER = ("query", "metric", "N", "ours p50", "before", "ratio", "before", "change", "verdict")


def verdict(base: Measurement, head: Measurement) -> str:
    """Return `faster`, `slower`, `same` or `other work` for two measurements of one thing."""
    if head.checksum != base.checksum:
        return "other work"
    (before, before_low, before_high), (now, low, high) = _span(base), _span(head)
    if low > before_high and now > NOTABLE * before:
        worse = True
    elif high < before_low and before > NOTABLE * now:
        worse = False
    else:
        return "same"
    return "slower" if worse == is_cost(head) else "faster"


def is_cost(found: Measurement) -> bool:
    """Tell whether less is better, as it is of everything but what is done per second."""
    return not found.unit.endswith("/s")


def _span(found: Measurement) -> tuple[float, float, float]:
    if found.ratio is None or found.ratio_low is None or found.ratio_high is None:
        return found.p50, found.low, found.high
    return found.ratio, found.ratio_low, found.ratio_high


def compare(base: Path, head: Path) -> tuple[str, bool]:
    """Return a table of what both files measured of the engine, and whether anything got slower."""
    before = {_identity(found): found for found in read(base)[0]}
    pairs = [
        (before[_identity(found)], found)
        for found in read(head)[0]
        if found.peer == OURS and _identity(found) in before
    ]
    if not pairs:
        raise SystemExit("the two runs have no measurement in common")
    verdicts = [verdict(old, new) for old, new in pairs]
    rows = [
        (
            new.query,
            new.metric,
            f"{new.size:,}",
            *(figure(found.p50) for found in (new, old)),
            *(figure(found.ratio) for found in (new, old)),
            f"× {_span(new)[0] / _span(old)[0]:.2f}",
            word,
        )
        for (old, new), word in zip(pairs, verdicts, strict=True)
    ]
    return table(HEADER, rows), "slower" in verdicts


def _identity(found: Measurement) -> tuple[str, str, int, str, str]:
    return found.workload, found.query, found.size, found.metric, found.peer
