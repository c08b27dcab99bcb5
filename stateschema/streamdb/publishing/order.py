"""Order keys: the fractional indexes of a list of rows, kept while the list changes.

Law        the order keys ascend along the list, after every change
Keeping    A row keeps its order key as long as it stays between its neighbours. When the whole list is
           told anew, the longest ascending run of known ones is kept, and the rest is spread between.
Cost       O(1) text per change, O(rows log rows) for a list as a whole
"""

from bisect import bisect_left
from collections.abc import Sequence

from stateschema.streamdb.publishing.fractional import between, is_index, spread


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
    return found


def key_at(keys: Sequence[str], index: int) -> str:
    """Return an order key for a row that is put before what is at `index`."""
    low = keys[index - 1] if index else None
    return between(low, keys[index] if index < len(keys) else None)


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
