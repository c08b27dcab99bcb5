import asyncio
import subprocess
import sys
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import pytest

from dataflow import Change, Changes, Collection, CollectionError, batch, live, query

Row = dict[str, Any]


def in_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a coroutine as a test, and see that it leaves no task behind."""

    @wraps(test)
    def run() -> None:
        async def checked() -> None:
            await test()
            assert asyncio.all_tasks() == {asyncio.current_task()}

        asyncio.run(checked())

    del run.__wrapped__  # pytest would take the coroutine for the test
    return run


def write(items: Collection[Row], *rows: Row) -> None:
    with items.sync() as writer:
        for row in rows:
            writer.upsert(row)


def table(*rows: Row) -> Collection[Row]:
    items = Collection("items", key="id")
    write(items, *rows)
    return items


def brief(changes: list[Change[Row]]) -> list[tuple[str, Any]]:
    return [(change.op, change.key) for change in changes]


async def waiting(changes: Changes[Any]) -> asyncio.Task[Any]:
    """Start to wait for the next changes."""
    task = asyncio.ensure_future(changes.__anext__())
    await asyncio.sleep(0)
    return task


@in_loop
async def test_it_subscribes_when_it_is_called() -> None:
    items = table({"id": 1})
    async with items.changes() as epochs:
        write(items, {"id": 2})
        assert brief(await anext(epochs)) == [("insert", 2)]


@in_loop
async def test_each_epoch_is_one_list_for_a_fast_consumer() -> None:
    items = table()
    async with items.changes() as epochs:
        for key in (1, 2):
            task = await waiting(epochs)
            assert not task.done()
            with batch():
                write(items, {"id": key})
                write(items, {"id": -key})
            assert brief(await task) == [("insert", key), ("insert", -key)]


@in_loop
async def test_what_a_slow_consumer_missed_is_one_net_change_per_key() -> None:
    items = table({"id": 1, "v": 1}, {"id": 2, "v": 1}, {"id": 3, "v": 1})
    async with items.changes() as epochs:
        write(items, {"id": 1, "v": 2}, {"id": 4, "v": 1})
        write(items, {"id": 1, "v": 3}, {"id": 2, "v": 2}, {"id": 5, "v": 1})
        with items.sync() as writer:
            writer.delete(3)
            writer.delete(4)
            writer.update({"id": 2, "v": 1})
        assert await anext(epochs) == [
            Change("update", 1, {"id": 1, "v": 3}, {"id": 1, "v": 1}),
            Change("insert", 5, {"id": 5, "v": 1}, None),
            Change("delete", 3, {"id": 3, "v": 1}, {"id": 3, "v": 1}),
        ]


@in_loop
async def test_changes_that_cancel_out_wake_nobody() -> None:
    items = table()
    async with items.changes() as epochs:
        task = await waiting(epochs)
        write(items, {"id": 1})
        with items.sync() as writer:
            writer.delete(1)
        await asyncio.sleep(0)
        assert not task.done()
        write(items, {"id": 2})
        assert brief(await task) == [("insert", 2)]


@in_loop
async def test_initial_yields_the_present_rows_in_order_once_even_if_there_are_none() -> None:
    items = table({"id": 1, "v": 2}, {"id": 2, "v": 1})
    item = items.alias()
    async with live(query(item).order_by(item.v)).changes(initial=True) as epochs:
        write(items, {"id": 3, "v": 0})
        assert brief(await anext(epochs)) == [("insert", 2), ("insert", 1)]
        assert brief(await anext(epochs)) == [("insert", 3)]
    empty = table()
    async with empty.changes(initial=True) as epochs:
        assert await anext(epochs) == []
        write(empty, {"id": 1})
        assert brief(await anext(epochs)) == [("insert", 1)]


@in_loop
async def test_it_ends_when_the_result_closes_after_what_was_before() -> None:
    items = table()
    result = live(query(items.alias()))
    twin = live(query(items.alias()))  # the same node, which stays
    early, late = result.changes(), result.changes()
    task = await waiting(early)
    write(items, {"id": 1})
    result.close()
    write(items, {"id": 2})
    assert brief(await task) == [("insert", 1)]
    assert [brief(changes) async for changes in late] == [[("insert", 1)]]
    assert [brief(changes) async for changes in early] == []
    assert len(twin) == 2


@in_loop
async def test_a_waiting_consumer_is_woken_by_close_and_by_aclose() -> None:
    items = table()
    result = live(query(items.alias()))
    for end in (lambda _: result.close(), lambda changes: changes.aclose()):
        changes = items.changes() if result.status == "closed" else result.changes()
        task = await waiting(changes)
        ending = end(changes)
        if ending is not None:
            await ending
        with pytest.raises(StopAsyncIteration):
            await task


@in_loop
async def test_it_raises_when_the_status_turns_to_error_after_what_was_before() -> None:
    items = table()
    result = live(query(items).map(lambda row: {"v": 1 / row["v"]}), name="inverse")
    derived = live(query(result), name="derived")
    waiter = await waiting(derived.changes())
    late = result.changes()
    write(items, {"id": 1, "v": 1})
    assert brief(await waiter) == [("insert", 1)]
    async with derived.changes() as epochs:
        task = await waiting(epochs)
        write(items, {"id": 2, "v": 0})
        with pytest.raises(CollectionError, match="live query 'derived' is in status 'error'") as e:
            await task
        assert isinstance(e.value.__cause__, ZeroDivisionError)
        write(items, {"id": 2, "v": 2})
        assert brief(await anext(epochs)) == [("insert", 2)]
    assert brief(await anext(late)) == [("insert", 1), ("insert", 2)]


@in_loop
async def test_many_consumers_have_each_their_own() -> None:
    items = table()
    consumers = [items.changes() for _ in range(3)]
    write(items, {"id": 1})
    first = await anext(consumers[0])
    write(items, {"id": 2})
    assert [brief(await anext(consumer)) for consumer in consumers] == [
        [("insert", 2)],
        [("insert", 1), ("insert", 2)],
        [("insert", 1), ("insert", 2)],
    ]
    assert brief(first) == [("insert", 1)]


@in_loop
async def test_one_iterator_is_for_one_consumer() -> None:
    items = table()
    async with items.changes() as epochs:
        task = await waiting(epochs)
        with pytest.raises(CollectionError, match="give each consumer its own"):
            await anext(epochs)
        write(items, {"id": 1})
        assert brief(await task) == [("insert", 1)]


@in_loop
async def test_a_cancelled_wait_loses_nothing() -> None:
    items = table()
    async with items.changes() as epochs:
        task = await waiting(epochs)
        write(items, {"id": 1})
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert brief(await anext(epochs)) == [("insert", 1)]


@in_loop
async def test_leaving_unsubscribes_at_once_and_twice_is_allowed() -> None:
    items = table()
    async with items.changes() as epochs:
        write(items, {"id": 1})
    await epochs.aclose()
    assert [changes async for changes in epochs] == []
    assert [*items._node.subscribers, *items._node.watchers] == []


def test_the_engine_alone_does_not_import_asyncio() -> None:
    program = (
        "import sys, dataflow\n"
        "c = dataflow.Collection('c', key='id')\n"
        "dataflow.live(dataflow.query(c)).subscribe(print)\n"
        "with dataflow.batch():\n"
        "    with c.sync() as w: w.insert({'id': 1})\n"
        "print('asyncio' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "False"
