"""Optimistic inserts, updates and deletes: what they check, who is called, and what is local."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from dataflow import (
    Change,
    Collection,
    CollectionError,
    Transaction,
    TransactionError,
    UnknownFieldError,
    batch,
    live,
    query,
)

Row = dict[str, Any]


def recorded(source: Any) -> list[list[Change[Row]]]:
    seen: list[list[Change[Row]]] = []
    source.subscribe(seen.append)
    return seen


# -- local collections -------------------------------------------------------------------------------------------------


def test_without_handlers_mutations_are_confirmed_at_once() -> None:
    items = Collection("items", key="id")
    seen = recorded(items)
    made = [
        items.insert({"id": 1, "n": 1}),
        items.update(1, n=2),
        items.insert([{"id": 2}, {"id": 3}]),
        items.update([2, 3], {"n": 5}),
        items.delete([1, 3]),
    ]
    assert [tx.state for tx in made] == ["completed"] * 5
    assert items.rows() == [{"id": 2, "n": 5}]
    assert [[change.op for change in changes] for changes in seen] == [
        ["insert"],
        ["update"],
        ["insert", "insert"],
        ["update", "update"],
        ["delete", "delete"],
    ]
    assert items.overlay is None


def test_local_mutations_of_a_batch_are_one_epoch_and_see_each_other() -> None:
    items = Collection("items", key="id")
    seen = recorded(items)
    with batch():
        items.insert({"id": 1})
        items.update(1, n=1)
        assert dict(items) == {}
    assert seen == [[Change("insert", 1, {"id": 1, "n": 1}, None)]]


def test_a_local_collection_keeps_what_a_completed_transaction_did() -> None:
    items = Collection("items", key="id")
    items.insert({"id": 1, "n": 0, "m": 0})
    tx = Transaction(mutation_fn=lambda tx: None)
    with tx:
        items.update(1, n=1)
    items.update(1, m=2)  # confirmed, over what is still pending
    tx.commit()
    assert items.rows() == [{"id": 1, "n": 1, "m": 2}]
    assert items.overlay is None


def test_a_local_change_of_a_row_that_is_rolled_back_goes_with_it() -> None:
    items = Collection("items", key="id")
    tx = Transaction(mutation_fn=lambda tx: None)
    with tx:
        items.insert({"id": 1})
    items.update(1, n=1)
    assert items.rows() == [{"id": 1, "n": 1}]
    tx.rollback()
    assert items.rows() == []
    assert items.overlay is None


def test_a_local_change_outlives_the_rollback_of_one_beneath_it() -> None:
    items = Collection("items", key="id")
    items.insert({"id": 1, "n": 0, "m": 0})
    tx = Transaction(mutation_fn=lambda tx: None)
    with tx:
        items.update(1, n=1)
    items.update(1, m=2)
    tx.rollback()
    assert items.rows() == [{"id": 1, "n": 0, "m": 2}]


def test_where_rows_are_synced_a_completed_transaction_leaves_them_to_sync() -> None:
    items = Collection("items", key="id")
    with items.sync() as write:
        write.insert({"id": 1, "n": 0})
    tx = Transaction(mutation_fn=lambda tx: None)
    with tx:
        items.update(1, n=1)
    tx.commit()
    assert items.rows() == [{"id": 1, "n": 0}]
    items.update(1, n=2)  # nobody to ask: confirmed by the collection
    assert items.rows() == [{"id": 1, "n": 2}]


# -- checks ------------------------------------------------------------------------------------------------------------


def test_mutations_of_rows_that_are_not_as_expected_are_refused() -> None:
    items = Collection("items", key="id")
    items.insert({"id": "first"})
    with pytest.raises(
        CollectionError, match="collection 'items' has a row with key 'first' already"
    ):
        items.insert({"id": "first", "n": 1})
    with pytest.raises(
        CollectionError,
        match=r"collection 'items' has no row with key 'frist' \(did you mean 'first'\?\)",
    ):
        items.update("frist", n=1)
    with pytest.raises(CollectionError, match="collection 'items' has no row with key 7"):
        items.delete(7)
    with pytest.raises(CollectionError, match="has no row with key True"):
        items.draft(True)
    with pytest.raises(
        CollectionError, match="update cannot change the key, from 'first' to 'other'"
    ):
        items.update("first", id="other")
    assert items.rows() == [{"id": "first"}]


def test_of_many_rows_all_are_mutated_or_none() -> None:
    items = Collection("items", key="id")
    items.insert([{"id": 1}, {"id": 2}])
    seen = recorded(items)
    with pytest.raises(CollectionError, match="key 1 already"):
        items.insert([{"id": 3}, {"id": 1}])
    with pytest.raises(CollectionError, match="no row with key 4"):
        items.update([1, 4], n=1)
    tx = Transaction(mutation_fn=lambda tx: None)
    with tx, pytest.raises(CollectionError, match="no row with key 9"):
        items.delete([2, 9])
    assert (seen, tx.mutations) == ([], [])
    assert items.rows() == [{"id": 1}, {"id": 2}]


def test_keys_are_found_by_the_equality_of_the_engine() -> None:
    items = Collection("items", key="id")
    items.insert({"id": 1})
    items.insert({"id": True})
    items.update(1.0, n=1)
    items.update(True, n=2)
    assert items.rows() == [{"id": 1, "n": 1}, {"id": True, "n": 2}]


def test_fields_whose_names_are_taken_can_be_set_by_a_mapping() -> None:
    items = Collection("items", key="id")
    items.insert({"id": 1})
    items.update(1, {"key": "k", "not a name": 2}, self=3)
    assert items.rows() == [{"id": 1, "key": "k", "not a name": 2, "self": 3}]


def test_an_update_without_changes_calls_nobody() -> None:
    called: list[Transaction] = []
    items = Collection("items", key="id", on_update=called.append)
    with items.sync() as write:
        write.insert({"id": 1})
    seen = recorded(items)
    assert items.update(1).state == "completed"
    assert (called, seen) == ([], [])
    with pytest.raises(CollectionError, match="no row with key 2"):
        items.update(2)


@dataclass(frozen=True)
class Item:
    """A row with declared fields."""

    id: int
    name: str
    size: int = 0


def test_unknown_fields_are_refused_with_near_matches() -> None:
    items = Collection("items", key="id", row=Item)
    items.insert(Item(1, "one"))
    with pytest.raises(UnknownFieldError) as caught:
        items.update(1, nmae="uno")
    assert str(caught.value) == "collection 'items' has no field 'nmae' (did you mean 'name'?)"
    assert items.rows() == [Item(1, "one")]


def test_the_stored_row_is_never_touched() -> None:
    items = Collection("items", key="id")
    row = {"id": 1, "tags": ["a"]}
    items.insert(row)
    items.update(1, tags=["b"])
    assert row == {"id": 1, "tags": ["a"]}
    assert items[1] == {"id": 1, "tags": ["b"]}


def test_a_row_that_refuses_a_pending_change_is_shown_without_it() -> None:
    @dataclass(frozen=True)
    class Span:
        id: int
        start: int
        end: int

        def __post_init__(self) -> None:
            if self.end < self.start:
                raise ValueError("ends before it starts")

    spans = Collection("spans", key="id", row=Span)
    with spans.sync() as write:
        write.insert(Span(1, 0, 9))
    with Transaction(mutation_fn=lambda tx: None):
        spans.update(1, end=5)
    with spans.sync() as write:
        write.update(Span(1, 7, 9))
    assert spans[1] == Span(1, 7, 9)
    with spans.sync() as write:
        write.update(Span(1, 3, 9))
    assert spans[1] == Span(1, 3, 5)


def test_a_closed_collection_takes_no_mutations() -> None:
    items = Collection("items", key="id")
    items.insert({"id": 1})
    items.close()
    for mutate in (
        lambda: items.insert({"id": 2}),
        lambda: items.update(1, n=1),
        lambda: items.delete(1),
        lambda: items.draft(1),
    ):
        with pytest.raises(CollectionError, match="collection 'items' is closed"):
            mutate()


# -- handlers ----------------------------------------------------------------------------------------------------------


def test_each_operation_calls_its_handler_once_with_the_transaction() -> None:
    called: list[tuple[str, Transaction, list[Row]]] = []

    def handler(name: str) -> Any:
        return lambda tx: called.append((name, tx, items.rows()))

    items = Collection(
        "items",
        key="id",
        on_insert=handler("insert"),
        on_update=handler("update"),
        on_delete=handler("delete"),
    )
    with items.sync() as write:
        write.insert({"id": 1})
    inserted = items.insert([{"id": 2}, {"id": 3}])
    updated = items.update(1, n=1)
    deleted = items.delete(1)
    assert called == [  # each after it could be seen
        ("insert", inserted, [{"id": 1}, {"id": 2}, {"id": 3}]),
        ("update", updated, [{"id": 1, "n": 1}]),
        ("delete", deleted, []),
    ]
    assert [m.key for m in inserted.mutations] == [2, 3]
    assert items.rows() == [{"id": 1}]


def test_a_handler_that_is_missing_is_named_before_anything_is_shown() -> None:
    items = Collection("items", key="id", on_insert=lambda tx: None)
    with items.sync() as write:
        write.insert({"id": 1})
    with pytest.raises(
        CollectionError, match="collection 'items' has no handler for delete"
    ) as caught:
        items.delete(1)
    assert caught.value.__notes__ == [
        "give it on_delete=, or mutate it inside a Transaction or an action"
    ]
    assert 1 in items
    with Transaction(mutation_fn=lambda tx: None):
        items.delete(1)
    assert 1 not in items


def test_an_async_handler_confirms_by_sync_without_a_flicker() -> None:
    async def save(tx: Transaction) -> None:
        await asyncio.sleep(0)
        with items.sync() as write:
            for mutation in tx.mutations:
                write.insert(mutation.value)

    items: Collection[Row] = Collection("items", key="id", on_insert=save)

    async def scenario() -> None:
        seen = recorded(items)
        tx = items.insert({"id": 1})
        assert (tx.state, items.rows()) == ("persisting", [{"id": 1}])
        await tx
        assert seen == [[Change("insert", 1, {"id": 1}, None)]]

    asyncio.run(scenario())


def test_a_rejected_insert_disappears_from_derived_results_too() -> None:
    async def reject(tx: Transaction) -> None:
        await asyncio.sleep(0)
        raise PermissionError("not yours")

    items = Collection("items", key="id", on_insert=reject)
    item = items.alias("item")
    big = live(query(item).where(item.n > 1).select(n=item.n))

    async def scenario() -> None:
        seen = recorded(big)
        with pytest.raises(TransactionError, match="PermissionError: not yours"):
            await items.insert({"id": 1, "n": 2})
        assert [[change.op for change in changes] for changes in seen] == [["insert"], ["delete"]]
        assert big.rows() == []

    asyncio.run(scenario())


def test_an_async_handler_without_a_loop_raises_before_anything_is_shown() -> None:
    async def save(tx: Transaction) -> None:
        """Never called."""

    items = Collection("items", key="id", on_insert=save)
    seen = recorded(items)
    with pytest.raises(CollectionError, match="on_insert of collection 'items' is async"):
        items.insert({"id": 1})
    assert (seen, items.rows(), items.overlay) == ([], [], None)


def test_handlers_are_not_asked_about_mutations_of_a_transaction() -> None:
    called: list[Transaction] = []
    items = Collection("items", key="id", on_insert=called.append)
    persisted: list[Transaction] = []
    tx = Transaction(mutation_fn=persisted.append)
    with tx:
        assert items.insert({"id": 1}) is tx
    tx.commit()
    assert (called, persisted) == ([], [tx])


def test_handlers_of_a_batch_wait_until_it_is_published() -> None:
    states: list[list[Row]] = []

    def look(tx: Transaction) -> None:
        states.append(items.rows())

    items = Collection("items", key="id", on_insert=look)
    with batch():
        made = [items.insert({"id": 1}), items.insert({"id": 2})]
        assert [tx.state for tx in made] == ["pending", "pending"]
    assert states == [[{"id": 1}, {"id": 2}], [{"id": 2}]]
    assert [tx.state for tx in made] == ["completed", "completed"]


def test_rows_and_functions_in_place_of_keys_and_fields_are_refused_with_advice() -> None:
    items: Collection[Row] = Collection("items", key="id")
    items.insert({"id": 1, "n": 1})
    wrong: Any = items
    for write in (wrong.update, wrong.delete):
        with pytest.raises(CollectionError, match="no row with key") as caught:
            write({"id": 1, "n": 2})
        assert caught.value.__notes__ == [
            "that is a row; write update(key, field=value) or delete(key)"
        ]
    with pytest.raises(CollectionError, match="update takes the changed fields") as caught:
        wrong.update(1, lambda row: row)
    assert "draft(key)" in caught.value.__notes__[0]
    assert items.rows() == [{"id": 1, "n": 1}]
