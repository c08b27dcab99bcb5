"""Splices: how a list becomes the next one, step by step.

Law    applying the splices of an epoch to the list before it, strictly in sequence, gives the list after it
Order  removals from the back to the front, moves, insertions from the front to the back, replacements: so each index is right
       at the time it is used
Cost   O(k log k) for k rows that come, go or move; the length of the list does not matter
Edges  a row that moves and changes is moved, then replaced; a moved row may be told of by moving others past it

    Remove(index)  Insert(index, key, row)  Move(index, to, key)  Replace(index, row)  Reset(rows, keys)
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, assert_never

if TYPE_CHECKING:
    from collections.abc import Iterable

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Remove:
    """The row at `index` goes."""

    index: int


@dataclass(frozen=True, slots=True)
class Insert(Generic[R]):
    """A row comes in before what is at `index`."""

    index: int
    key: Any
    row: R


@dataclass(frozen=True, slots=True)
class Move:
    """The row at `index` is taken out and put in again, so that it stands at `to`."""

    index: int
    to: int
    key: Any


@dataclass(frozen=True, slots=True)
class Replace(Generic[R]):
    """The row at `index` has changed."""

    index: int
    row: R


@dataclass(frozen=True, slots=True)
class Reset(Generic[R]):
    """The list is another one: `rows`, and their keys in the same order."""

    rows: tuple[R, ...]
    keys: tuple[Any, ...]


Splice: TypeAlias = Remove | Insert[R] | Move | Replace[R] | Reset[R]
"""One step from a list to the next; taken apart by `match`."""


def apply_splices(rows: list[R], splices: Iterable[Splice[R]]) -> None:
    """Apply splices to a list in place, as a user interface would.

    >>> rows = ["a", "b", "c"]
    >>> apply_splices(rows, [Remove(0), Move(1, 0, "key of c"), Insert(2, "key of d", "d")])
    >>> rows
    ['c', 'b', 'd']
    """
    for splice in splices:
        match splice:
            case Remove(index):
                del rows[index]
            case Insert(index, _, row):
                rows.insert(index, row)
            case Move(index, to, _):
                rows.insert(to, rows.pop(index))
            case Replace(index, row):
                rows[index] = row
            case Reset(new):
                rows[:] = new
            case _:
                assert_never(splice)


def splice_list(
    removed: list[int],
    moved: list[tuple[int, int, Any]],
    inserted: list[tuple[int, Any, R]],
    replaced: list[tuple[int, R]],
) -> list[Splice[R]]:
    """Return the splices between two lists.

    Args:
        removed: positions, in the old list, of rows that are not in the new one.
        moved: (old position, new position, key) of rows that may have moved. All others keep their order among each other.
        inserted: (new position, key, row) of rows that were not in the old list.
        replaced: (new position, row) of rows that changed.
    """
    removed.sort()
    inserted.sort(key=_position)
    splices: list[Splice[R]] = [Remove(index) for index in reversed(removed)]
    splices += _moves(removed, moved, [index for index, _, _ in inserted])
    splices += [Insert(index, key, row) for index, key, row in inserted]
    splices += [Replace(index, row) for index, row in replaced]
    return splices


def _moves(
    removed: list[int], moved: list[tuple[int, int, Any]], inserted: list[int]
) -> list[Move]:
    """Return the moves, for a list without the removed rows and not yet with the inserted ones.

    A place is a gap between rows that stay, and a rank among the movable rows in it: those that have been placed, then those
    that wait. The index of a row is its gap, which counts rows that stay, plus the movable rows in front of it.
    """
    if len(moved) == 1:  # as usual: its place is its index
        [(before, position, key)] = moved
        index = before - bisect_left(removed, before)
        to = position - bisect_left(inserted, position)
        return [Move(index, to, key)] if index != to else []
    old = sorted(position for position, _, _ in moved)
    new = sorted(position for _, position, _ in moved)
    places = []  # of all movable rows, in the order of the list
    for rank, position in enumerate(old):
        places.append((position - bisect_left(removed, position) - rank, 1, rank))
    waiting = {position: places[rank] for rank, position in enumerate(old)}
    moves = []
    for before, position, key in sorted(moved, key=lambda each: each[1]):
        place = waiting[before]
        index = bisect_left(places, place)
        del places[index]
        rank = bisect_left(new, position)
        target = (position - bisect_left(inserted, position) - rank, 0, rank)
        to = bisect_left(places, target)
        insort(places, target)
        if place[0] + index != target[0] + to:
            moves.append(Move(place[0] + index, target[0] + to, key))
    return moves


def _position(entry: tuple[int, Any, Any]) -> int:
    return entry[0]
