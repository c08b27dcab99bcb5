import asyncio
import gc
from typing import Any

import pytest

from dataflow import (
    Change,
    Collection,
    CollectionError,
    LiveQuery,
    QueryError,
    batch,
    count,
    live,
    mark_ready,
    query,
    run,
)
from dataflow.circuit.graph import current_graph
from dataflow.query.compiler import plan

Row = dict[str, Any]


def loading(name: str = "items") -> Collection[Row]:
    return Collection(name, key="id", ready=False)


def write(items: Collection[Row], *rows: Row) -> None:
    with items.sync() as writer:
        for row in rows:
            writer.upsert(row)


def counted(source: Collection[Row] | LiveQuery[Row]) -> LiveQuery[Row]:
    return live(query(source.alias("s")).select(n=count()))


def followed(*results: LiveQuery[Row]) -> list[Any]:
    seen: list[Any] = []
    for name, result in zip("abcdef", results, strict=False):
        result.subscribe(
            lambda changes, name=name: seen.append((name, [(c.op, c.key) for c in changes])),  # type: ignore[misc]
        )
    return seen


def test_a_result_is_empty_and_loading_until_its_source_is_ready() -> None:
    items = loading()
    result, total = live(query(items.alias())), counted(items)
    assert [items.status, result.status, total.status] == ["loading"] * 3
    write(items, {"id": 1})
    assert (items.rows(), result.rows(), list(total), len(total)) == ([{"id": 1}], [], [], 0)
    assert 1 not in result
    with pytest.raises(KeyError):
        result[1]
    with pytest.raises(CollectionError, match="still loading"):
        run(query(items))
    items.mark_ready()
    assert [items.status, result.status, total.status] == ["ready"] * 3
    assert [dict(result), dict(total)] == [{1: {"id": 1}}, {(): {"n": 1}}]
    items.mark_ready()
    write(items, {"id": 2})
    assert (len(result), total[()]) == (2, {"n": 2})


def test_several_sources_get_ready_in_one_epoch_with_everything_derived() -> None:
    left, right = loading("left"), loading("right")
    l, r = left.alias(), right.alias()  # noqa: E741
    both = live(query(l).join(r, on=l.id == r.id).select(id=l.id))
    derived = live(query(both.alias("b")).where(both.alias("b").id > 0))
    total = counted(derived)
    seen = followed(total, derived, both)
    write(left, {"id": 1}, {"id": 2})
    write(right, {"id": 1})
    epoch = current_graph().epoch
    mark_ready((left, right))
    assert current_graph().epoch == epoch + 1
    assert seen == [
        ("c", [("insert", (1, 1))]),
        ("b", [("insert", (1, 1))]),
        ("a", [("insert", ())]),
    ]


def test_a_result_waits_for_the_last_of_its_sources() -> None:
    left, right = loading("left"), loading("right")
    l, r = left.alias(), right.alias()  # noqa: E741
    both = live(query(l).join(r, on=l.id == r.id).select(id=l.id))
    alone = live(query(left))
    seen = followed(both, alone)
    left.mark_ready()
    write(left, {"id": 1})
    assert (both.status, alone.status, seen) == ("loading", "ready", [("b", [("insert", 1)])])
    write(right, {"id": 1})
    right.mark_ready()
    assert (both.status, seen[1:]) == ("ready", [("a", [("insert", (1, 1))])])


def test_rows_of_a_collection_are_not_announced_again_when_it_gets_ready() -> None:
    items = loading()
    mirror = live(query(items))
    seen: list[Any] = []
    items.subscribe(lambda changes: seen.append(("items", len(changes))))
    mirror.subscribe(lambda changes: seen.append(("mirror", len(changes))))
    write(items, {"id": 1}, {"id": 2})
    items.mark_ready()
    assert seen == [("items", 2), ("mirror", 2)]


def test_results_that_share_a_node_are_each_announced_once() -> None:
    items = loading()
    first, second = counted(items), counted(items)
    seen = followed(first, second)
    items.mark_ready()
    assert seen == [("a", [("insert", ())]), ("b", [("insert", ())])]


def test_where_and_changes_see_the_first_rows_as_inserts() -> None:
    items = loading()
    item = items.alias()
    result = live(query(item).order_by(item.id.desc()))
    narrow: list[Any] = []
    result.subscribe(narrow.extend, where=lambda row: row["id"] > 1)
    late = result.changes()
    present = result.changes(initial=True)

    async def main() -> list[list[Change[Row]]]:
        write(items, {"id": 1}, {"id": 2}, {"id": 3})
        items.mark_ready()
        return [await anext(late), await anext(present), await anext(present)]

    inserts = [Change("insert", key, {"id": key}, None) for key in (3, 2, 1)]
    assert asyncio.run(main()) == [inserts, [], inserts]
    assert narrow == inserts[:2]


