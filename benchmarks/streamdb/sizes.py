"""How much is done: in full, or quickly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The size of a run.

    Attributes:
        rounds: How often everything is measured.
        warmups: How many rounds come before those.
        events: In the base stream at the start.
        changes: Sent one after the other, in each round.
        readers: Of a published view at a time.
        burst: Changes sent at once to all readers, in each round.
    """

    rounds: int
    warmups: int
    events: int
    changes: int
    readers: int
    burst: int

    def turns(self) -> Iterator[bool]:
        """Yield once per round, whether it counts."""
        yield from [False] * self.warmups
        yield from [True] * self.rounds


FULL = Size(rounds=5, warmups=1, events=20_000, changes=200, readers=1000, burst=20)
QUICK = Size(rounds=1, warmups=0, events=300, changes=5, readers=20, burst=5)
