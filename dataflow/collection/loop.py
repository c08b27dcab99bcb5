"""Functions of users and the event loops they need.

What is no function is refused where it is given, not when it would be called. Async functions need a loop, which is asked before
anything is shown; and a loop that has been closed wakes nobody.
"""

from __future__ import annotations

from inspect import iscoroutinefunction
from types import FunctionType
from typing import TYPE_CHECKING, Any

from dataflow.errors import CollectionError

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable


def is_async(function: Callable[..., Any]) -> bool:
    """Tell whether calling a function gives a coroutine."""
    if isinstance(function, FunctionType):
        return iscoroutinefunction(function)
    call = getattr(function, "__call__", None)  # noqa: B004 - of an object, which may be async
    return iscoroutinefunction(function) or iscoroutinefunction(call)


def require_callable(function: object, what: str) -> None:
    """Raise if something that will be called cannot be."""
    if not callable(function):
        raise CollectionError(f"{what} is a function, not {function!r}")


def require_loop(function: Callable[..., Any], what: str) -> None:
    """Raise if a function is async and no event loop is running that could run it."""
    if is_async(function) and not is_loop_running():
        raise needs_loop(what)


def is_loop_running() -> bool:
    """Tell whether an asyncio event loop is running in this thread."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def needs_loop(what: str) -> CollectionError:
    """Return the error about an async function that nobody can run."""
    error = CollectionError(f"{what} is async, and no event loop is running")
    error.add_note("call it from a coroutine, or make it a plain function")
    return error


def wake(future: Future[None]) -> None:
    """Let the coroutine that awaits a future go on; nobody does any more if its loop was closed, perhaps without cancelling it."""
    if not future.done() and not future.get_loop().is_closed():
        future.set_result(None)
