import asyncio
from typing import Any

import pytest

from dataflow import Collection, CollectionError, LiveQuery, batch, count, fn, live, query, run
from dataflow.circuit.graph import current_graph

Row = dict[str, Any]


class RowSource:
    """A source that delivers what it is told to, when it is told to."""

    def __init__(self, items: Collection[Row]) -> None:
        self.items = items
        self.is_started = False

    def start(self) -> None:
        self.is_started = True

    def deliver(self, *rows: Row) -> None:
        write(self.items, *rows)
        self.items.mark_ready()


def collection(*, ready: bool = True) -> Collection[Row]:
    return Collection("items", key="id", ready=ready)


def write(items: Collection[Row], *rows: Row) -> None:
    with items.sync() as writer:
        for row in rows:
            writer.upsert(row)


def positive(items: Collection[Row]) -> LiveQuery[Row]:
    row = items.alias("row")
    return live(query(row).where(row.n > 0))


def told(*sources: Collection[Row] | LiveQuery[Row]) -> list[Any]:
    seen: list[Any] = []
    for name, source in zip("abc", sources, strict=False):
        source.subscribe_status(lambda status, name=name: seen.append((name, status)))  # type: ignore[misc]
    return seen


def test_a_failed_source_keeps_its_rows_and_those_of_everything_derived() -> None:
    items = collection()
    write(items, {"id": 1, "n": 1})
    result = positive(items)
    further = live(query(result))
    seen = told(items, result, further)
    failure = OSError("gone")
    items.mark_error(failure)
    assert [each.status for each in (items, result, further)] == ["error"] * 3
    assert [each.error for each in (items, result, further)] == [failure] * 3
    assert [each.rows() for each in (items, result, further)] == [[{"id": 1, "n": 1}]] * 3
    assert run(query(items)) == [{"id": 1, "n": 1}]
    write(items, {"id": 2, "n": 2})
    assert further.rows() == [{"id": 1, "n": 1}, {"id": 2, "n": 2}]
    items.mark_ready()
    assert [each.status for each in (items, result, further)] == ["ready"] * 3
    assert [each.error for each in (items, result, further)] == [None] * 3
    assert seen == [
        ("a", "error"),
        ("b", "error"),
        ("c", "error"),
        ("a", "ready"),
        ("b", "ready"),
        ("c", "ready"),
    ]


def test_a_source_that_fails_before_its_first_rows_leaves_queries_waiting_for_them() -> None:
    items = collection(ready=False)
    row = items.alias("row")
    total = live(query(row).select(n=count()))
    seen = told(items, total)
    items.mark_error(OSError("gone"))
    assert (total.status, total.rows()) == ("error", [])
    write(items, {"id": 1, "n": 1})
    assert total.rows() == []
    items.mark_ready()
    assert (total.status, total.rows()) == ("ready", [{"n": 1}])
    assert seen == [("a", "error"), ("b", "error"), ("b", "ready"), ("a", "ready")]


