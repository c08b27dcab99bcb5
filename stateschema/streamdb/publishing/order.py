"""Order keys: the fractional indexes of a list of rows, kept while the list changes.

Law        the order keys ascend along the list, after every change
Keeping    A row keeps its order key as long as it stays between its neighbours. When the whole list is
           told anew, the longest ascending run of known ones is kept, and the rest is spread between.
Length     At most `LONGEST` digits. An order key that would be longer, because rows come again and again
           into one gap, makes room: it and as many neighbours as it takes, doubling, are spread anew
           between those that stay. Readers hear of that as of any other change of the epoch.
Cost       O(1) text per change, O(rows log rows) for a list as a whole. Making room changes 0.1 rows for
           each that comes at one end of a gap, 3 for each that comes in its middle (10,000 rows)
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from stateschema.streamdb.publishing.fractional import between, is_index, spread

LONGEST: Final = 48
"""Digits of an order key. Balanced ones have less than 10, for any list that fits into memory."""

_ROOM: Final = 24  # digits, once room has been made: for a hundred more rows at least
_REACH: Final = 8  # rows on either side, to begin with


def order_keys(known: Sequence[object]) -> list[str]:
    """Return ascending order keys for a list.

    Args:
        known: For each row the order key it had; anything else stands for none.

    >>> order_keys(["n5", "n1", None, "n2"])
    ['n0', 'n1', 'n1i', 'n2']
    """
    texts = [text if is_index(text) else None for text in known]
    kept = _longest_ascending(texts)
    found: list[str] = []
    low: str | None = None
    for place in [*kept, len(texts)]:
        high = texts[place] if place < len(texts) else None
        found += spread(place - len(found), low, high)
        if high is not None:
            found.append(high)
            low = high
    is_long = any(len(key) > LONGEST for key in found)
    return spread(len(found), None, None) if is_long else found


def put_key(keys: list[str], index: int) -> range:
    """Put an order key before what is at `index`.

    Returns:
        Whose order keys are other ones than before: `index`, and neighbours of it that made room.
    """
    keys.insert(index, between(*_around(keys, index, index)))
    if len(keys[index]) <= LONGEST:
        return range(index, index + 1)
    reach = _REACH
    while True:
        start, stop = max(0, index - reach), min(len(keys), index + reach + 1)
        new = spread(stop - start, *_around(keys, start, stop))
        if stop - start == len(keys) or max(map(len, new)) <= _ROOM:
            keys[start:stop] = new
            return range(start, stop)
        reach *= 2


def _around(keys: Sequence[str], start: int, stop: int) -> tuple[str | None, str | None]:
    """Return the order keys before and behind a part of a list; None is an open end."""
    return keys[start - 1] if start else None, keys[stop] if stop < len(keys) else None


def _longest_ascending(texts: Sequence[str | None]) -> list[int]:
    """Return the places of a longest ascending run, by patience sorting."""
    tops: list[str] = []  # the least text that ends a run of each length
    ends: list[int] = []  # where it stands
    before: list[int] = [-1] * len(texts)
    for place, text in enumerate(texts):
        if text is None:
            continue
        length = bisect_left(tops, text)
        before[place] = ends[length - 1] if length else -1
        tops[length : length + 1] = [text]
        ends[length : length + 1] = [place]
    run: list[int] = []
    place = ends[-1] if ends else -1
    while place >= 0:
        run.append(place)
        place = before[place]
    return run[::-1]
