"""Awaiting what a function of the user returned, where nobody but ourselves would hear of the end of our task."""

from __future__ import annotations

import asyncio
from inspect import isawaitable
from typing import Any

from dataflow.errors import CollectionError


async def result_of(returned: Any) -> Any:
    """Return what a plain or an async function gives.

    Raises:
        CollectionError: if something that the function awaited has been cancelled, and not the task that runs this: to its task
            that is a failure like any other.
    """
    if not isawaitable(returned):
        return returned
    try:
        return await returned
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise CollectionError("something that was awaited has been cancelled") from error
