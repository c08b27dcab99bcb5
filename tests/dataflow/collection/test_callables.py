"""What will be called is looked at where it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dataflow import Collection, CollectionError, Transaction, action, effect, live, query
from dataflow.io.pacing import debounce, paced

if TYPE_CHECKING:
    from collections.abc import Callable


def _items() -> Collection[dict[str, Any]]:
    return Collection("items", key="id")


async def _later(_: Any) -> None:
    raise AssertionError


def _ordered(fn: Any) -> None:
    item = _items().alias("item")
    live(query(item).order_by(item.id)).subscribe_ordered(fn)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "a key": (
        lambda: Collection("items", key=3),  # type: ignore[call-overload]  # on purpose, as below
        "collection 'items': a key that is no field or tuple of fields is a function, not 3",
    ),
    "a handler": (
        lambda: Collection("items", key="id", on_update=3),  # type: ignore[call-overload]
        "on_update of a collection is a function, not 3",
    ),
    "a mutation function": (
        lambda: Transaction(mutation_fn=3),  # type: ignore[arg-type]
        "mutation_fn of a transaction is a function, not 3",
    ),
    "what an action shows": (
        lambda: action(on_mutate=None),  # type: ignore[call-overload]
        "on_mutate of an action is a function, not None",
    ),
    "what an action decorates": (
        lambda: action(on_mutate=print)(3),  # type: ignore[arg-type]
        "mutation_fn of an action is a function, not 3",
    ),
    "what a paced mutation shows": (
        lambda: paced(on_mutate=3, mutation_fn=print, pace=debounce(1.0)),  # type: ignore[arg-type]
        "on_mutate of a paced mutation is a function, not 3",
    ),
    "what persists a paced mutation": (
        lambda: paced(on_mutate=print, mutation_fn=3, pace=debounce(1.0)),  # type: ignore[arg-type]
        "mutation_fn of a paced mutation is a function, not 3",
    ),
    "a handler of an effect": (
        lambda: effect(_items(), on_exit=3),  # type: ignore[arg-type]
        "on_exit of an effect is a function, not 3",
    ),
    "what follows a list": (lambda: _ordered(3), "a subscriber is a function, not 3"),
    "a coroutine function that follows a list": (
        lambda: _ordered(_later),
        f"a subscriber cannot be a coroutine function: {_later!r}",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_nobody_could_call_is_refused_where_it_is_given(what: str) -> None:
    give, message = REFUSED[what]
    with pytest.raises(CollectionError) as caught:
        give()
    assert str(caught.value) == message
