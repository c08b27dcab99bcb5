"""Retries: how long to wait before the next attempt.

    delay after attempt n = min(limit, first * factor ** (n - 1)), shortened at random by up to `jitter` of itself

The random part keeps clients that failed together from coming back together.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When to try again.

    Attributes:
        first: seconds after the first attempt.
        factor: how much longer each further wait is.
        limit: seconds at most.
        jitter: the random share of a wait, 0 to 1.
        attempts: how many at most, or None for no end.
        chance: answers a number from 0 to 1; `random.random` unless a test says otherwise.

    >>> retry = Retry(first=1.0, limit=5.0, jitter=0.5, chance=lambda: 1.0)
    >>> [retry.delay(attempt) for attempt in (1, 2, 3, 4)]
    [0.5, 1.0, 2.0, 2.5]
    """

    first: float = 1.0
    factor: float = 2.0
    limit: float = 60.0
    jitter: float = 0.5
    attempts: int | None = None
    chance: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        if self.first < 0 or self.factor < 1 or not 0 <= self.jitter <= 1:
            raise ValueError("a retry needs first >= 0, factor >= 1 and jitter from 0 to 1")

    def delay(self, attempt: int) -> float:
        """Return how many seconds to wait after an attempt, the first of which is 1."""
        wait = self.first
        for _ in range(attempt - 1):
            if wait >= self.limit:
                break
            wait *= self.factor
        return min(self.limit, wait) * (1 - self.jitter * self.chance())

    def gives_up(self, attempt: int) -> bool:
        """Tell whether there is no attempt after this one."""
        return self.attempts is not None and attempt >= self.attempts
