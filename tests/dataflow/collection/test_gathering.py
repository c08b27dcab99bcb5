import asyncio
import gc
import math
import random
from typing import Any

import pytest

from dataflow import Change, Collection, CollectionError, live, query
from dataflow.collection.statistics import SubscriptionStatistics
from dataflow.testing import ManualClock

Row = dict[str, Any]


def write(items: Collection[Row], *rows: Row) -> None:
    with items.sync() as writer:
        for row in rows:
            writer.upsert(row)


def told(changes: list[Change[Row]]) -> list[tuple[str, Any, Any]]:
    return [(change.op, change.key, change.value["v"]) for change in changes]


def test_changes_are_told_together_once_the_time_is_over() -> None:
    clock = ManualClock()
    seen: list[Any] = []
    items: Collection[Row] = Collection("items", key="id")
    items.subscribe(
        lambda changes: seen.append((clock.time(), told(changes))), every=2, clock=clock
    )
    write(items, {"id": 1, "v": 1})
    clock.advance(1)
    write(items, {"id": 1, "v": 2}, {"id": 2, "v": 1})
    assert seen == []
    clock.advance(1)
    assert seen == [(2.0, [("insert", 1, 2), ("insert", 2, 1)])]
    clock.advance(10)
    write(items, {"id": 1, "v": 3})
    clock.advance(2)
    assert seen[1:] == [(14.0, [("update", 1, 3)])]


def test_what_comes_and_goes_meanwhile_is_not_told() -> None:
    clock = ManualClock()
    seen: list[Any] = []
    items: Collection[Row] = Collection("items", key="id")
    handle = items.subscribe(seen.append, every=1, clock=clock)
    write(items, {"id": 1, "v": 1})
    assert handle.statistics() == SubscriptionStatistics(0, 1)
    with items.sync() as writer:
        writer.delete(1)
    assert handle.statistics() == SubscriptionStatistics(0, 0)
    clock.advance(5)
    assert seen == []


def test_flush_tells_at_once_and_the_clock_then_has_nothing_to_do() -> None:
    clock = ManualClock()
    seen: list[Any] = []
    items: Collection[Row] = Collection("items", key="id")
    handle = items.subscribe(lambda changes: seen.append(told(changes)), every=1, clock=clock)
    handle.flush()
    write(items, {"id": 1, "v": 1})
    handle.flush()
    assert seen == [[("insert", 1, 1)]]
    clock.advance(5)
    assert seen == [[("insert", 1, 1)]]


def test_without_end_only_flush_tells() -> None:
    seen: list[Any] = []
    items: Collection[Row] = Collection("items", key="id")
    handle = items.subscribe(lambda changes: seen.append(told(changes)), every=math.inf)
    write(items, {"id": 1, "v": 1})
    write(items, {"id": 1, "v": 2})
    handle.flush()
    handle.flush()
    assert seen == [[("insert", 1, 2)]]


def test_initial_rows_are_told_at_once() -> None:
    clock = ManualClock()
    seen: list[Any] = []
    items: Collection[Row] = Collection("items", key="id")
    write(items, {"id": 1, "v": 1})
    items.subscribe(lambda changes: seen.append(told(changes)), initial=True, every=1, clock=clock)
    assert seen == [[("insert", 1, 1)]]


def test_closing_drops_what_was_gathered() -> None:
    clock = ManualClock()
    seen: list[Any] = []
    items: Collection[Row] = Collection("items", key="id")
    handle = items.subscribe(seen.append, every=1, clock=clock)
    write(items, {"id": 1, "v": 1})
    handle.close()
    handle.flush()
    clock.advance(5)
    assert seen == []


def test_folding_what_is_told_reproduces_the_source_whenever_it_was_flushed() -> None:
    for seed in range(20):
        random_, clock = random.Random(seed), ManualClock()
        items: Collection[Row] = Collection("items", key="id")
        shown: dict[Any, Row] = {}

        def show(changes: list[Change[Row]], shown: dict[Any, Row] = shown) -> None:
            for change in changes:
                assert shown.get(change.key) == change.old
                if change.op == "delete":
                    del shown[change.key]
                else:
                    shown[change.key] = change.value

        handle = items.subscribe(show, where=lambda row: row["v"] > 2, every=3, clock=clock)
        for _ in range(100):
            key = random_.randrange(6)
            if random_.random() < 0.3:
                with items.sync() as writer:
                    writer.delete(key)
            else:
                write(items, {"id": key, "v": random_.randrange(6)})
            clock.advance(random_.randrange(3))
        handle.flush()
        assert shown == {key: row for key, row in items.items() if row["v"] > 2}


