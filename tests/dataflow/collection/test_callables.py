"""What will be called is looked at where it is given."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock

import pytest

from dataflow import Collection, CollectionError, Transaction, action, effect, live, query
from dataflow.callables import is_async, is_generator
from dataflow.io.pacing import debounce, paced

if TYPE_CHECKING:
    from collections.abc import Callable


def _items() -> Collection[dict[str, Any]]:
    return Collection("items", key="id")


def _noted(_: Any) -> None:
    """Show nothing."""


async def _later(_: Any) -> None:
    raise AssertionError


def _steps(_: Any) -> Any:
    yield


async def _later_steps(_: Any) -> Any:
    yield


class Steps:
    """An object whose call is a generator function."""

    def __call__(self, _: Any) -> Any:
        yield


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
    "an async function that should show": (
        lambda: action(on_mutate=_later, mutation_fn=_later),
        f"on_mutate of an action is async: {_later!r}",
    ),
    "an async function that should show at a pace": (
        lambda: paced(on_mutate=_later, mutation_fn=print, pace=debounce(1.0)),
        f"on_mutate of a paced mutation is async: {_later!r}",
    ),
    "a mutation function that is a generator": (
        lambda: Transaction(mutation_fn=_steps),
        f"mutation_fn of a transaction is a generator function: {_steps!r}",
    ),
    "a mutation function that is an async generator": (
        lambda: Transaction(mutation_fn=_later_steps),
        f"mutation_fn of a transaction is a generator function: {_later_steps!r}",
    ),
    "a handler that is an async generator": (
        lambda: Collection("items", key="id", on_insert=_later_steps),
        f"on_insert of a collection is a generator function: {_later_steps!r}",
    ),
    "an action that is an async generator": (
        lambda: action(on_mutate=_noted)(_later_steps),
        f"mutation_fn of an action is a generator function: {_later_steps!r}",
    ),
    "what shows as a generator": (
        lambda: action(on_mutate=_steps),
        f"on_mutate of an action is a generator function: {_steps!r}",
    ),
    "a subscriber that is a generator": (
        lambda: _items().subscribe(_steps),
        f"a subscriber is a generator function: {_steps!r}",
    ),
    "a handler of an effect that is an async generator": (
        lambda: effect(_items(), on_enter=_later_steps),
        f"on_enter of an effect is a generator function: {_later_steps!r}",
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


@pytest.mark.parametrize("function", [_steps, _later_steps])
def test_a_mutation_function_that_only_returns_a_generator_fails(function: Any) -> None:
    items = _items()
    with Transaction(mutation_fn=lambda tx: function(tx)) as tx:
        items.insert({"id": 1})
    tx.commit()
    assert (tx.state, items.rows()) == ("failed", [])
    assert str(tx.error).startswith(f"the mutation function of {tx} returned a generator: ")


def test_a_function_is_known_however_it_is_wrapped() -> None:
    called = [_later, _later_steps, partial(partial(_later)), AsyncMock(), _steps, Steps(), print]
    assert [is_async(each) for each in called] == [True, True, True, True, False, False, False]
    assert [is_generator(each) for each in called] == [False, True, False, False, True, True, False]
    assert [is_generator(Steps().__call__), is_async(partial(Steps()))] == [True, False]
