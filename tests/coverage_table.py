"""What random cases have covered: pairs of features, and features under every kind of change.

    python -m tests.coverage_table --seeds 2000

runs law 2 over that many seeds and prints the table; `pytest --soak` prints it for the run it was.

A case counts once for a pair of features, if one of its live views uses both, itself or through
the views it reads, and some commit changed the rows of that view and left some. It counts once for a
feature, an input of that feature and a kind of change, if such a commit was a single change of that
kind, in a collection that feeds this input and no other.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, TypeVar

from tests.features import FEATURES, Use, inputs_of
from tests.strategies import random_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.cases import Case

T = TypeVar("T")
AT_ONCE = 50  # corners aimed at before the table is looked at again
TOGETHER = 10  # features that one case is to bring together with another
CHANGES = ("insert", "update", "delete", "re-insert")

Change = tuple[str, str]
"""A kind of change, and the collection it is made in."""


@dataclass
class Tally:
    """Counts of what has been covered.

    Attributes:
        cases: Cases that ran to their end.
        views: Live views in them.
        epochs: Results compared with the naive evaluator: one per view and commit.
        compared: Oracle -> results compared with it.
        features: Feature -> cases.
        pairs: Two features, in the order of `FEATURES` -> cases.
        changes: Feature, input and kind of change -> cases.
    """

    cases: int = 0
    views: int = 0
    epochs: int = 0
    compared: Counter[str] = field(default_factory=Counter)
    features: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    changes: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, views: Iterable[tuple[set[Use], list[Change | None]]]) -> None:
        """Count a case.

        Args:
            views: For each of its views, the features in use, and the changes that changed its rows
                and left some: for every such commit the one change it was, None if it was several.
        """
        self.cases += 1
        features: set[str] = set()
        pairs: set[tuple[str, str]] = set()
        changes: set[tuple[str, str, str]] = set()
        for uses, made in views:
            self.views += 1
            if made:
                names = sorted({use.feature for use in uses}, key=FEATURES.index)
                features.update(names)
                pairs.update(combinations(names, 2))
                changes.update(_changes(uses, set(filter(None, made))))
        self.features.update(features)
        self.pairs.update(pairs)
        self.changes.update(changes)

    def merge(self, other: Tally) -> None:
        """Add the counts of another tally."""
        self.cases += other.cases
        self.views += other.views
        self.epochs += other.epochs
        self.compared.update(other.compared)
        self.features.update(other.features)
        self.pairs.update(other.pairs)
        self.changes.update(other.changes)

    def rare_pairs(self, least: int) -> dict[tuple[str, str], int]:
        """Return the pairs that occurred less often than that, rarest first."""
        counts = {pair: self.pairs[pair] for pair in combinations(FEATURES, 2)}
        return _below(counts, least)

    def rare_changes(self, least: int) -> dict[tuple[str, str, str], int]:
        """Return the changes of inputs that occurred less often than that, rarest first."""
        counts = {
            (feature, label, kind): self.changes[feature, label, kind]
            for feature in FEATURES
            for label in inputs_of(feature)
            for kind in CHANGES
        }
        return _below(counts, least)

    def lines(self) -> Iterator[str]:
        """Print one line per feature and input, and the rarest pairs."""
        yield (
            f"{self.cases} cases, {self.views} views, {self.epochs} results compared with the naive"
            f" evaluator, {self.compared['SQLite']} with SQLite, {self.compared['DuckDB']} with DuckDB"
        )
        kinds = "".join(f"{kind:>11}" for kind in CHANGES)
        yield f"{'feature':26}{'input':8}{'cases':>8}{kinds}   rarest with"
        for feature in FEATURES:
            for n, label in enumerate(inputs_of(feature)):
                counts = "".join(f"{self.changes[feature, label, kind]:>11}" for kind in CHANGES)
                head = "" if n else feature
                cases = "" if n else self.features[feature]
                rarest = "" if n else self._rarest_with(feature)
                yield f"{head:26}{label:8}{cases:>8}{counts}   {rarest}"
        rare = list(self.rare_pairs(1 << 60).items())
        yield f"{len(rare)} pairs of features, the rarest:"
        yield from (f"{count:>8}  {a} and {b}" for (a, b), count in rare[:10])

    def _rarest_with(self, feature: str) -> str:
        counts = {pair: self.pairs[pair] for pair in combinations(FEATURES, 2) if feature in pair}
        (a, b), count = min(counts.items(), key=lambda item: item[1])
        return f"{b if a == feature else a} ({count})"


def _changes(uses: set[Use], made: set[Change]) -> Iterator[tuple[str, str, str]]:
    for kind, collection in made:
        for use in uses:
            yield from ((use.feature, label, kind) for label in _labels(use, collection))


def _labels(use: Use, collection: str) -> list[str]:
    """Return the input that a change of a collection comes in by, if that is a single one."""
    labels = [
        label
        for label, behind in zip(inputs_of(use.feature), use.inputs, strict=True)
        if collection in behind
    ]
    return labels if len(labels) == 1 else []


def _below(counts: dict[T, int], least: int) -> dict[T, int]:
    rare = [(key, count) for key, count in counts.items() if count < least]
    return dict(sorted(rare, key=lambda item: item[1]))


def case_of(seed: int, wishes: frozenset[str] | None = None) -> Case:
    """Make the case of a seed; larger than those that Hypothesis draws."""
    return random_case(random.Random(seed), commits=16, views=6, wishes=wishes)


def aimed(tally: Tally, least: int) -> Iterator[frozenset[str]]:
    """Yield wishes for what was covered less often than that, as long as there is any.

    Chance leaves some corners of the table behind; cases with these wishes meet them on purpose. Most
    rare pairs share some rare feature: a case of six views has room for several of its partners.
    """
    while True:
        pairs = tally.rare_pairs(least)
        corners = [*pairs, *[(key[0],) for key in tally.rare_changes(least)]]
        if not corners:
            return
        partners = {
            feature: [a if b == feature else b for a, b in pairs if feature in (a, b)]
            for feature in FEATURES
        }
        for corner in corners[:AT_ONCE]:
            hub = max(corner, key=lambda feature: len(partners[feature]))
            yield frozenset((*corner, *partners[hub][:TOGETHER]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run cases and print what they cover."""
    from tests.laws.scrutiny import scrutinize  # it counts with this module

    parser = argparse.ArgumentParser(prog="python -m tests.coverage_table", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000, help="how many cases to run")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    options = parser.parse_args(arguments)
    tally = Tally()
    for seed in range(options.start, options.start + options.seeds):
        scrutinize(case_of(seed), tally, seed)
    print("\n".join(tally.lines()))  # noqa: T201 - it is what this program is for


if __name__ == "__main__":
    main()
