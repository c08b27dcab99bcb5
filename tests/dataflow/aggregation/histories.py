"""Histories of values that come and go, for the states of aggregates."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -0.0, 1, 1.0, 2, 3, -7, 2.5, 0.1, 1e300, -1e300, 5e-324, 2**70),
    *(math.nan, math.inf, -math.inf, "a", "1", b"a", [1], [1.0], {"a": 1}, {"a": 1.0, "b": None}),
    *(NOON, NOON.astimezone(timezone(timedelta(hours=1)))),
)

histories = st.lists(st.tuples(st.sampled_from(VALUES), st.floats(0, 1)), max_size=40)
"""Lists of a value that comes, and which share of those held, if any, goes after it."""


def follow(history: list[tuple[Any, float]], state: Any, look: Callable[[list[Any]], None]) -> None:
    """Let values come and go; `look` gets those held after every change."""
    held: list[Any] = []
    for value, share in history:
        state.add(value)
        held.append(value)
        look(held)
        if share > 0.5:
            state.remove(held.pop(int((share - 0.5) * 2 * (len(held) - 1))))
            look(held)
    while held:
        state.remove(held.pop(len(held) // 2))
        look(held)
