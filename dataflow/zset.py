"""Z-sets: rows with signed weights, the currency of changes.

Law   (ZSet, +) is a commutative group: associative, commutative, empty as zero, -z as inverse
Law   no weight is ever zero: a Z-set is always consolidated
State one dict, normal form of the row -> (row, weight);  O(rows)
Cost  add O(1), + and - O(size of the right side) beyond a copy of the left
Edges equal rows (by `values.equality`) are one row, shown as the first of them that was added;
      rows need not be hashable

A relation is a Z-set of positive weights; a delta is one of any weights. Applying a delta is +.

Source  Budiu et al., DBSP: Automatic Incremental View Maintenance, VLDB 2023
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from dataflow.errors import InvariantError
from dataflow.values.normal import normal

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ZSetStatistics:
    """A snapshot of the size of a Z-set.

    Attributes:
        rows: Number of different rows.
        total_weight: Sum of all weights; negative weights count as negative.
    """

    rows: int
    total_weight: int


class ZSet(Generic[R]):
    """A map from rows to nonzero int weights, consolidated after every operation.

    >>> fruit = ZSet.from_rows(["apple", "pear", "apple"])
    >>> fruit - ZSet.from_rows(["pear", "plum"])
    ZSet({'apple': 2, 'plum': -1})

    Args:
        weighted: (row, weight) pairs; the weights of equal rows are summed.
    """

    __slots__ = ("_entries",)
    __hash__: ClassVar[None]  # type: ignore[assignment]  # it is mutable

    def __init__(self, weighted: Iterable[tuple[R, int]] = ()) -> None:
        self._entries: dict[Hashable, tuple[R, int]] = {}
        for row, weight in weighted:
            self.add(row, weight)

    @classmethod
    def from_rows(cls, rows: Iterable[R]) -> ZSet[R]:
        """Return the Z-set in which each row weighs as often as it occurs."""
        return cls((row, 1) for row in rows)

    def add(self, row: R, weight: int = 1) -> None:
        """Add `weight` to the weight of `row`, in place.

        Complexity: O(1), once the row's normal form is known.
        """
        self._add(normal(row), row, weight)

    def weight(self, row: R) -> int:
        """Return the weight of `row`, 0 if it is not in the Z-set."""
        entry = self._entries.get(normal(row))
        return 0 if entry is None else entry[1]

    def items(self) -> Iterator[tuple[R, int]]:
        """Iterate over (row, weight) pairs, in the order in which the rows were first added."""
        return iter(self._entries.values())

    def distinct(self) -> ZSet[R]:
        """Return the set of the rows of positive weight, each with weight 1."""
        return self._from_entries(
            {form: (row, 1) for form, (row, weight) in self._entries.items() if weight > 0}
        )

    def copy(self) -> ZSet[R]:
        """Return a Z-set with the same rows and weights; the rows are shared."""
        return self._from_entries(self._entries.copy())

    def statistics(self) -> ZSetStatistics:
        """Return a snapshot of the size.

        Complexity: O(rows).
        """
        total = sum(weight for _, weight in self._entries.values())
        return ZSetStatistics(rows=len(self._entries), total_weight=total)

    def __add__(self, other: ZSet[R]) -> ZSet[R]:
        result = self.copy()
        for form, (row, weight) in other._entries.items():
            result._add(form, row, weight)
        return result

    def __sub__(self, other: ZSet[R]) -> ZSet[R]:
        result = self.copy()
        for form, (row, weight) in other._entries.items():
            result._add(form, row, -weight)
        return result

    def __neg__(self) -> ZSet[R]:
        return self._from_entries(
            {form: (row, -weight) for form, (row, weight) in self._entries.items()}
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ZSet):
            return NotImplemented
        return self._weights() == other._weights()

    def __len__(self) -> int:
        """Return the number of different rows, whatever their weights."""
        return len(self._entries)

    def __contains__(self, row: object) -> bool:
        return normal(row) in self._entries

    def __repr__(self) -> str:
        pairs = ", ".join(f"{row!r}: {weight}" for row, weight in self.items())
        return f"ZSet({{{pairs}}})"

    def _add(self, form: Hashable, row: R, weight: int) -> None:
        entry = self._entries.get(form)
        if entry is not None:
            row, weight = entry[0], entry[1] + weight
        if weight:
            self._entries[form] = (row, weight)
        elif entry is not None:
            del self._entries[form]

    def _weights(self) -> dict[Hashable, int]:
        return {form: weight for form, (_, weight) in self._entries.items()}

    @staticmethod
    def _from_entries(entries: dict[Hashable, tuple[R, int]]) -> ZSet[R]:
        result: ZSet[R] = ZSet()
        result._entries = entries
        return result

    def _check(self) -> None:
        """Raise an InvariantError if a weight is zero or a row is filed under a wrong key."""
        for form, (row, weight) in self._entries.items():
            if weight == 0:
                raise InvariantError(f"row {row!r} has weight zero", operator="ZSet", law=1)
            if (normal(row),) != (form,):  # in a tuple NaN equals itself
                raise InvariantError(f"row {row!r} was mutated since it was added", operator="ZSet")
