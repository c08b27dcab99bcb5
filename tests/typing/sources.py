"""What type checkers infer of indexes and of `dataflow.io`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_type

from dataflow import (
    Change,
    Collection,
    HashIndex,
    OrderedIndex,
    Transaction,
)
from dataflow.io import (
    Delivery,
    Outbox,
    Polled,
    Store,
    debounce,
    paced,
    persist,
    polled,
    sqlite_query,
)


@dataclass(frozen=True)
class Todo:
    """A row."""

    id: int
    text: str


todos = Collection("todos", key="id", row=Todo)
plain = Collection("plain", key="id")


def indexes() -> None:
    assert_type(todos.create_index("text"), HashIndex[Todo])
    assert_type(todos.create_index("id", "text").rows(1, "a"), list[Todo])
    assert_type(todos.create_index("text", ordered=True), OrderedIndex[Todo])
    assert_type(plain.create_index("n", ordered=True).rows(ge=1), list[dict[str, Any]])
    assert_type(todos.initial_changes(where=lambda todo: todo.text != ""), list[Change[Todo]])
    todos.create_index("id", "text", ordered=True)  # type: ignore[call-overload]  # one field


async def fetch() -> list[Todo]:
    """Read all rows."""
    return []


def sources() -> None:
    assert_type(polled(todos, fetch, every=1.0), Polled[Todo])
    assert_type(polled(todos, lambda: [Todo(1, "a")]), Polled[Todo])
    assert_type(polled(todos, lambda: None), Polled[Todo])
    assert_type(sqlite_query(todos, "a.db", "SELECT * FROM todos").collection, Collection[Todo])
    polled(todos, lambda: ["a"])  # type: ignore[list-item]  # no todos
    assert_type(persist([todos, plain], "sqlite:///a.db"), Store)
    assert_type(persist(todos, "sqlite:///a.db").metadata, Mapping[str, Any])


def show(key: int, *, text: str = "") -> None:
    """Show a change."""
    todos.update(key, text=text)


set_text = paced(on_mutate=show, mutation_fn=lambda tx: tx.mutations, pace=debounce(0.5))


def outboxes(outbox: Outbox) -> None:
    @outbox.action("rename", on_mutate=show, key=lambda key, *, text="": key)
    async def rename(delivery: Delivery, key: int, *, text: str = "") -> None:
        assert_type(delivery.idempotency_key, str)

    assert_type(rename(1, text="a"), Transaction)
    rename(1, "a")  # type: ignore[call-arg]  # text is a keyword


def calls() -> None:
    assert_type(set_text(1, text="a"), Transaction)
    set_text("1")  # type: ignore[arg-type]  # the key is an int