def test_status_subscribers_are_told_of_failures_of_the_query_too() -> None:
    items = collection()
    row = items.alias("row")
    result = live(query(row).select(n=fn(lambda n: 1 // n, row.n)))
    seen = told(result)
    write(items, {"id": 1, "n": 0})
    write(items, {"id": 1, "n": 1})
    assert seen == [("a", "error"), ("a", "ready")]


def test_in_a_batch_only_becoming_ready_waits_for_the_end() -> None:
    items = collection()
    seen = told(items)
    with batch():
        items.mark_error(OSError())
        items.mark_ready()
        assert items.status == "error"  # ready takes effect with the batch
    assert seen == [("a", "error"), ("a", "ready")]


def test_a_closed_collection_can_be_read_but_not_written() -> None:
    items = collection()
    write(items, {"id": 1, "n": 1})
    result, seen = positive(items), told(items)
    subscription = items.subscribe(print)
    items.close()
    items.close()
    items.mark_error(OSError())
    items.mark_ready()
    assert (items.status, items.error, items.rows()) == ("closed", None, [{"id": 1, "n": 1}])
    assert subscription.closed
    assert (result.status, result.rows(), seen) == (
        "ready",
        [{"id": 1, "n": 1}],
        [("a", "closed")],
    )
    with pytest.raises(CollectionError, match="collection 'items' is closed"):
        items.sync()


def test_closing_a_collection_before_it_is_ready_lets_queries_start() -> None:
    items = collection(ready=False)
    write(items, {"id": 1, "n": 1})
    result = positive(items)
    deliveries: list[Any] = []
    result.subscribe(deliveries.append)
    seen = told(result)
    items.close()
    assert (result.rows(), seen) == ([{"id": 1, "n": 1}], [("a", "ready")])
    assert [[change.op for change in changes] for changes in deliveries] == [["insert"]]


def test_closing_a_result_is_the_last_status_told() -> None:
    items = collection()
    result = positive(items)
    seen = told(result)
    result.close()
    items.mark_error(OSError())
    assert seen == [("a", "closed")]


def test_a_closed_status_subscription_is_not_called() -> None:
    items = collection()
    seen: list[str] = []
    with items.subscribe_status(seen.append) as subscription:
        items.mark_error(OSError())
    items.mark_ready()
    subscription.close()
    assert (seen, subscription.closed) == (["error"], True)


def test_what_a_status_subscriber_raises_starves_nobody() -> None:
    items = collection()
    seen: list[str] = []

    def explode(_: str) -> None:
        raise ValueError("no")

    items.subscribe_status(explode)
    items.subscribe_status(seen.append)
    write(items, {"id": 1})
    with pytest.raises(ExceptionGroup) as caught:
        items.mark_error(OSError())
    assert [repr(error) for error in caught.value.exceptions] == ["ValueError('no')"]
    assert seen == ["error"]


def test_changes_raise_when_the_source_fails_and_end_when_it_closes() -> None:
    async def follow() -> None:
        items = collection()
        result = positive(items)
        following, derived, closing = items.changes(), result.changes(), items.changes()
        waiting = [asyncio.ensure_future(anext(each)) for each in (following, derived)]
        await asyncio.sleep(0)
        items.mark_error(OSError("gone"))
        done = await asyncio.gather(*waiting, return_exceptions=True)
        assert [str(error) for error in done] == [
            "collection 'items' is in status 'error': OSError('gone')",
            "live query 'row' is in status 'error': OSError('gone')",
        ]
        items.mark_ready()
        write(items, {"id": 1, "n": 1})
        assert [change.key for change in await anext(closing)] == [1]
        items.close()
        assert [change async for change in closing] == []

    asyncio.run(follow())


def test_a_collection_with_a_loader_is_idle_until_it_is_preloaded() -> None:
    async def load() -> None:
        items = collection(ready=False)
        source = RowSource(items)
        seen = told(items)
        items.fill_from(source)
        result = positive(items)
        assert (items.status, result.status, source.is_started) == ("idle", "loading", False)
        first, second = (asyncio.ensure_future(items.preload()) for _ in range(2))
        await asyncio.sleep(0)
        assert (items.status, source.is_started) == ("loading", True)
        source.deliver({"id": 1, "n": 1})
        await asyncio.gather(first, second)
        await items.preload()
        assert (items.status, result.rows()) == ("ready", [{"id": 1, "n": 1}])
        assert seen == [("a", "idle"), ("a", "loading"), ("a", "ready")]
        with pytest.raises(CollectionError, match="'items' is filled from another source"):
            items.fill_from(source)

    asyncio.run(load())


def test_preload_raises_what_the_source_failed_on() -> None:
    async def load() -> None:
        items = collection(ready=False)
        items.fill_from(RowSource(items))
        preloading = asyncio.ensure_future(items.preload())
        await asyncio.sleep(0)
        items.mark_error(OSError("gone"))
        with pytest.raises(CollectionError, match="status 'error'") as caught:
            await preloading
        assert str(caught.value.__cause__) == "gone"

    asyncio.run(load())


def test_waiting_for_a_collection_that_closes_raises() -> None:
    async def wait() -> None:
        items = collection(ready=False)
        waiting = asyncio.ensure_future(items.wait_ready())
        await asyncio.sleep(0)
        items.close()
        with pytest.raises(CollectionError, match="collection 'items' is in status 'closed'"):
            await waiting
        with pytest.raises(CollectionError, match="'closed'"):
            await items.wait_ready()

    asyncio.run(wait())


def test_status_subscriptions_leave_nothing_behind() -> None:
    items = collection()
    anchors = current_graph().anchors
    before = len(anchors)
    first, second = items.subscribe_status(print), positive(items).subscribe_status(print)
    assert len(anchors) == before + 2
    first.close()
    second.close()
    third = items.subscribe_status(lambda status: None)
    items.close()
    assert (len(anchors), third.closed) == (before, True)
