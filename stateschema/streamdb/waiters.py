"""Waiters: tasks that sleep until something they named may have happened.

A woken waiter looks again and decides for itself, so nothing has to be handed over, an exception is
raised where it is awaited, and a waiter that was cancelled leaves nothing behind.

State      One future per waiting task, found by what it waits for
Cost       A wake is O(waiters of that name)
"""

import asyncio
from collections.abc import Collection, Hashable


class Waiters:
    """Futures of waiting tasks by the name of what they wait for; of one event loop."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[Hashable, set[asyncio.Future[None]]] = {}

    async def wait(self, name: Hashable) -> None:
        """Sleep until `name` is woken."""
        future = asyncio.get_running_loop().create_future()
        same = self._waiting.setdefault(name, set())
        same.add(future)
        try:
            await future
        finally:
            same.discard(future)
            if not same:
                self._waiting.pop(name, None)

    def wake(self, name: Hashable) -> None:
        """Wake all who wait for `name`."""
        for future in self._waiting.get(name, ()):
            if not future.done():
                future.set_result(None)

    def wake_each(self, names: Collection[Hashable]) -> None:
        """Wake all who wait for one of many names. O(waiters), and little per name."""
        if len(names) == 1:
            self.wake(*names)
            return
        for name in self._waiting.keys() & names:
            self.wake(name)

    def wake_all(self) -> None:
        """Wake everybody."""
        for name in self._waiting:
            self.wake(name)

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))
