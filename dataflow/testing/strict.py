"""Strict mode: rows are shared and must not be changed; find out who does.

While it is on, every row that is handed to a function of a query or to a subscriber is fingerprinted before the call and
looked at again after it; so is the state that a `fold` step gets. Rows given to a collection are fingerprinted when they
enter and looked at again at every later epoch, and at the end.

Cost    off: nothing but one test per epoch. On: O(rows in the collections written to) per epoch
Edges   the list that `collect` makes belongs to the function that gets it: sorting or popping it is fine. Sees what the
        engine's equality sees, hence not inside objects of classes it knows nothing about
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

from dataflow.circuit.graph import current_graph
from dataflow.errors import InvariantError
from dataflow.values.normal import expose
from dataflow.values.row import adapter_for_row

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from dataflow.circuit.node import Node
    from dataflow.collection.changes import Change


@contextmanager
def strict() -> Generator[None]:
    """Raise when somebody changes a row: around the code under test, or as a decorator of a test.

    Only live queries and subscriptions made inside are watched. A function that changes a row puts its query in status
    "error" at once; the error is raised at the end of the `with` in any case, naming the function or subscriber.

    Raises:
        InvariantError: a function, a subscriber or whoever gave a row to a collection has changed it.
    """
    graph = current_graph()
    if graph.observer is not None:  # strict already
        yield
        return
    watch = graph.observer = _Watch()
    try:
        yield
    except Exception as error:
        if (violation := watch.stop()) is not None:
            raise violation from error
        raise
    finally:
        graph.observer = None
        violation = watch.stop()
    if violation is not None:
        raise violation


class _Watch:
    """The observer of a graph while strict mode is on."""

    def __init__(self) -> None:
        self._active = True
        self._violation: InvariantError | None = None
        # id -> function and what stands for it
        self._wrapped: dict[int, tuple[Any, Callable[..., Any]]] = {}
        self._given: dict[Node, dict[Any, tuple[Any, Any]]] = {}  # key -> row and fingerprint
        self._lists: set[int] = set()  # ids of lists inside given rows, which nobody may sort

    def stop(self) -> InvariantError | None:
        """End the watch; return the first violation."""
        if self._active:
            self._look_again()
            self._active = False
        return self._violation

    def function(self, call: Callable[..., Any], role: str) -> Callable[..., Any]:
        """Return a function that checks its arguments; the same for the same function, as plans are shared by it."""
        known = self._wrapped.get(id(call))
        if known is None:
            what = f"{role} function {_name(call)}"
            known = self._wrapped[id(call)] = (call, self._checked(call, what))
        return known[1]

    def subscriber(self, call: Callable[[Any], object]) -> Callable[[Any], object]:
        """Return a subscriber that checks the rows of the changes it gets."""
        what = f"subscriber {_name(call)}"

        def checked(changes: list[Change[Any]]) -> object:
            if not self._active:
                return call(changes)
            rows = [row for change in changes for row in (change.value, change.old)]
            prints = [_Print(row, self._lists) for row in rows]
            result = call(changes)
            self._compare(prints, what)
            return result

        return checked

    def applied(self, changed: list[Node]) -> None:
        """Look again at the rows given before, and fingerprint the new ones."""
        self._look_again()
        for node in changed:
            given = self._given.get(node)
            if given is None:
                given = self._given[node] = {}
                entries: Iterable[Any] = [(key, None, row) for key, row in node.scan()]
            else:
                entries = node.out
            for key, _, new in entries:
                old, _ = given.pop(key, (None, None))
                self._lists.difference_update(_lists_of(old))
                if new is not None:
                    given[key] = (new, adapter_for_row(new).fingerprint(new))
                    self._lists.update(_lists_of(new))

    def _checked(self, call: Callable[..., Any], what: str) -> Callable[..., Any]:
        @wraps(call, updated=())
        def checked(*args: Any) -> Any:
            if not self._active:
                return call(*args)
            prints = [_Print(arg, self._lists) for arg in args]
            result = call(*args)
            self._compare(prints, what)
            return result

        return checked

    def _compare(self, prints: list[_Print], what: str) -> None:
        for position, each in enumerate(prints):
            if each.changed():
                is_state = what.startswith(("fold", "aggregate")) and position == 0
                thing = "the state" if is_state else "a row"
                self._report(f"{what} changed {thing} it was given: {each.value!r}", raises=True)

    def _look_again(self) -> None:
        for node, given in self._given.items():
            for key, (row, before) in given.items():
                if adapter_for_row(row).fingerprint(row) != before:
                    self._report(
                        f"the row of key {expose(key)!r} in collection {node.label!r} was changed after it had been given: {row!r}",
                        raises=False,
                    )

    def _report(self, message: str, *, raises: bool) -> None:
        violation = InvariantError(message)
        violation.add_note("rows are shared: make a changed copy instead")
        if self._violation is None:
            self._violation = violation
        if raises:
            raise violation


class _Print:
    """What an argument looked like before a call.

    A dict may be a row that the query has just made, with lists of `collect` in it: their items are compared, their order
    and length are not.
    """

    __slots__ = ("_fields", "_parts", "value")

    def __init__(self, value: Any, owned: set[int]) -> None:
        self.value = value
        self._fields = tuple(map(id, value.values())) if value.__class__ is dict else ()
        parts: list[Any] = []
        for part in value.values() if value.__class__ is dict else (value,):
            is_collected = part.__class__ is list and id(part) not in owned
            parts += part if is_collected and value.__class__ is dict else (part,)
        self._parts = [(part, adapter_for_row(part).fingerprint(part)) for part in parts]

    def changed(self) -> bool:
        """Tell whether it looks different now."""
        value = self.value
        fields = tuple(map(id, value.values())) if value.__class__ is dict else ()
        return fields != self._fields or any(
            adapter_for_row(part).fingerprint(part) != before for part, before in self._parts
        )


def _lists_of(row: Any) -> list[int]:
    if row is None:
        return []
    return [id(v) for v in adapter_for_row(row).as_dict(row).values() if v.__class__ is list]


def _name(call: Any) -> str:
    return repr(getattr(call, "__qualname__", None) or repr(call))
