"""A user's aggregate that values can be taken out of again.

Law    result() == finish(the values held, added one by one to the initial state), provided that
       retract(add(state, value), value) == state and the order of values does not matter
State  the user's state, and the values that came and went since the last result
Cost   a change: O(1), calling no function of the user; result(): one call of `add` or `retract` for
       each of them, and one of `finish` if there were any
Edges  with nothing left the state begins anew, so that what a sloppy `retract` leaves behind ends
       there; an exception of a function passes through and spoils the state

The functions run in result() and not when a value comes, because only then it is known which group
has failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

V = TypeVar("V")

_STALE: Final = object()


class Retractable(Generic[V]):
    """The state of a user's aggregate.

    Args:
        initial: The state of no values: an immutable value, or a function without arguments that
            makes one.
        add: (state, value) -> state with the value; must not change its arguments.
        retract: (state, value) -> state without the value, which was added before.
        finish: state -> visible result; None shows the state itself.

    >>> product = Retractable[int](1, lambda p, x: p * x, lambda p, x: p // x)
    >>> for value in (2, 3, 7): product.add(value)
    >>> product.remove(3)
    >>> product.result()
    14
    """

    __slots__ = (
        "_add",
        "_changes",
        "_count",
        "_finish",
        "_initial",
        "_result",
        "_retract",
        "_state",
    )

    def __init__(
        self,
        initial: Any,  # Any: the state is the user's
        add: Callable[[Any, V], Any],
        retract: Callable[[Any, V], Any],
        finish: Callable[[Any], Any] | None = None,
    ) -> None:
        self._initial = initial
        self._add = add
        self._retract = retract
        self._finish = finish
        self._count = 0
        self._changes: list[tuple[Callable[[Any, V], Any], V]] = []
        self._state: Any = _STALE
        self._result: Any = _STALE

    def add(self, value: V) -> None:
        """Take a value in. Calls no function of the user."""
        self._count += 1
        self._changes.append((self._add, value))
        self._result = _STALE

    def remove(self, value: V) -> None:
        """Take a value out that was added. Calls no function of the user."""
        self._count -= 1
        self._changes.append((self._retract, value))
        self._result = _STALE

    def result(self) -> Any:
        """Return the finished state of all values."""
        if self._result is _STALE:
            state = self._current()
            self._result = state if self._finish is None else self._finish(state)
        return self._result

    def _current(self) -> Any:
        """Bring the state up to date with the values; return it."""
        if self._state is _STALE or not self._count:
            self._state = self._initial() if callable(self._initial) else self._initial
        if self._count:
            for change, value in self._changes:
                self._state = change(self._state, value)
        self._changes.clear()
        return self._state
