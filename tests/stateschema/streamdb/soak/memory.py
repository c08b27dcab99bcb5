"""What a process holds: objects by type, and what has become more between two moments of rest."""

import asyncio
import gc
import threading
from collections import Counter
from pathlib import Path

SPARE = 400  # objects of a type: caches fill, pools breathe
FACTOR = 1.25


def objects() -> Counter[str]:
    """How many objects there are by type, of those that can refer to others."""
    gc.collect()
    kinds = (type(found) for found in gc.get_objects())
    return Counter(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)


def grown(before: Counter[str], now: Counter[str]) -> dict[str, tuple[int, int]]:
    """The types with clearly more objects than before."""
    return {
        kind: (before[kind], count)
        for kind, count in now.items()
        if count > before[kind] * FACTOR + SPARE
    }


def handles() -> int:
    """How many files and sockets this process has open, 0 where the system does not tell."""
    listed = Path("/proc/self/fd")
    return len(list(listed.iterdir())) if listed.exists() else 0


def tasks() -> list[str]:
    """The other tasks of this loop."""
    return [repr(task) for task in asyncio.all_tasks() - {asyncio.current_task()}]


def threads() -> set[threading.Thread]:
    """All threads."""
    return set(threading.enumerate())
