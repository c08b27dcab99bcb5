"""A figure: one metric over the rounds of one run, by peer; as a line of JSON and as a line of a table."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(slots=True)
class Figure:
    """One metric.

    Attributes:
        metric: What was measured, with its unit.
        rounds: The values by peer, round for round; the first peer is ours.
        checksum: Of the answer that all peers had.
    """

    metric: str
    rounds: list[dict[str, float]] = field(default_factory=list)
    checksum: str = ""

    @property
    def peers(self) -> list[str]:
        """Who was measured, ours first."""
        return list(self.rounds[0])

    def median(self, peer: str) -> float:
        """Return the median of a peer over the rounds."""
        return median(values[peer] for values in self.rounds)

    def ratios(self) -> list[float]:
        """Return ours divided by the other, within each round; empty where there is no other."""
        ours, *others = self.peers
        return [values[ours] / values[other] for values in self.rounds for other in others]

    def line(self, around: dict[str, Any]) -> str:
        """Return all of it as a line of JSON, with what it depends on."""
        ratios = self.ratios()
        found = {
            "metric": self.metric,
            "medians": {peer: self.median(peer) for peer in self.peers},
            "ratio": median(ratios) if ratios else None,
            "rounds": self.rounds,
            "checksum": self.checksum,
        }
        return json.dumps({**found, **around})


class Figures:
    """The figures of one benchmark, gathered round for round."""

    def __init__(self) -> None:
        self._found: dict[str, Figure] = {}

    def add(self, peer: str, values: dict[str, float], *, checksum: str) -> None:
        """Take in what a peer measured in this round.

        Raises:
            RuntimeError: Its answer is not the one that another peer had.
        """
        for metric, value in values.items():
            figure = self._found.setdefault(metric, Figure(metric, checksum=checksum))
            if not figure.rounds or peer in figure.rounds[-1]:
                figure.rounds.append({})
                figure.checksum = checksum
            if figure.checksum != checksum:
                raise RuntimeError(f"{peer} has another answer than the others: {metric}")
            figure.rounds[-1][peer] = value

    def all(self) -> list[Figure]:
        """Return the figures in the order in which they came."""
        return list(self._found.values())


def table(figures: Iterable[Figure]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = ["| metric | ours | other | ours / other | range |", "|---|---:|---:|---:|---:|"]
    for figure in figures:
        ours, *others = figure.peers
        cells = [figure.metric, f"{figure.median(ours):,.2f}"]
        ratios = figure.ratios()
        if ratios:
            span = f"{min(ratios):.2f} to {max(ratios):.2f}"
            cells += [f"{figure.median(others[0]):,.2f}", f"{median(ratios):.2f}", span]
        else:
            cells += ["", "", ""]
        lines.append(f"| {' | '.join(cells)} |")
    return lines
