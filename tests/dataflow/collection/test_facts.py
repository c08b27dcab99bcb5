"""Row facts: pending, origin and key, read in queries that mention them and in no others."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from dataflow import (
    Change,
    Collection,
    InvariantError,
    QueryError,
    Transaction,
    batch,
    count,
    explain,
    facts,
    is_null,
    live,
    nested,
    query,
)
from dataflow.testing import strict

Row = dict[str, Any]


@pytest.fixture
def todos() -> Collection[Row]:
    made = Collection("todos", key="id")
    with made.sync() as write:
        for number in range(3):
            write.insert({"id": number, "n": -number})
    return made


def pending(todos: Collection[Row], key: int, **fields: Any) -> Transaction:
    tx = Transaction(mutation_fn=lambda tx: None)
    with tx:
        todos.update(key, fields)
    return tx


def told(todos: Collection[Row]) -> Any:
    """Return a live query of all facts."""
    todo = todos.alias("todo")
    fact = facts(todo)
    return live(query(todo).select(p=fact.pending, o=fact.origin, k=fact.key))


def test_facts_follow_a_change_from_pending_to_confirmed(todos: Collection[Row]) -> None:
    known = told(todos)
    remote = {"p": False, "o": "remote"}
    assert dict(known) == {key: {**remote, "k": key} for key in range(3)}
    tx = pending(todos, 1, n=5)
    assert known[1] == {"p": True, "o": "local", "k": 1}
    with todos.sync() as write:
        write.update({"id": 1, "n": 5})
    assert known[1] == {"p": True, "o": "local", "k": 1}
    tx.commit()
    assert known[1] == {"p": False, "o": "local", "k": 1}
    with todos.sync() as write:
        write.update({"id": 1, "n": 6})
    assert known[1] == {"p": False, "o": "remote", "k": 1}
    pending(todos, 1, n=7).rollback()
    assert dict(known) == {key: {**remote, "k": key} for key in range(3)}


def test_rows_of_a_local_collection_are_local_until_rows_are_synced() -> None:
    items = Collection("items", key="id")
    items.insert({"id": True})
    known = told(items)
    assert known.rows() == [{"p": False, "o": "local", "k": True}]
    with items.sync() as write:
        write.insert({"id": 2})
    assert known.rows() == [
        {"p": False, "o": "local", "k": True},
        {"p": False, "o": "remote", "k": 2},
    ]


def test_rows_and_facts_change_in_one_epoch(todos: Collection[Row]) -> None:
    todo = todos.alias("todo")
    both = live(query(todo).select(n=todo.n, pending=facts(todo).pending))
    seen: list[list[Change[Row]]] = []
    both.subscribe(seen.append)
    tx = pending(todos, 1, n=5)
    with batch(), todos.sync() as write:
        write.delete(1)
    tx.rollback()
    assert seen == [
        [Change("update", 1, {"n": 5, "pending": True}, {"n": -1, "pending": False})],
        [Change("delete", 1, {"n": 5, "pending": True}, {"n": 5, "pending": True})],
    ]


def test_only_queries_that_mention_facts_hear_of_them(todos: Collection[Row]) -> None:
    todo = todos.alias("todo")
    plain, asking = live(query(todo).where(todo.n <= 0)), told(todos)
    heard: list[str] = []
    plain.subscribe(lambda changes: heard.append("plain"))
    todos.subscribe(lambda changes: heard.append("todos"))
    asking.subscribe(lambda changes: heard.append("asking"))
    tx = pending(todos, 1, n=-1)  # what it is already
    tx.commit()
    assert heard == ["asking", "asking"]


def test_facts_are_kept_while_somebody_asks(todos: Collection[Row]) -> None:
    known = told(todos)
    assert todos.overlay is not None
    known.close()
    with todos.sync() as write:
        write.delete(2)
    assert todos.overlay is None


def test_facts_can_stand_wherever_expressions_can(todos: Collection[Row]) -> None:
    notes = Collection("notes", key="id")
    notes.insert([{"id": 10, "todo": 1}, {"id": 11, "todo": 2}])
    todo, note = todos.alias("todo"), notes.alias("note")
    tx = pending(todos, 1, n=5)
    assert tx.state == "pending"
    joined = query(todo).join(note, on=todo.id == note.todo, how="left")
    results = {
        "where": query(todo).where(facts(todo).pending),
        "negated": query(todo).where(~facts(todo).pending).select(id=todo.id),
        "ordered": query(todo).order_by(facts(todo).pending.desc(), todo.n).limit(2),
        "selected": query(todo).select(todo, mine=facts(todo).origin == "local"),
        "grouped": query(todo).group_by(facts(todo).pending).select(n=count()),
        "joined": joined.where(facts(todo).pending),
        "absent": joined.where(is_null(facts(note).origin)).select(id=todo.id),
        "filtered": joined.where(facts(note).key == 10).filter(lambda row: row["todo"]["n"] == 5),
        "mapped": query(todo).where(facts(todo).key < 2).map(lambda row: row["n"]),
        "distinct": query(todo).where(facts(todo).pending).distinct(),
        "nested": query(todo).select(
            id=todo.id,
            notes=nested(query(note).where(note.todo == todo.id, facts(todo).pending)),
        ),
        "rekeyed": query(query(todo).where(facts(todo).pending).alias("again")),
    }
    one = {"id": 1, "n": 5}
    assert {name: live(each).rows() for name, each in results.items()} == {
        "where": [one],
        "negated": [{"id": 0}, {"id": 2}],
        "ordered": [one, {"id": 2, "n": -2}],
        "selected": [
            {"id": 0, "n": 0, "mine": False},
            {"id": 1, "n": 5, "mine": True},
            {"id": 2, "n": -2, "mine": False},
        ],
        "grouped": [{"n": 2}, {"n": 1}],
        "joined": [{"todo": one, "note": {"id": 10, "todo": 1}}],
        "absent": [{"id": 0}],
        "filtered": [{"todo": one, "note": {"id": 10, "todo": 1}}],
        "mapped": [0, 5],
        "distinct": [one],
        "nested": [
            {"id": 0, "notes": []},
            {"id": 1, "notes": [{"id": 10, "todo": 1}]},
            {"id": 2, "notes": []},
        ],
        "rekeyed": [one],
    }


@dataclass(frozen=True)
class Item:
    """A row that is an object."""

    id: int
    name: str


def test_rows_stay_the_stored_objects() -> None:
    items = Collection("items", key="id", row=Item)
    one = Item(1, "one")
    items.insert(one)
    item = items.alias("item")
    (found,) = live(query(item).where(facts(item).origin == "local", item.name == "one")).rows()
    assert found is one
    assert live(query(item).where(facts(item).key == 1), key="name")["one"] is one


def test_derived_rows_have_no_facts(todos: Collection[Row]) -> None:
    derived = live(query(todos)).alias("derived")
    with pytest.raises(QueryError, match="is derived: its rows have no facts"):
        live(query(derived).where(facts(derived).pending))


def test_facts_wait_for_the_first_rows() -> None:
    late = Collection("late", key="id", ready=False)
    known = told(late)
    assert known.status == "loading"

    async def scenario() -> None:
        waiting = asyncio.ensure_future(known.wait_ready())
        await asyncio.sleep(0)
        with late.sync() as write:
            write.insert({"id": 1})
        late.mark_ready()
        await waiting
        assert known.rows() == [{"p": False, "o": "remote", "k": 1}]

    asyncio.run(scenario())


def test_explain_shows_that_a_source_is_read_with_its_facts(todos: Collection[Row]) -> None:
    todo = todos.alias("todo")
    text = explain(query(todo).where(facts(todo).pending).select(id=todo.id))
    assert "scan todos with facts as todo" in text


def test_rows_with_facts_are_watched_in_strict_mode(todos: Collection[Row]) -> None:
    def meddle(row: Row) -> bool:
        row["n"] = 99
        return True

    def meddling() -> None:
        with strict():
            todo = todos.alias("todo")
            live(query(todo).where(facts(todo).key >= 0).filter(meddle))

    with pytest.raises(InvariantError, match="changed a row it was given"):
        meddling()
    with strict():
        known = told(todos)
        pending(todos, 1, n=5).rollback()
        assert len(known) == 3
