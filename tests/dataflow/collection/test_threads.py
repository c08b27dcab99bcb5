import asyncio
import json
import queue
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from dataflow import Collection, CollectionError, batch, live, mark_ready, query, run

Row = dict[str, Any]

MODULE_LEVEL: Collection[Row] = Collection("module level", key="id")


def in_thread(call: Callable[[], Any]) -> Any:
    """Call something in a thread of its own; return its result or raise what it raised."""
    results: list[Any] = []

    def body() -> None:
        try:
            results.append((call(), None))
        except BaseException as error:  # noqa: BLE001 - handed over
            results.append((None, error))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    result, error = results[0]
    if error is not None:
        raise error
    return result


def write(items: Collection[Row], *rows: Row) -> None:
    with items.sync() as writer:
        for row in rows:
            writer.upsert(row)


USES: dict[str, Callable[[Any], object]] = {
    "rows": lambda s: s.rows(),
    "len": len,
    "iteration": list,
    "in": lambda s: 1 in s,
    "==": lambda s: s == {},
    "values": lambda s: list(s.values()),
    "subscribe": lambda s: s.subscribe(print),
    "changes": lambda s: s.changes(),
    "live": lambda s: live(query(s.alias())),
    "run": lambda s: run(query(s.alias())),
    "wait_ready": lambda s: asyncio.run(s.wait_ready()),
}
OF_A_COLLECTION: dict[str, Callable[[Any], object]] = {
    "write": lambda c: write(c, {"id": 1}),
    "mark_ready": lambda c: mark_ready((c,)),
}
OF_A_RESULT: dict[str, Callable[[Any], object]] = {
    "close": lambda r: r.close(),
    "restart": lambda r: r.restart(),
    "statistics": lambda r: r.statistics(),
}


def refuses(source: Any, use: Callable[[Any], object], label: str) -> None:
    with pytest.raises(CollectionError, match=f"^{label} belongs to another thread") as caught:
        in_thread(lambda: use(source))
    assert caught.value.__notes__ == [
        "hand the change over: loop.call_soon_threadsafe(fn) or a queue.Queue read by the owner thread"
    ]


@pytest.mark.parametrize("ready", [True, False])
@pytest.mark.parametrize("use", [*USES, *OF_A_COLLECTION])
def test_a_collection_is_used_in_one_thread(use: str, *, ready: bool) -> None:
    items: Collection[Row] = Collection("items", key="id", ready=ready)
    write(items, {"id": 1})
    refuses(items, (USES | OF_A_COLLECTION)[use], "collection 'items'")
    assert items == {1: {"id": 1}}


@pytest.mark.parametrize("ready", [True, False])
@pytest.mark.parametrize("use", [*USES, *OF_A_RESULT])
def test_a_live_result_is_used_in_one_thread(use: str, *, ready: bool) -> None:
    items: Collection[Row] = Collection("items", key="id", ready=ready)
    result = live(query(items.alias()), name="result")
    refuses(result, (USES | OF_A_RESULT)[use], "live query 'result'")
    items.mark_ready()
    write(items, {"id": 1})
    assert result == {1: {"id": 1}}


def test_a_writer_is_entered_in_the_thread_of_its_collection() -> None:
    items: Collection[Row] = Collection("items", key="id")
    write(items, {"id": 1})
    writer = items.sync()

    def enter(items: Any) -> None:
        with writer as entered:
            entered.insert({"id": 2})

    refuses(items, enter, "collection 'items'")
    assert items == {1: {"id": 1}}


def test_a_single_key_is_read_unchecked() -> None:
    items: Collection[Row] = Collection("items", key="id")
    write(items, {"id": 1})
    assert in_thread(lambda: items[1]) == {"id": 1}


def test_followers_are_closed_in_their_own_thread() -> None:
    items: Collection[Row] = Collection("items", key="id")
    subscription, changes = items.subscribe(print), items.changes()
    with pytest.raises(CollectionError, match="a subscription belongs to another thread"):
        in_thread(subscription.close)
    with pytest.raises(CollectionError, match=r"changes\(\) belongs to another thread"):
        in_thread(lambda: asyncio.run(changes.aclose()))
    subscription.close()
    asyncio.run(changes.aclose())


