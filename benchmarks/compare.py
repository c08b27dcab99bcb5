"""Comparing two runs by their ratios to the floor, which cancel what the machine was doing meanwhile.

A measurement got slower, or faster, when the ranges its ratio had over the segments of both runs do not overlap and the
medians are a quarter apart; anything less is noise. Runs that did other work, as their checksums tell, have no verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.report import read_json_lines, table

if TYPE_CHECKING:
    from pathlib import Path

NOTABLE = 1.25

HEADER = ("query", "kind", "N", "ours p50", "before", "ratio", "before", "change", "verdict")


def verdict(base: dict[str, Any], head: dict[str, Any]) -> str:
    """Return `faster`, `slower`, `same` or `other work` for two measurements of one thing."""
    if head["checksum"] != base["checksum"]:
        return "other work"
    if head["ratio_low"] > base["ratio_high"] and head["ratio"] > NOTABLE * base["ratio"]:
        return "slower"
    if head["ratio_high"] < base["ratio_low"] and base["ratio"] > NOTABLE * head["ratio"]:
        return "faster"
    return "same"


def compare(base: Path, head: Path) -> tuple[str, bool]:
    """Return a table of what both files measured, and whether anything got slower."""
    before = {_identity(found): found for found in read_json_lines(base)}
    pairs = [
        (before[_identity(found)], found)
        for found in read_json_lines(head)
        if _identity(found) in before
    ]
    if not pairs:
        raise SystemExit("the two runs have no measurement in common")
    verdicts = [verdict(old, new) for old, new in pairs]
    rows = [
        (
            new["workload"],
            new["kind"],
            f"{new['size']:,}",
            *(f"{found['ours']['p50']:.2f}" for found in (new, old)),
            *(f"{found['ratio']:.2f}" for found in (new, old)),
            f"× {new['ratio'] / old['ratio']:.2f}",
            word,
        )
        for (old, new), word in zip(pairs, verdicts, strict=True)
    ]
    return table(HEADER, rows), "slower" in verdicts


def _identity(found: dict[str, Any]) -> tuple[Any, ...]:
    return found["kind"], found["workload"], found["size"]
