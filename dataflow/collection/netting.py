"""Netting: the changes of several epochs as one.

Law    applying what `take` returns is applying every delta added since the last time
State  one entry per key that differs from what was last taken; a key that is as it was takes no room, so a reader who never
       comes back holds at most the rows there were plus the rows there are
Cost   O(delta) to add; `take` compares each row that changed once
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.values.equality import equal

if TYPE_CHECKING:
    from dataflow.circuit.node import Delta


class Net:
    """Changes that wait to be taken, one per key."""

    __slots__ = ("_changes",)

    def __init__(self) -> None:
        self._changes: dict[Any, tuple[Any, Any]] = {}

    def __len__(self) -> int:
        return len(self._changes)

    def add(self, delta: Delta) -> None:
        """Add the delta of an epoch."""
        changes = self._changes
        for key, old, new in delta:
            earlier = changes.get(key)
            first = old if earlier is None else earlier[0]
            if first is new:  # None too: it came and went
                changes.pop(key, None)
            else:
                changes[key] = (first, new)

    def take(self) -> Delta:
        """Return the net delta, and begin anew."""
        changes, self._changes = self._changes, {}
        return [
            (key, old, new)
            for key, (old, new) in changes.items()
            if old is None or new is None or not equal(old, new)
        ]