def test_a_collection_belongs_to_the_thread_of_its_first_use_not_of_its_creation() -> None:
    item = MODULE_LEVEL.alias("item")
    text = query(item).where(item.v > 1)  # building a query is no use

    def use() -> list[Row]:
        result = live(text)
        write(MODULE_LEVEL, {"id": 1, "v": 1}, {"id": 2, "v": 2})
        return result.rows()

    assert in_thread(use) == [{"id": 2, "v": 2}]
    with pytest.raises(CollectionError, match="'module level' belongs to another thread"):
        MODULE_LEVEL.rows()


def test_a_thread_that_gets_the_ident_of_an_ended_one_is_another_thread() -> None:
    items: Collection[Row] = Collection("items", key="id")
    idents = set()

    def first() -> None:
        idents.add(threading.get_ident())
        write(items, {"id": 1})

    def later() -> None:
        idents.add(threading.get_ident())
        with pytest.raises(CollectionError, match="another thread"):
            items.rows()

    in_thread(first)
    for _ in range(20):
        in_thread(later)


def test_collections_of_two_threads_do_not_mix() -> None:
    theirs: Collection[Row] = Collection("theirs", key="id")
    in_thread(lambda: write(theirs, {"id": 1}))
    mine: Collection[Row] = Collection("mine", key="id")
    a, b = mine.alias("a"), theirs.alias("b")
    with pytest.raises(CollectionError, match="'theirs' belongs to another thread"):
        live(query(a).join(b, on=a.id == b.id).select(id=a.id))


def test_graphs_of_two_threads_run_side_by_side() -> None:
    def work(offset: int) -> list[int]:
        items: Collection[Row] = Collection("items", key="id")
        item = items.alias()
        result = live(query(item).where(item.id >= offset).order_by(item.id))
        for key in range(offset, offset + 50):
            write(items, {"id": key})
        return list(result)

    results: dict[int, list[int]] = {}
    threads = [threading.Thread(target=lambda n=n: results.update({n: work(n)})) for n in (0, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {n: list(range(n, n + 50)) for n in (0, 1000)}


def apply(events: Collection[Row], rows: list[Row]) -> None:
    with events.sync() as writer:
        for row in rows:
            writer.upsert(row)


def test_a_worker_thread_hands_events_to_the_thread_of_the_loop() -> None:
    events: Collection[Row] = Collection("events", key="id")
    lines = [json.dumps([{"id": i, "n": i}, {"id": i + 1, "n": i}]) for i in range(20)]

    def worker(loop: asyncio.AbstractEventLoop, lines: Iterable[str]) -> None:
        for line in lines:
            loop.call_soon_threadsafe(apply, events, json.loads(line))

    async def main() -> dict[int, int]:
        loop = asyncio.get_running_loop()
        state: dict[int, int] = {}
        async with events.changes() as epochs:
            thread = threading.Thread(target=worker, args=(loop, lines))
            thread.start()
            async for changes in epochs:
                state |= {change.key: change.value["n"] for change in changes}
                if state.get(20) is not None:
                    thread.join()
                    return state
        raise AssertionError

    assert asyncio.run(main()) == {**{i: i for i in range(20)}, 20: 19}


def test_without_a_loop_a_queue_hands_events_over() -> None:
    events: Collection[Row] = Collection("events", key="id")
    inbox: queue.Queue[list[Row] | None] = queue.Queue()

    def worker() -> None:
        inbox.put([{"id": 1}])
        inbox.put(None)

    thread = threading.Thread(target=worker)
    thread.start()
    for rows in iter(inbox.get, None):
        apply(events, rows)
    thread.join()
    assert events.rows() == [{"id": 1}]


def test_a_thread_that_inherits_the_context_of_a_batch_is_not_in_it() -> None:
    mine: Collection[Row] = Collection("mine", key="id")
    theirs: Collection[Row] = Collection("theirs", key="id")

    async def main() -> None:
        with batch():
            write(mine, {"id": 1})
            await asyncio.to_thread(write, theirs, {"id": 2})
            assert theirs[2] == {"id": 2}
            assert mine.rows() == []

    asyncio.run(main())
    assert mine.rows() == [{"id": 1}]
