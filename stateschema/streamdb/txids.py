"""Memory of transaction ids: which ones have been applied, the latest of them only.

A txid is asked for around the time it arrives: just before, or just after. Remembering all of them
would grow for as long as a stream is followed, so the oldest are forgotten.
"""

from collections.abc import Iterable, Iterator

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
        self._txids: dict[str, None] = {}

    def add(self, txids: Iterable[str]) -> None:
        """Remember txids and forget the oldest ones beyond the limit. O(1) per txid."""
        known = self._txids
        for txid in txids:
            known.pop(txid, None)
            known[txid] = None
            if len(known) > self._limit:
                del known[next(iter(known))]

    def __iter__(self) -> Iterator[str]:
        return iter(self._txids)

    def __contains__(self, txid: object) -> bool:
        return txid in self._txids
