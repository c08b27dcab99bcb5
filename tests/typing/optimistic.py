"""What type checkers infer of optimistic writes."""

from dataclasses import dataclass
from typing import Any, assert_type

from dataflow import Collection, Mutation, Transaction, action


@dataclass(frozen=True)
class Todo:
    """A row."""

    id: int
    text: str


todos = Collection("todos", key="id", row=Todo)
plain = Collection("plain", key="id")


def show(key: int, *, text: str = "") -> None:
    """Show a change."""
    todos.update(key, text=text)


@action(on_mutate=show)
async def rename(key: int, *, text: str = "") -> None:
    """Persist it."""


def persist(key: int, *, text: str = "") -> None:
    """Persist it, at once."""


renamed = action(on_mutate=show, mutation_fn=persist)


async def save(tx: Transaction) -> None:
    """Persist a transaction."""
    assert_type(tx.mutations, list[Mutation])
    assert_type(tx.mutations[0].value, Any)


async def write() -> None:
    assert_type(todos.insert(Todo(1, "a")), Transaction)
    assert_type(todos.insert([Todo(2, "b"), Todo(3, "c")]), Transaction)
    assert_type(todos.insert({"id": "4", "text": "d"}), Transaction)
    assert_type(plain.insert({"id": 1}), Transaction)
    assert_type(plain.insert([{"id": 1}, {"id": 2, "n": 3}]), Transaction)
    assert_type(todos.update(1, text="b"), Transaction)
    assert_type(todos.update([1, 2], {"text": "b"}), Transaction)
    assert_type(todos.delete([1]), Transaction)
    assert_type(rename(1, text="c"), Transaction)
    assert_type(renamed(1), Transaction)
    assert_type(await rename(1), None)
    rename("1")  # type: ignore[arg-type]
    renamed(1, txt="d")  # type: ignore[call-arg]
    tx = Transaction(mutation_fn=save)
    with tx, todos.draft(1) as row:
        row.text = "e"
    assert_type(tx.commit(), Transaction)
    assert_type(tx.error, BaseException | None)
    with_handlers = Collection(
        "other", key="id", row=Todo, on_insert=save, on_update=lambda tx: None
    )
    assert_type(with_handlers, Collection[Todo])
