"""Turns: what event streams share, so that an append is read and framed once for all who wait for it."""

from dataclasses import dataclass
from typing import Final

MAX_SHARED: Final = 65536
"""Bytes of the largest turn that is kept for the next reader; one is kept per stream that is read."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What readers that are at the same place get next.

    Attributes:
        origin: What it was made from: the wakes of the stream's signal, the position, the cursor.
        events: A data event if there is data, and a control event.
        end: The position after it.
        has_news: Whether there is more than a control event that repeats the last one.
        up_to_date: Whether nothing follows, for now.
        is_final: Whether nothing ever follows.
    """

    origin: tuple[int, int, str]
    events: bytes
    end: int
    has_news: bool
    up_to_date: bool
    is_final: bool
