import asyncio
from typing import Any

import pytest

from dataflow import Change, Collection, batch, live, query


def write(collection: Collection[Any], *rows: dict[str, Any]) -> None:
    with collection.sync() as writer:
        for row in rows:
            writer.upsert(row)


def test_a_batch_over_several_collections_is_one_epoch() -> None:
    left, right = Collection("left", key="id"), Collection("right", key="id")
    l, r = left.alias(), right.alias()  # noqa: E741
    pairs = live(query(l).join(r, on=l.id == r.id).select(id=l.id, total=l.v + r.v))
    seen: list[list[Change[Any]]] = []
    pairs.subscribe(seen.append)
    with batch():
        write(left, {"id": 1, "v": 1})
        write(right, {"id": 1, "v": 10})
        write(left, {"id": 1, "v": 2})
    assert [[c.value for c in changes] for changes in seen] == [[{"id": 1, "total": 12}]]
    with batch():
        write(left, {"id": 1, "v": 3})
        write(right, {"id": 1, "v": 9})
    assert len(seen) == 1  # the sum is the same: nothing visible changed


def test_an_exception_discards_all_of_a_batch() -> None:
    left, right = Collection("left", key="id"), Collection("right", key="id")
    write(left, {"id": 1})

    def body() -> None:
        with batch():
            write(left, {"id": 2})
            with batch():
                write(right, {"id": 3})
            with left.sync() as writer:
                writer.truncate()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        body()
    assert (left.rows(), right.rows()) == ([{"id": 1}], [])
    write(right, {"id": 4})
    assert right.rows() == [{"id": 4}]


def test_a_commit_that_fails_inside_a_batch_is_discarded_alone() -> None:
    items = Collection("items", key="id")

    def fails() -> None:
        with items.sync() as writer:
            writer.insert({"id": 2})
            raise ZeroDivisionError

    with batch():
        write(items, {"id": 1})
        with pytest.raises(ZeroDivisionError):
            fails()
        write(items, {"id": 3})
    assert list(items) == [1, 3]


def test_nested_batches_join_the_outermost() -> None:
    items = Collection("items", key="id")
    seen: list[list[Change[Any]]] = []
    items.subscribe(seen.append)
    with batch():
        write(items, {"id": 1})
        with batch():
            write(items, {"id": 2})
        assert items.rows() == []
        write(items, {"id": 3})
    assert [[c.key for c in changes] for changes in seen] == [[1, 2, 3]]


def test_later_writes_of_a_batch_win_truncate_included() -> None:
    items = Collection("items", key="id")
    write(items, {"id": 1}, {"id": 2})
    with batch():
        write(items, {"id": 3})
        with items.sync() as writer:
            writer.truncate()
            writer.insert({"id": 2})
        write(items, {"id": 4})
    assert items == {2: {"id": 2}, 4: {"id": 4}}


def test_a_batch_applies_each_collection_in_order_of_first_write() -> None:
    first, second = Collection("first", key="id"), Collection("second", key="id")
    seen: list[str] = []
    first.subscribe(lambda _: seen.append("first"))
    second.subscribe(lambda _: seen.append("second"))
    with batch():
        write(second, {"id": 1})
        write(first, {"id": 1})
        write(second, {"id": 2})
    assert seen == ["second", "first"]


def test_an_await_inside_a_batch_lets_no_other_task_write_into_it() -> None:
    items = Collection("items", key="id")
    seen: list[list[int]] = []

    async def main() -> None:
        items.subscribe(lambda changes: seen.append([c.key for c in changes]))
        inside, outside = asyncio.Event(), asyncio.Event()

        async def child() -> None:  # started inside the batch, so it inherits its context
            await inside.wait()
            write(items, {"id": 2})
            with batch():
                write(items, {"id": 3})
            outside.set()

        with batch():
            write(items, {"id": 1})
            task = asyncio.create_task(child())
            inside.set()
            await outside.wait()
            write(items, {"id": 4})
        await task

    asyncio.run(main())
    assert seen == [[2], [3], [1, 4]]


def test_an_await_inside_sync_lets_no_other_task_write_into_it() -> None:
    items = Collection("items", key="id")
    seen: list[list[int]] = []

    async def main() -> None:
        items.subscribe(lambda changes: seen.append([c.key for c in changes]))

        async def other() -> None:
            write(items, {"id": 2})

        async def body() -> None:
            with items.sync() as writer:
                writer.insert({"id": 1})
                await asyncio.create_task(other())
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await body()

    asyncio.run(main())
    assert seen == [[2]]


def test_callbacks_of_a_batch_do_not_write_into_it() -> None:
    items, log = Collection("items", key="id"), Collection("log", key="id")
    epochs: list[list[int]] = []
    items.subscribe(lambda changes: write(log, *({"id": c.key} for c in changes)))
    log.subscribe(lambda changes: epochs.append([c.key for c in changes]))
    with batch():
        write(items, {"id": 1})
        write(items, {"id": 2})
    assert epochs == [[1, 2]]
