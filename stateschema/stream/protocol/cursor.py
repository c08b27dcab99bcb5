"""Cursors of live reads (section 10.1): they keep shared caches from serving one answer for ever.

A cursor is the number of a 20-second interval. Readers echo the last one, so all who wait in the
same interval ask for the same URL and may share an answer. A reader whose cursor is not in the past
has been served from a cache already: it gets a later one, by a random step.
"""

import random
import re
from typing import Final

INTERVAL: Final = 20.0
"""Seconds."""
ORIGIN: Final = 1_728_432_000.0
"""2024-10-09T00:00:00Z, in seconds since 1970."""
MAX_JITTER: Final = 3600.0
"""Seconds."""

_CURSOR = re.compile(r"[0-9]{1,15}")


def next_cursor(now: float, echoed: str | None = None, *, chance: random.Random) -> str:
    """Return the cursor of a live answer: always later than the echoed one.

    Args:
        now: Seconds since 1970.
        echoed: The cursor that the reader sent; one that no server minted counts as none.
        chance: Where the random step comes from.
    """
    present = int((now - ORIGIN) // INTERVAL)
    if echoed is None or not _CURSOR.fullmatch(echoed) or int(echoed) < present:
        return str(present)
    step = max(1, int(chance.uniform(1, MAX_JITTER) // INTERVAL))
    return str(int(echoed) + step)
