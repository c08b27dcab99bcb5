"""A partition: the rows over which window functions are computed, and the edit of one epoch.

`edit` takes old rows out and new rows in, computes again what that may have changed, and answers the
rows whose values are others than before. A row comes with no values, so it is always among them.

structure    rows                          an edit costs
Sequence     in order, in sorted blocks    the rows from the lowest place touched to the end; with
                                           `lag` and `lead` alone, as many rows around each place
                                           touched as they look over
Unordered    a dict                        the rows touched; all, if the common value is another
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from dataflow.aggregation.blocks import SortedBlocks
from dataflow.aggregation.positions import Member, PositionFunction, Stretch, Whole
from dataflow.values.equality import equal

if TYPE_CHECKING:
    from collections.abc import Sequence as Several


class Sequence:
    """The rows of a partition in order, and functions of their positions.

    Attributes:
        walked: How many rows edits have looked at.
    """

    __slots__ = ("_ahead", "_behind", "_functions", "_members", "_reaches_end", "walked")

    def __init__(self, functions: Several[PositionFunction]) -> None:
        self._functions = functions
        self._members: SortedBlocks[tuple[Any, Any], Member] = SortedBlocks()
        self._behind = max(function.behind for function in functions)
        self._ahead = max(function.ahead for function in functions)
        self._reaches_end = any(function.reaches_end for function in functions)
        self.walked: int = 0

    def __len__(self) -> int:
        return len(self._members)

    def replace(self, member: Member) -> None:
        """Put a row in the place of one with the same place and arguments."""
        self._members.put(member.place, member)

    def edit(self, gone: Several[Member], come: Several[Member]) -> list[Member]:
        """Take rows out and in; return those whose values are new."""
        members = self._members
        places = sorted(member.place for member in (*gone, *come))
        lowest = members.position(places[0])  # the same before and after: all changes are above
        start = max(0, lowest - self._ahead)
        for function in self._functions:
            function.rewind(members.starting_at(start))
        for member in gone:
            members.discard(member.place)
        for member in sorted(come, key=lambda member: member.place):
            members.put(member.place, member)
        if self._reaches_end:
            return self._computed(start, len(members))
        return [
            member
            for first, last in self._around([members.position(place) for place in places])
            for member in self._computed(first, last)
        ]

    def _around(self, positions: list[int]) -> list[tuple[int, int]]:
        """Return the stretches of rows that look at ascending positions; no two of them meet."""
        stretches: list[tuple[int, int]] = []
        for position in positions:
            start = max(0, position - self._ahead)
            stop = min(len(self._members), position + 1 + self._behind)
            if stretches and start <= stretches[-1][1]:
                start = stretches.pop()[0]
            stretches.append((start, stop))
        return stretches

    def _computed(self, start: int, stop: int) -> list[Member]:
        """Compute the rows from one position to another; return those whose values are new."""
        base = max(0, start - self._behind)
        seen = list(islice(self._members.starting_at(base), max(0, stop + self._ahead - base)))
        stretch = Stretch(seen, start - base, stop - base, start)
        self.walked += stop - start
        columns = [function.column(stretch) for function in self._functions]
        return _renewed(stretch.rows(), list(zip(*columns, strict=True)))


class Unordered:
    """The rows of a partition without order, and aggregates of all of them.

    Attributes:
        walked: How many rows edits have looked at.
    """

    __slots__ = ("_functions", "_members", "_values", "walked")

    def __init__(self, functions: Several[Whole]) -> None:
        self._functions = functions
        self._members: dict[Any, Member] = {}
        self._values: tuple[Any, ...] | None = None
        self.walked: int = 0

    def __len__(self) -> int:
        return len(self._members)

    def replace(self, member: Member) -> None:
        """Put a row in the place of one with the same key and arguments."""
        self._members[member.key] = member

    def edit(self, gone: Several[Member], come: Several[Member]) -> list[Member]:
        """Take rows out and in; return those whose values are new."""
        for member in gone:
            del self._members[member.key]
        for member in come:
            self._members[member.key] = member
        before = self._values
        values = tuple([function.change(gone, come) for function in self._functions])
        self._values = values
        is_same = before is not None and equal(before, values)
        touched = list(come) if is_same else list(self._members.values())
        self.walked += len(touched)
        return _renewed(touched, [values] * len(touched))


def _renewed(members: Several[Member], values: list[tuple[Any, ...]]) -> list[Member]:
    """Give rows their values; return the rows that had others."""
    renewed = []
    for member, found in zip(members, values, strict=True):
        if member.values is None or not equal(member.values, found):
            member.values = found
            renewed.append(member)
    return renewed
