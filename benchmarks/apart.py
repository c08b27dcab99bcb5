"""Apart: something in a process of its own, so that its heap is its own.

Who shares a heap pays for the rows of the others: the garbage collector walks over them each time one's own changes set it off.
In an application a view has no rivals in its heap, so the peers have none here. Arguments go there by `marshal`, which
keeps the names of fields interned, as they are in one process, and makes fresh objects of everything else, as decoding
does. Answers come back by pickle. Who measures keeps the clock there, so that the way does not count.
"""

from __future__ import annotations

import marshal
import traceback
from contextlib import closing
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final

from benchmarks.peers.peer import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

_CONTEXT: Final = get_context("forkserver")  # whose children inherit no rows either
_CONTEXT.set_forkserver_preload(["benchmarks.peers.views", "benchmarks.chat", "benchmarks.fan"])


class Apart:
    """Something in a process of its own, made there, whose methods are called there.

    Args:
        make: makes it; importable, and so are the arguments.
        given: its arguments.

    Raises:
        Unavailable: as it was raised there.
    """

    def __init__(self, make: Callable[..., object], *given: object) -> None:
        self._end, far = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(far, make, given), daemon=True)
        self._process.start()
        far.close()
        try:
            self._receive()
        except BaseException:
            self.close()
            raise

    def ask(self, method: str, *given: Any, **named: Any) -> Any:
        """Call a method with what `marshal` can carry; return what it returns.

        Raises:
            RuntimeError: it failed, or the process has ended.
        """
        self._end.send_bytes(marshal.dumps((method, given, named)))
        return self._receive()

    def _receive(self) -> Any:
        try:
            outcome, value = self._end.recv()
        except EOFError:
            self._process.join()
            raise RuntimeError(f"a process ended with status {self._process.exitcode}") from None
        match outcome:
            case "done":
                return value
            case "unavailable":
                raise Unavailable(value)
            case _:
                raise RuntimeError(f"a process failed: {value}")

    def close(self) -> None:
        """End the process; closing again does nothing."""
        self._end.close()
        self._process.join()


def _serve(end: Connection, make: Callable[..., object], given: tuple[Any, ...]) -> None:
    """Make something, then call its methods as asked until nobody asks any more."""
    with closing(end):
        made: list[object] = []
        end.send(_tried(lambda: made.append(make(*given))))
        while made:
            try:
                asked = end.recv_bytes()
            except EOFError:
                return
            end.send(_tried(lambda: _called(made[0], asked)))  # noqa: B023 - called at once


def _called(made: object, asked: bytes) -> Any:
    method, given, named = marshal.loads(asked)
    return getattr(made, method)(*given, **named)


def _tried(work: Callable[[], Any]) -> tuple[str, Any]:
    try:
        return "done", work()
    except Unavailable as reason:
        return "unavailable", str(reason)
    except Exception:  # noqa: BLE001 - told to whoever asked
        return "failed", traceback.format_exc()
