"""Actions: shown at once, persisted after, with the same parameters."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from dataflow import Collection, CollectionError, Transaction, TransactionError, action, batch


def test_an_action_shows_then_persists_and_returns_its_transaction() -> None:
    todos: Collection[dict[str, Any]] = Collection("todos", key="id")
    with todos.sync() as write:
        write.insert({"id": 1, "text": "old"})
    seen: list[Any] = []

    def show(key: int, *, text: str) -> None:
        todos.update(key, text=text)

    @action(on_mutate=show)
    async def edit(key: int, *, text: str) -> None:
        """Change the text."""
        seen.append((key, text, todos[1]["text"]))
        await asyncio.sleep(0)
        with todos.sync() as write:
            write.update({"id": key, "text": text})

    async def scenario() -> None:
        tx = edit(1, text="new")
        assert isinstance(tx, Transaction)
        assert (tx.state, todos[1]["text"]) == ("persisting", "new")
        await tx
        assert todos[1]["text"] == "new"

    asyncio.run(scenario())
    assert seen == [(1, "new", "new")]
    assert (edit.__name__, edit.__doc__) == ("edit", "Change the text.")


def test_a_failure_rolls_everything_back_over_all_collections() -> None:
    one: Collection[Any] = Collection("one", key="id")
    two: Collection[Any] = Collection("two", key="id")

    def show(amount: int) -> None:
        one.insert({"id": 1, "n": -amount})
        two.insert({"id": 1, "n": amount})

    def refuse(amount: int) -> None:
        raise PermissionError(f"no {amount}")

    transfer = action(on_mutate=show, mutation_fn=refuse)
    tx = transfer(5)
    assert (tx.state, str(tx.error), len(one), len(two)) == ("failed", "no 5", 0, 0)
    assert [m.value["n"] for m in tx.mutations] == [-5, 5]

    async def scenario() -> None:
        with pytest.raises(TransactionError, match="PermissionError: no 7"):
            await transfer(7)

    asyncio.run(scenario())


def test_an_action_whose_mutations_raise_does_nothing() -> None:
    todos: Collection[Any] = Collection("todos", key="id")
    sent: list[int] = []

    def show(key: int) -> None:
        todos.insert({"id": key})
        raise ZeroDivisionError

    add = action(on_mutate=show, mutation_fn=sent.append)
    with pytest.raises(ZeroDivisionError):
        add(1)
    assert (todos.rows(), sent) == ([], [])


def test_an_async_action_without_a_loop_shows_nothing() -> None:
    shown: list[int] = []

    async def persist(key: int) -> None:
        """Never called."""

    add = action(on_mutate=shown.append, mutation_fn=persist)
    with pytest.raises(CollectionError, match=r"action '.*persist' is async, and no event loop"):
        add(1)
    assert shown == []


def test_on_mutate_has_to_be_a_plain_function() -> None:
    async def show() -> None:
        """Would show nothing until awaited."""

    with pytest.raises(CollectionError, match=r"on_mutate of an action is async: <function .*show"):
        action(on_mutate=show, mutation_fn=lambda: None)


def test_actions_called_by_an_action_are_transactions_of_their_own() -> None:
    todos: Collection[Any] = Collection("todos", key="id", on_insert=lambda tx: None)
    inner = action(on_mutate=lambda key: todos.insert({"id": key}), mutation_fn=lambda key: None)
    made: list[Transaction] = []

    def show(key: int) -> None:
        todos.insert({"id": key})
        made.append(inner(key + 1))

    outer = action(on_mutate=show, mutation_fn=lambda key: None)
    tx = outer(1)
    assert [m.key for m in tx.mutations] == [1]
    assert [m.key for m in made[0].mutations] == [2]
    assert (tx.state, made[0].state) == ("completed", "completed")


def test_an_action_fails_with_the_batch_or_block_around_it() -> None:
    todos: Collection[Any] = Collection("todos", key="id")
    called: list[int] = []

    def show(key: int) -> None:
        todos.insert({"id": key})

    add = action(on_mutate=show, mutation_fn=called.append)

    with suppress(ValueError), batch():
        in_batch = add(1)
        raise ValueError
    with batch():
        with suppress(ValueError), Transaction(mutation_fn=lambda tx: None):
            in_block = add(2)
            raise ValueError
        kept = add(3)
    assert [tx.state for tx in (in_batch, in_block, kept)] == ["failed", "failed", "completed"]
    assert (called, todos.rows()) == ([3], [{"id": 3}])
    with pytest.raises(TransactionError, match=r"the batch around transaction \d+ was discarded"):
        asyncio.run(_wait_for(in_batch))


async def _wait_for(transaction: Transaction) -> None:
    await transaction
