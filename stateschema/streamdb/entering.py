"""Entering: what awaits is entered with `async with`, what blocks with `with`, and either tells who takes the other.

Leaving    Closes. The fatal error of what was entered comes out of the block, unless the block raised itself.
"""

from collections.abc import Awaitable
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Protocol


class _Awaited(Protocol):
    @property
    def error(self) -> Exception | None: ...

    def close(self) -> Awaitable[None]: ...


class _Blocking(Protocol):
    @property
    def error(self) -> Exception | None: ...

    def close(self) -> None: ...


class Awaited:
    """What is entered with `async with`; a plain `with` is told so."""

    async def __aexit__(
        self: _Awaited,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
        if kind is None and self.error is not None:
            raise self.error

    if not TYPE_CHECKING:  # type checkers know that there is no such method

        def __enter__(self, *_: object) -> NoReturn:
            kind = type(self).__name__
            error = TypeError(f"{kind} is entered with `async with`, not with `with`")
            error.add_note(f"where no event loop is running, use Blocking{kind}")
            raise error

        __exit__ = __enter__


class Blocking:
    """What is entered with `with`; an `async with` is told so."""

    def __exit__(
        self: _Blocking,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        if kind is None and self.error is not None:
            raise self.error

    if not TYPE_CHECKING:  # type checkers know that there is no such method

        def __aenter__(self, *_: object) -> NoReturn:
            kind = type(self).__name__
            error = TypeError(f"{kind} is entered with `with`, not with `async with`")
            error.add_note(f"under an event loop, use {kind.removeprefix('Blocking')}")
            raise error

        __aexit__ = __aenter__
