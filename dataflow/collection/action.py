"""Actions: functions that show what they will do at once, and then do it.

    @action(on_mutate=show)              show(todo, text)      sync: mutates collections; visible when it returns
    async def rename(todo, text): ...    rename(todo, text)    persists the same; the overlay goes when it returns

Calling an action makes a transaction and returns it; `await rename(...)` waits until it is persisted and raises if it failed. Both
functions have the same parameters, which type checkers see.
"""

from __future__ import annotations

from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, overload

from dataflow.collection.batch import current_batch
from dataflow.collection.loop import require_callable, require_loop, require_plain
from dataflow.collection.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

P = ParamSpec("P")


class Action(Generic[P]):
    """A function that makes a transaction; made by `action`.

    It has the name, the documentation and the signature of the mutation function.
    """

    __name__: str

    def __init__(
        self,
        on_mutate: Callable[P, object],
        mutation_fn: Callable[P, Awaitable[object] | object],
    ) -> None:
        require_callable(mutation_fn, "mutation_fn of an action")
        self._on_mutate = on_mutate
        self._mutation_fn = mutation_fn
        update_wrapper(self, mutation_fn)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Transaction:
        """Show the mutations, start to persist them, and return the transaction.

        Raises:
            CollectionError: if the mutation function is async and no event loop is running; nothing has been shown then.
            Exception: what `on_mutate` raised; nothing has been shown then.
        """
        require_loop(self._mutation_fn, f"action {_name(self._mutation_fn)}")
        made = Transaction(mutation_fn=lambda _: self._mutation_fn(*args, **kwargs))
        around = current_batch()
        with made:
            if around is not None:
                around.on_discard(made.discard)
            self._on_mutate(*args, **kwargs)
            made.commit()
        return made


@overload
def action(
    *, on_mutate: Callable[P, object]
) -> Callable[[Callable[P, Awaitable[object] | object]], Action[P]]: ...
@overload
def action(
    *, on_mutate: Callable[P, object], mutation_fn: Callable[P, Awaitable[object] | object]
) -> Action[P]: ...
def action(
    *, on_mutate: Callable[..., object], mutation_fn: Callable[..., Any] | None = None
) -> Any:
    """Make an action of a function that mutates collections and one that persists the same.

    Args:
        on_mutate: mutates collections; a plain function. If it raises, nothing is shown.
        mutation_fn: persists what `on_mutate` showed, with the same arguments, plain or async. Without it `action` is a decorator
            of that function.

    Returns:
        A function of the same parameters that returns a Transaction.

    Raises:
        CollectionError: if one of the two is no function, or `on_mutate` is a coroutine function.

    >>> from dataflow import Collection
    >>> todos = Collection("todos", key="id")
    >>> def show(id: int, text: str) -> None:
    ...     todos.insert({"id": id, "text": text})
    >>> @action(on_mutate=show)
    ... def add(id: int, text: str) -> None:
    ...     print("sent", text)
    >>> add(1, text="write").state
    sent write
    'completed'
    """
    require_plain(on_mutate, "on_mutate of an action")
    if mutation_fn is None:
        return lambda function: Action(on_mutate, function)
    return Action(on_mutate, mutation_fn)


def _name(function: object) -> str:
    return repr(getattr(function, "__qualname__", None) or repr(function))
