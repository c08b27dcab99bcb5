"""What the tests of streams share: short events, and ways to look at batches."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from stateschema.events import Event, parse_event
from stateschema.stream.batch import Batch


def event(key: object) -> Event:
    return parse_event(
        {"type": "n", "key": str(key), "value": key, "headers": {"operation": "insert"}}
    )


def numbers(batch: Batch) -> list[Any]:
    return [message["value"] for message in batch.messages]


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run, for a bounded number of turns, until something holds."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("the condition never held")


async def take(batches: AsyncGenerator[Batch, None], count: int) -> list[list[Any]]:
    return [numbers(await anext(batches)) for _ in range(count)]
