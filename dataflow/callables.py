"""What calling a function of the user gives: its result, a coroutine, or a generator.

Whoever calls a function and looks at nothing but its result would take a coroutine or a generator for one, and nothing would have
run. The code that is entered tells, whether it belongs to a function, a method, a `partial` of one, or an object that can be called.

Cost  below a microsecond: a transaction asks for each mutation
"""

from __future__ import annotations

import functools
import inspect
from typing import Any


def is_async(function: Any) -> bool:
    """Tell whether calling a function gives a coroutine or an async generator.

    >>> async def later() -> None: ...
    >>> is_async(later), is_async(functools.partial(later)), is_async(print)
    (True, True, False)
    """
    return bool(_flags(function) & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR))


def is_generator(function: Any) -> bool:
    """Tell whether calling a function gives a generator, async or not, and so runs nothing.

    >>> def count():
    ...     yield 1
    >>> is_generator(count), is_generator(print)
    (True, False)
    """
    flags = _flags(function)
    gives_one = flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR)
    return bool(gives_one) and not flags & inspect.CO_ITERABLE_COROUTINE


def _flags(function: Any) -> int:
    """Return the flags of the code that a call enters; 0 if that is not written in Python."""
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(function, "__code__", None)
    if code is None:
        code = getattr(getattr(type(function), "__call__", None), "__code__", None)  # noqa: B004 - the method itself is wanted
    flags: int = getattr(code, "co_flags", 0)
    return flags
