"""Letting an event loop run until nothing is left to do."""

import asyncio


async def settle(rounds: int = 20) -> None:
    """Run what is ready in the event loop, and what that makes ready."""
    for _ in range(rounds):
        await asyncio.sleep(0)
