from collections.abc import Callable
from typing import Any

import pytest

from dataflow import Change, Collection, CollectionError, batch


def items_by_id() -> Collection[dict[str, Any]]:
    return Collection("items", key="id")


def item(key: int, **fields: Any) -> dict[str, Any]:
    return {"id": key, **fields}


def fill(items: Collection[dict[str, Any]], *rows: dict[str, Any]) -> None:
    with items.sync() as write:
        for row in rows:
            write.insert(row)


def recorded(items: Collection[dict[str, Any]]) -> list[list[Change[Any]]]:
    seen: list[list[Change[Any]]] = []
    items.subscribe(seen.append)
    return seen


def test_one_commit_is_one_delivery_with_the_net_change_of_each_key() -> None:
    items = items_by_id()
    fill(items, item(1, v="old"), item(2))
    seen = recorded(items)
    with items.sync() as write:
        write.insert(item(3, v="first"))
        write.update(item(3, v="last"))
        write.insert(item(4))
        write.delete(4)
        write.upsert(item(1, v="new"))
        write.delete(2)
    assert seen == [
        [
            Change("insert", 3, item(3, v="last"), None),
            Change("update", 1, item(1, v="new"), item(1, v="old")),
            Change("delete", 2, item(2), item(2)),
        ]
    ]
    assert items.rows() == [item(1, v="new"), item(3, v="last")]


def test_replayed_writes_are_idempotent() -> None:
    items = items_by_id()
    fill(items, item(1, v=1))
    seen = recorded(items)
    with items.sync() as write:
        write.insert(item(1, v=1.0))  # equal by contract
    with items.sync() as write:
        write.delete(7)
        write.upsert(item(1, v=1, w=None))
    assert seen == []
    with items.sync() as write:
        write.insert(item(1, v=2))
    with items.sync() as write:
        write.update(item(9))
    assert [[(c.op, c.key) for c in changes] for changes in seen] == [
        [("update", 1)],
        [("insert", 9)],
    ]


def test_a_row_that_changes_and_changes_back_in_one_commit_is_no_change() -> None:
    items = items_by_id()
    fill(items, item(1, v=1))
    seen = recorded(items)
    with items.sync() as write:
        write.update(item(1, v=2))
        write.update(item(1, v=1))
    assert seen == []


def test_truncate_removes_what_was_there_and_what_was_written_before_it() -> None:
    items = items_by_id()
    fill(items, item(1), item(2))
    seen = recorded(items)
    with items.sync() as write:
        write.insert(item(3))
        write.truncate()
        write.insert(item(2))
        write.insert(item(4))
    assert items == {2: item(2), 4: item(4)}
    assert seen == [
        [Change("insert", 4, item(4), None), Change("delete", 1, item(1), item(1))],
    ]


def test_an_exception_discards_the_whole_commit() -> None:
    items = items_by_id()
    fill(items, item(1))
    seen = recorded(items)

    def body() -> None:
        with items.sync() as write:
            write.insert(item(2))
            write.truncate()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        body()
    assert (items.rows(), seen) == ([item(1)], [])


def test_a_writer_call_that_raises_stages_nothing() -> None:
    items = items_by_id()
    with items.sync() as write:
        write.insert(item(1))
        with pytest.raises(CollectionError):
            write.insert({"name": "no key"})
        with pytest.raises(CollectionError):
            write.update({"id": [1]})
        write.insert(item(2))
    assert items.rows() == [item(1), item(2)]


def test_update_with_the_stored_row_itself_is_refused() -> None:
    items = items_by_id()
    row = item(1, v=1)
    fill(items, row)
    row["v"] = 2
    with items.sync() as write, pytest.raises(CollectionError, match="the stored row of key 1"):
        write.update(row)


@pytest.mark.parametrize(
    "call",
    [
        lambda write: write.insert(item(1)),
        lambda write: write.upsert(item(1)),
        lambda write: write.update(item(1)),
        lambda write: write.delete(1),
        lambda write: write.delete(None),
        lambda write: write.truncate(),
    ],
)
def test_a_writer_works_inside_its_with_only(call: Callable[[Any], None]) -> None:
    items = items_by_id()
    fresh = items.sync()
    with items.sync() as used:
        pass
    for write in (fresh, used):
        with pytest.raises(CollectionError, match="inside its `with`"):
            call(write)


def test_a_writer_is_for_one_commit() -> None:
    items = items_by_id()
    with items.sync() as write:
        write.insert(item(1))
    with items.sync() as later:
        later.delete(1)
    with pytest.raises(CollectionError, match="call sync\\(\\) again"), write:
        pass
    assert items.rows() == []


def test_reads_inside_a_commit_see_the_last_published_epoch() -> None:
    items = items_by_id()
    fill(items, item(1))
    with items.sync() as write:
        write.delete(1)
        write.insert(item(2))
        assert (list(items), items.rows(), 1 in items, 2 in items) == ([1], [item(1)], True, False)
    assert list(items) == [2]


def test_an_empty_commit_is_no_epoch() -> None:
    items = items_by_id()
    seen = recorded(items)
    with items.sync():
        pass
    with batch():
        pass
    assert seen == []
