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
    collect,
    count,
    live,
    query,
    run,
    sum_,
)
from dataflow.circuit.graph import current_graph
from dataflow.query.compiler import plan

Row = dict[str, Any]


def write(items: Collection[Row], *rows: Row) -> None:
    with items.sync() as writer:
        for row in rows:
            writer.upsert(row)


def held() -> tuple[int, int, int, int, int, int]:
    """Return what the graph of this thread holds, once everything unreferenced is gone."""
    gc.collect()
    graph = current_graph()
    statistics = graph.statistics()
    return (
        statistics.nodes,
        statistics.consumers,
        statistics.subscribers,
        statistics.rows_held,
        len(graph.nodes),
        len(graph.anchors),
    )


def rich(items: Collection[Row], others: Collection[Row]) -> LiveQuery[Any]:
    """Start a query with every kind of node."""
    item, other = items.alias("item"), others.alias("other")
    groups = (
        query(item)
        .join(other, on=item.g == other.g, how="left")
        .where(item.v >= 0)
        .group_by(item.g)
        .select(g=item.g, n=count(), total=sum_(item.v), ids=collect(item.id))
        .alias("groups")
    )
    return live(query(groups).order_by(groups.n).limit(5).map(dict), key="g")


def test_an_unreferenced_result_releases_everything() -> None:
    items, others = Collection("items", key="id"), Collection("others", key="id")
    write(items, {"id": 1, "g": 1, "v": 1})
    before = held()
    result = rich(items, others)
    assert held() > before
    del result
    assert held() == before
    with rich(items, others):
        pass
    assert held() == before


def test_a_thousand_results_leave_nothing() -> None:
    items, others = Collection("items", key="id"), Collection("others", key="id")
    write(items, {"id": 1, "g": 1, "v": 1})
    item = items.alias()
    before = held()
    kept = [live(query(item).where(item.v > i)) for i in range(500)]
    for i in range(500):
        live(query(item).where(item.v > i).select(id=item.id))
    rich(items, others)
    write(items, {"id": 1, "g": 2, "v": 2})
    for result in kept:
        result.subscribe(lambda _: None)
    for result in kept:
        result.close()
    assert held() == before


def test_a_dropped_result_is_not_stepped_again() -> None:
    items: Collection[Row] = Collection("items", key="id")
    calls: list[int] = []

    def noted(row: Row) -> Row:
        calls.append(row["id"])
        return row

    result = live(query(items).map(noted))
    write(items, {"id": 1})
    del result
    gc.collect()
    write(items, {"id": 2})
    assert calls == [1]


def test_a_subscription_keeps_its_result_alive() -> None:
    items: Collection[Row] = Collection("items", key="id")
    before = held()
    seen: list[Any] = []
    handle = live(query(live(query(items.alias())))).subscribe(seen.append)
    gc.collect()
    write(items, {"id": 1})
    assert [[c.key for c in changes] for changes in seen] == [[1]]
    handle.close()
    with items.sync() as writer:
        writer.delete(1)
    assert held() == before


def test_a_derived_result_keeps_its_source_alive() -> None:
    items: Collection[Row] = Collection("items", key="id")
    item = items.alias()
    before = held()
    base = live(query(item).where(item.v > 0))
    derived = live(query(base.alias("b")).select(n=count()))
    del base
    gc.collect()
    write(items, {"id": 1, "v": 1})
    assert derived == {(): {"n": 1}}
    del derived
    with items.sync() as writer:
        writer.delete(1)
    assert held() == before


def test_closing_twice_is_allowed_and_using_a_closed_result_is_not() -> None:
    items: Collection[Row] = Collection("items", key="id")
    result = live(query(items.alias()), name="mine")
    alias = result.alias()
    result.close()
    result.close()
    assert result.status == "closed"
    for use in (
        result.rows,
        lambda: list(result),
        lambda: len(result),
        lambda: 1 in result,
        lambda: result[1],
        lambda: result == {},
        lambda: result.subscribe(print),
        result.changes,
        result.statistics,
        result.restart,
        lambda: live(query(alias)),
        lambda: run(query(alias)),
    ):
        with pytest.raises(CollectionError, match=r"^live query 'mine' is closed$"):
            use()


def test_closing_a_result_ends_its_followers_and_nobody_elses() -> None:
    items: Collection[Row] = Collection("items", key="id")
    text = query(items.alias())
    closed, other = live(text), live(text)  # one node
    seen: list[str] = []
    first = closed.subscribe(lambda _: seen.append("closed"))
    other.subscribe(lambda _: seen.append("other"))
    closed.close()
    assert first.closed
    write(items, {"id": 1})
    assert seen == ["other"]


