"""Functions of users and the event loops they need.

What is no function is refused where it is given, not when it would be called, and so is a generator function, which would not run
when it is called. Async functions need a loop, which is asked before anything is shown; and a loop that has been closed wakes nobody.
"""

from __future__ import annotations

from inspect import isasyncgen, isgenerator
from typing import TYPE_CHECKING, Any

from dataflow.callables import is_async, is_generator
from dataflow.errors import CollectionError

if TYPE_CHECKING:
    from asyncio import Future, Task
    from collections.abc import Callable, Coroutine

_running: set[Task[None]] = set()  # a loop holds its tasks weakly


def require_callable(function: object, what: str) -> None:
    """Raise if something that will be called cannot be, or would not run when it is."""
    if not callable(function):
        raise CollectionError(f"{what} is a function, not {function!r}")
    if is_generator(function):
        raise _runs_nothing(f"{what} is a generator function: {function!r}")


def require_plain(function: object, what: str) -> None:
    """Raise if something cannot be called, or is async where its work has to be done when it returns."""
    require_callable(function, what)
    if is_async(function):
        error = CollectionError(f"{what} is async: {function!r}")
        error.add_note("what it does is shown when it returns: make it a plain function")
        raise error


def require_run(returned: object, what: str) -> None:
    """Raise if a function that was called has not run, but returned a generator."""
    if isgenerator(returned) or isasyncgen(returned):
        raise _runs_nothing(f"{what} returned a generator: {returned!r}")


def _runs_nothing(text: str) -> CollectionError:
    error = CollectionError(text)
    error.add_note("calling it runs nothing: await or return where it has a yield")
    return error


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


def start(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine as a task of the running loop, until it is done."""
    import asyncio

    task = asyncio.get_running_loop().create_task(coroutine)
    _running.add(task)
    task.add_done_callback(_running.discard)


def wake(future: Future[None]) -> None:
    """Let the coroutine that awaits a future go on; nobody does any more if its loop was closed, perhaps without cancelling it."""
    if not future.done() and not future.get_loop().is_closed():
        future.set_result(None)