def test_a_subscription_to_a_loading_result_lives_without_its_handle() -> None:
    items = loading()
    seen: list[Any] = []
    live(query(items.alias())).subscribe(seen.append)
    gc.collect()
    write(items, {"id": 1})
    items.mark_ready()
    assert [[c.key for c in changes] for changes in seen] == [[1]]


def test_a_loading_result_that_nobody_holds_is_released() -> None:
    items = loading()
    for _ in range(10):
        live(query(items.alias()))
        with live(query(items.alias())):
            pass
    gc.collect()
    current_graph().collect()
    assert items._waiting == {}


def test_a_batch_may_bring_rows_and_readiness_as_one_epoch() -> None:
    items, other = loading(), Collection("other", key="id")
    result, ready = live(query(items.alias())), live(query(other.alias()))
    seen = followed(result, ready)
    epoch = current_graph().epoch
    with batch():
        items.mark_ready()
        write(items, {"id": 1})
        write(other, {"id": 2})
        assert (items.status, result.status) == ("loading", "loading")
    assert current_graph().epoch == epoch + 1
    assert sorted(seen) == [("a", [("insert", 1)]), ("b", [("insert", 2)])]
    late = loading("late")

    def body() -> None:
        with batch():
            late.mark_ready()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        body()
    assert late.status == "loading"


def test_a_source_may_get_ready_in_a_callback() -> None:
    items, other = Collection("items", key="id"), loading("other")
    total = counted(other)
    seen = followed(total)

    def twice(_: object) -> None:
        other.mark_ready()
        mark_ready((other, other))

    items.subscribe(twice)
    write(items, {"id": 1})
    assert seen == [("a", [("insert", ())])]


def test_a_result_that_cannot_start_is_in_error_and_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any) -> None:
        raise QueryError("not like this")

    monkeypatch.setattr(plan, "Order", refuse)
    left, right = loading("left"), loading("right")
    l, r = left.alias(), right.alias()  # noqa: E741
    refused = live(query(l).where(l.id > 0).join(r, on=l.id == r.id).order_by(r.id))
    derived = counted(refused)
    fine = counted(left)
    mark_ready((left, right))
    assert [refused.status, derived.status, fine.status] == ["error", "error", "ready"]
    assert str(refused.error) == "not like this"
    assert refused.rows() == derived.rows() == []
    with pytest.raises(CollectionError, match="is in status 'error'"):
        counted(refused)
    refused.restart()
    assert refused.status == "error"


def test_wait_ready_returns_when_the_first_rows_are_there() -> None:
    items = loading()
    total = counted(items)
    done: list[str] = []

    async def wait(source: Any, name: str) -> None:
        await source.wait_ready()
        done.append(name)

    async def main() -> None:
        tasks = [asyncio.create_task(wait(s, n)) for s, n in ((items, "items"), (total, "total"))]
        await asyncio.sleep(0)
        assert done == []
        items.mark_ready()
        await asyncio.gather(*tasks)
        await total.wait_ready()

    asyncio.run(main())
    assert sorted(done) == ["items", "total"]
    assert total[()] == {"n": 0}


def test_wait_ready_raises_when_there_will_be_no_rows() -> None:
    items = loading()
    failing = live(query(items).map(lambda row: 1 / row["v"]), name="failing")
    closing = live(query(items.alias()), name="closing")
    write(items, {"id": 1, "v": 0})

    async def main() -> list[Any]:
        tasks = [asyncio.create_task(result.wait_ready()) for result in (failing, closing)]
        await asyncio.sleep(0)
        closing.close()
        items.mark_ready()
        return await asyncio.gather(*tasks, return_exceptions=True)

    failed, closed = asyncio.run(main())
    assert [str(failed), str(closed)] == [
        "live query 'failing' is in status 'error'",
        "live query 'closing' is closed",
    ]
    assert isinstance(failed.__cause__, ZeroDivisionError)


def test_a_cancelled_wait_ready_leaves_nothing_behind() -> None:
    items = loading()

    async def main() -> None:
        task = asyncio.create_task(items.wait_ready())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert items._waiting == {}