def test_closing_a_result_during_delivery_takes_effect_at_once() -> None:
    items: Collection[Row] = Collection("items", key="id")
    before = held()
    result = live(query(items.alias()))
    seen: list[str] = []
    result.subscribe(lambda _: result.close())
    result.subscribe(lambda _: seen.append("called"))
    write(items, {"id": 1})
    assert (seen, result.status) == ([], "closed")
    with items.sync() as writer:
        writer.delete(1)
    assert held() == before


def test_a_derived_result_goes_on_when_its_source_is_closed() -> None:
    items: Collection[Row] = Collection("items", key="id")
    base = live(query(items.alias()))
    derived = live(query(base))
    base.close()
    write(items, {"id": 1})
    assert (derived.status, dict(derived)) == ("ready", {1: {"id": 1}})


def test_equal_queries_are_one_plan() -> None:
    items: Collection[Row] = Collection("items", key="id")
    item = items.alias()

    def double(row: Row) -> Row:
        return {**row, "twice": True}

    def start(limit: int, function: Any = double) -> LiveQuery[Row]:
        return live(query(item).where(item.v > limit).map(function))

    before = current_graph().statistics().nodes
    first, second, third = start(1), start(1), start(2)
    assert current_graph().statistics().nodes == before + 2
    assert [node.shared_by for node in first.statistics().nodes] == [2]
    assert [node.shared_by for node in third.statistics().nodes] == [1]
    other = start(1, lambda row: row)
    assert current_graph().statistics().nodes == before + 3
    second.close()
    assert [node.shared_by for node in first.statistics().nodes] == [1]
    assert other.statistics().nodes[0].shared_by == 1


def test_constants_share_by_type_and_value() -> None:
    items: Collection[Row] = Collection("items", key="id")
    item = items.alias()
    results = [live(query(item).where(item.v == v)) for v in (1, 1.0, True, "1", 1)]
    write(items, {"id": 1, "v": 1}, {"id": 2, "v": True}, {"id": 3, "v": "1"})
    assert [list(result) for result in results] == [[1], [1], [2], [3], [1]]
    assert [result.statistics().nodes[0].shared_by for result in results] == [2, 1, 1, 1, 2]


def test_a_query_that_is_refused_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    items, others = Collection("items", key="id"), Collection("others", key="id")
    item, other = items.alias("item"), others.alias("other")
    before = held()
    joined = query(item).where(item.v > 1).join(other, on=item.g == other.g)

    def refuse(*_: Any) -> None:
        assert held() > before
        raise QueryError("not like this")

    monkeypatch.setattr(plan, "Order", refuse)
    with pytest.raises(QueryError, match=r"^not like this$"):
        live(joined.order_by(item.v))
    assert held() == before


def test_an_interrupt_while_a_result_starts_leaves_nothing() -> None:
    items: Collection[Row] = Collection("items", key="id")
    write(items, {"id": 1, "v": 1}, {"id": 2, "v": 2})
    item = items.alias()
    interrupts = [KeyboardInterrupt()]

    def interrupted(row: Row) -> Row:
        if row["id"] == 2 and interrupts:
            raise interrupts.pop()
        return row

    text = query(item).where(item.v > 0).select(id=item.id).map(interrupted)
    before = held()
    with pytest.raises(KeyboardInterrupt):
        live(text, key="id")
    assert held() == before
    assert live(text, key="id").rows() == [{"id": 1}, {"id": 2}]


def test_run_raises_what_the_function_raised_and_leaves_nothing() -> None:
    items: Collection[Row] = Collection("items", key="id")
    write(items, {"id": 1})
    before = held()
    with pytest.raises(KeyError, match="'v'"):
        run(query(items).map(lambda row: row["v"]))
    assert run(query(items).map(lambda row: row["id"])) == [1]
    assert held() == before


def test_an_abandoned_iterator_is_let_go() -> None:
    items: Collection[Row] = Collection("items", key="id")
    before = held()

    async def main() -> list[Change[Row]]:
        result = live(query(items.alias()))
        async for changes in result.changes(initial=True):
            return changes
        raise AssertionError

    assert asyncio.run(main()) == []
    assert held() == before


def test_an_awaited_iterator_keeps_its_result_alive() -> None:
    items: Collection[Row] = Collection("items", key="id")
    before = held()
    seen: list[Any] = []

    async def consume() -> None:
        async for changes in live(query(items.alias())).changes():
            seen.append([c.key for c in changes])
            if len(seen) == 2:
                return

    async def main() -> None:
        asyncio.get_running_loop().call_soon(asyncio.ensure_future, consume())
        for key in (1, 2):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            gc.collect()
            write(items, {"id": key})
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert seen == [[1], [2]]
    with items.sync() as writer:
        writer.truncate()
    assert held() == before
