"""Optimistic mutations beside pending ones: `python -m benchmarks.mutations`.

A mutation should cost what it changes, whatever else is pending. Measured is one optimistic update of a row, with a live query
over all rows, while other transactions are pending: on other rows, or all on the very row that is changed. Segments with and
without them alternate, so that both meet the same weather; the ratio is that of the medians.

Two more lines: a commit by sync beneath the overlay, and one into a collection without any.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from statistics import median
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from dataflow import Collection, Transaction, live, query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Where: TypeAlias = Literal["other rows", "the same row"]
What: TypeAlias = Literal["mutation", "sync"]

FIRST = 50_000
"""The row that is changed; pending changes of other rows are below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of the report.

    Attributes:
        what: what was timed.
        where: on which rows other transactions are pending.
        rows: in the collection.
        pending: other transactions.
        alone: microseconds without them, the median.
        beside: microseconds with them.
    """

    what: What
    where: Where
    rows: int
    pending: int
    alone: float
    beside: float

    @property
    def ratio(self) -> float:
        """With pending ones, as a multiple of without."""
        return self.beside / self.alone


def measure(
    what: What, where: Where, *, rows: int, pending: int, segments: int = 7, count: int = 300
) -> Result:
    """Time a step among pending transactions and without any.

    Args:
        what: the step.
        where: on which rows the others are pending.
        rows: how many there are.
        pending: how many transactions.
        segments: of each kind.
        count: steps per segment.
    """
    step = _mutate if what == "mutation" else _sync
    sides = [_table(rows), _table(rows)]
    for number in range(pending):
        _update(sides[1], FIRST % rows if where == "the same row" else number, number)
    times: list[list[float]] = [[], []]
    for segment in range(segments + 1):
        for side in (0, 1):
            spent = list(_timed(step, sides[side], FIRST % rows, count))
            if segment:  # the first one warms up
                times[side].append(median(spent))
    alone, beside = map(median, times)
    return Result(what=what, where=where, rows=rows, pending=pending, alone=alone, beside=beside)


def _table(rows: int) -> Collection[dict[str, Any]]:
    made = Collection("rows", key="id")
    with made.sync() as write:
        for number in range(rows):
            write.insert({"id": number, "n": 0, "m": 0, "text": "x"})
    row = made.alias("row")
    watched = live(query(row).where(row.n >= 0))
    watched.subscribe(_ignore)  # which keeps it alive
    return made


def _ignore(changes: object) -> None:
    """Take in changes."""


def _timed(
    step: Callable[[Collection[dict[str, Any]], int, int], Transaction | None],
    table: Collection[dict[str, Any]],
    key: int,
    count: int,
) -> Iterator[float]:
    made = []
    for number in range(count):
        start = perf_counter_ns()
        made.append(step(table, key, number))
        yield (perf_counter_ns() - start) / 1_000
    for transaction in reversed(made):
        if transaction is not None:
            transaction.commit()  # which drops it again


def _update(table: Collection[dict[str, Any]], key: int, number: int) -> Transaction:
    made = Transaction(mutation_fn=_nothing)
    with made:
        table.update(key, m=number)
    return made


def _mutate(table: Collection[dict[str, Any]], key: int, number: int) -> Transaction:
    made = Transaction(mutation_fn=_nothing)
    with made:
        table.update(key, n=number)
    return made


def _sync(table: Collection[dict[str, Any]], key: int, number: int) -> None:
    with table.sync() as write:
        write.update({"id": key + 1, "n": number, "m": 0, "text": "y"})


def _nothing(transaction: Transaction) -> None:
    """Persist nothing."""


def markdown(results: list[Result]) -> str:
    """Return the report."""
    lines = [
        "| what     |    rows | pending | on           | alone (us) | beside (us) | ratio |",
        "| -------- | ------: | ------: | ------------ | ---------: | ----------: | ----: |",
    ]
    lines += [
        f"| {r.what:<8} | {r.rows:>7,} | {r.pending:>7,} | {r.where:<12} | {r.alone:>10.2f} |"
        f" {r.beside:>11.2f} | {r.ratio:>5.2f} |"
        for r in results
    ]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mutations",
        description="Measure optimistic mutations beside pending ones.",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes and few segments")
    options = parser.parse_args(arguments)
    sizes = [(1_000, 100)] if options.quick else [(1_000, 1_000), (100_000, 1_000)]
    cases: list[tuple[What, Where]] = [
        ("mutation", "other rows"),
        ("mutation", "the same row"),
        ("sync", "other rows"),
    ]
    segments = 3 if options.quick else 7
    results = [
        measure(what, where, rows=rows, pending=pending, segments=segments)
        for rows, pending in sizes
        for what, where in cases
    ]
    print(markdown(results))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