def test_what_the_callback_writes_is_an_epoch_of_its_own() -> None:
    clock = ManualClock()
    seen: list[Any] = []
    items: Collection[Row] = Collection("items", key="id")
    items.subscribe(lambda changes: seen.append(("all", told(changes))))

    def answer(changes: list[Change[Row]]) -> None:
        if changes[0].value["v"] == 1:
            write(items, {"id": 2, "v": 2})
            seen.append(("answered", len(items)))

    items.subscribe(answer, every=1, clock=clock)
    write(items, {"id": 1, "v": 1})
    clock.advance(1)
    assert seen == [
        ("all", [("insert", 1, 1)]),
        ("answered", 1),
        ("all", [("insert", 2, 2)]),
    ]


def test_what_the_callback_raises_goes_to_the_clock() -> None:
    clock = ManualClock()
    items: Collection[Row] = Collection("items", key="id")
    items.subscribe(lambda _: 1 / 0, every=1, clock=clock)
    write(items, {"id": 1, "v": 1})
    with pytest.raises(ExceptionGroup) as caught:
        clock.advance(1)
    assert [type(error) for error in caught.value.exceptions] == [ZeroDivisionError]


@pytest.mark.parametrize("every", [0, -1, math.nan])
def test_every_is_a_time(every: float) -> None:
    items: Collection[Row] = Collection("items", key="id")
    with pytest.raises(CollectionError, match=r"^every is a positive number of seconds, not "):
        items.subscribe(print, every=every, clock=ManualClock())
    assert items.statistics().followed_by == 0


def test_a_clock_is_needed_where_no_loop_runs_and_useless_without_every() -> None:
    items: Collection[Row] = Collection("items", key="id")
    with pytest.raises(
        CollectionError, match=r"^every= needs a clock, and no event loop is running"
    ):
        items.subscribe(print, every=1)
    with pytest.raises(CollectionError, match=r"^clock= tells when to call, and needs every="):
        items.changes(clock=ManualClock())


def test_the_running_loop_is_the_clock_by_default() -> None:
    seen: list[Any] = []

    async def main() -> None:
        items: Collection[Row] = Collection("items", key="id")
        done = asyncio.get_running_loop().create_future()

        def show(changes: list[Change[Row]]) -> None:
            seen.append(told(changes))
            done.set_result(None)

        with items.subscribe(show, every=0.001):
            write(items, {"id": 1, "v": 1})
            write(items, {"id": 1, "v": 2})
            await asyncio.wait_for(done, 10)

    asyncio.run(main())
    assert seen == [[("insert", 1, 2)]]


def test_an_iterator_that_gathers_yields_one_list_per_interval() -> None:
    clock = ManualClock()
    seen: list[Any] = []
    items: Collection[Row] = Collection("items", key="id")
    write(items, {"id": 0, "v": 0})

    async def main() -> None:
        result = live(query(items))

        async def consume() -> None:
            async with result.changes(initial=True, every=5, clock=clock) as epochs:
                async for changes in epochs:
                    seen.append((clock.time(), told(changes)))  # noqa: PERF401 - when it was told counts

        task = asyncio.ensure_future(consume())
        for v in range(1, 5):
            await settle()
            write(items, {"id": 1, "v": v})
            clock.advance(3)
        await settle()
        result.close()
        await task

    asyncio.run(main())
    assert seen == [
        (0.0, [("insert", 0, 0)]),
        (6.0, [("insert", 1, 2)]),
        (12.0, [("update", 1, 4)]),
    ]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_an_iterator_hands_out_what_was_gathered_before_it_ends_or_fails() -> None:
    clock = ManualClock()
    items: Collection[Row] = Collection("items", key="id")

    async def main() -> None:
        closed = live(query(items))
        failed = live(query(items).map(lambda row: {"v": 1 // row["v"]}))
        ends, fails = (each.changes(every=5, clock=clock) for each in (closed, failed))
        write(items, {"id": 1, "v": 1})
        write(items, {"id": 2, "v": 0})
        closed.close()
        assert [told(changes) async for changes in ends] == [[("insert", 1, 1), ("insert", 2, 0)]]
        assert told(await anext(fails)) == [("insert", 1, 1)]
        with pytest.raises(CollectionError, match=r"is in status 'error'"):
            await anext(fails)
        await fails.aclose()

    asyncio.run(main())


def test_what_waits_for_a_consumer_who_never_comes_is_bounded_by_the_rows() -> None:
    items: Collection[Row] = Collection("items", key="id")
    stalled = items.changes()
    most = 0
    for key in range(10_000):
        with items.sync() as writer:
            writer.insert({"id": key, "v": key})
            writer.delete(key - 10)
        most = max(most, stalled.statistics().changes_waiting)
    assert most == len(items) == 10
    assert stalled.statistics() == SubscriptionStatistics(0, 10)
    del stalled
    gc.collect()
    assert items.statistics().followed_by == 0
