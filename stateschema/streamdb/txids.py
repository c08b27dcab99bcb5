"""Memory of transaction ids: which ones have been applied, the latest of them only.

A txid is asked for around the time it arrives: just before, or just after. Remembering all of them
would grow for as long as a stream is followed, so the oldest are forgotten.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import islice

REMEMBERED = 10_000  # txids; about 1 MB of 32-letter ids


class RecentTxids:
    """The latest distinct txids, in the order they were last seen.

    >>> recent = RecentTxids(limit=2)
    >>> recent.add(["a", "b", "a", "c"])
    >>> "a" in recent, "b" in recent, "c" in recent
    (True, False, True)
    """

    __slots__ = ("_limit", "_txids")

    def __init__(self, *, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._txids: OrderedDict[str, None] = OrderedDict()

    def add(self, txids: Sequence[str]) -> None:
        """Remember txids and forget the oldest ones beyond the limit. O(1) per txid."""
        limit, known = self._limit, self._txids
        if len(txids) > limit:  # of a long history: most would be forgotten at once
            newest_first = dict.fromkeys(reversed(txids))
            txids = list(islice(newest_first, limit))[::-1]
        for txid in txids:
            known[txid] = None
            known.move_to_end(txid)
        while len(known) > limit:
            known.popitem(last=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self._txids)

    def __contains__(self, txid: object) -> bool:
        return txid in self._txids
