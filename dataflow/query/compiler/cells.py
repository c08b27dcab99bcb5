"""Cells: what the generated code of a group calls where its cells hold more than ints.

A sum is two cells: of how many ints, and their sum, or a `Total` of all that contributes once that was more than ints. Extremes are
two cells: the class of the values and the values in order, in a list as long as they are a few ints or floats that Python can tell
apart; else None and `Extremes`. `accumulate` writes the lines that deal with the common forms in place.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Any

from dataflow.aggregation.distinct import Distinct
from dataflow.aggregation.extremes import LONGEST, Extremes, is_run
from dataflow.aggregation.folding import Fold
from dataflow.aggregation.median import Median
from dataflow.aggregation.moments import Moments
from dataflow.aggregation.retractable import Retractable
from dataflow.aggregation.sequence import OrderedRows
from dataflow.aggregation.sums import Total
from dataflow.query.operations.reading import shown

if TYPE_CHECKING:
    from collections.abc import Iterable


def widened(cells: list[Any], at: int) -> Total:
    """Return the `Total` of a sum that has met more than ints, made from the ints so far when it is the first time."""
    total = cells[at + 1]
    if total.__class__ is int:
        total = cells[at + 1] = Total(total, cells[at])
    return total  # type: ignore[no-any-return]  # a cell


def only_class(values: list[Any]) -> type | None:
    """Return the class of values that all have one, else None."""
    classes = set(map(type, values))
    return classes.pop() if len(classes) == 1 else None


def load_sum(cells: list[Any], at: int, values: list[Any], cls: type | None) -> None:
    """Take the values of a new group into the two cells of a sum; `cls` is the class of all if they have one."""
    if cls is int or {*map(type, values)} == {int}:
        cells[at], cells[at + 1] = len(values), sum(values)
    elif cls is float:
        widened(cells, at).load(values)
    else:
        for value in values:
            if value.__class__ is int and cells[at + 1].__class__ is int:
                cells[at] += 1
                cells[at + 1] += value
            elif value is not None:
                widened(cells, at).add(value)


def add_extreme(cells: list[Any], at: int, value: Any) -> None:
    """Add a value to the two cells of extremes, in whatever form they are."""
    held = cells[at + 1]
    if held.__class__ is list:
        cls = value.__class__
        if (cls is cells[at] or not held) and len(held) < LONGEST and _is_run([value], cls):
            cells[at] = cls
            insort(held, value)
            return
        held = Extremes()
        held.load(cells[at + 1], cells[at])
        cells[at], cells[at + 1] = None, held
    held.add(value)


def load_extremes(cells: list[Any], at: int, values: list[Any], cls: type | None) -> None:
    """Take the values of a new group into the two cells of extremes; `cls` is the class of all if they have one."""
    if len(values) <= LONGEST and _is_run(values, cls):
        cells[at], cells[at + 1] = cls, sorted(values)
    else:
        cells[at + 1] = Extremes()
        cells[at + 1].load(values, cls)


def _is_run(values: list[Any], cls: type | None) -> bool:
    """Tell whether values are numbers that a list in order can tell apart."""
    return (cls is int or cls is float) and is_run(values, cls)


def add_each(multiset: Any, values: list[Any]) -> None:
    """Take the values of a new group into an object, nulls left out."""
    for value in values:
        if value is not None:
            multiset.add(value)


def mean_of(cells: list[Any], at: int) -> Any:
    """Return the mean kept in two cells, None if nothing contributes."""
    total = cells[at + 1]
    if total.__class__ is int:
        return total / cells[at] if cells[at] else None
    return total.mean()


def minimum_of(held: Any) -> Any:
    """Return the smallest of the values kept in a cell, None if there is none."""
    return held.minimum() if held.__class__ is Extremes else None


def maximum_of(held: Any) -> Any:
    """Return the largest of the values kept in a cell, None if there is none."""
    return held.maximum() if held.__class__ is Extremes else None


def joined(values: Iterable[Any], separator: str) -> str | None:
    """Return the texts of values with a separator between them, None if none of them has a text."""
    texts = [text for value in values if (text := shown(value)) is not None]
    return separator.join(texts) if texts else None


NAMES: dict[str, Any] = {
    "Distinct": Distinct,
    "Fold": Fold,
    "LONGEST": LONGEST,
    "Median": Median,
    "Moments": Moments,
    "OrderedRows": OrderedRows,
    "Retractable": Retractable,
    "Total": Total,
    "add_each": add_each,
    "add_extreme": add_extreme,
    "bisect_left": bisect_left,
    "insort": insort,
    "joined": joined,
    "load_extremes": load_extremes,
    "load_sum": load_sum,
    "maximum_of": maximum_of,
    "mean_of": mean_of,
    "minimum_of": minimum_of,
    "only_class": only_class,
    "widened": widened,
}
