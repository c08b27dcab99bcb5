"""Thousands of results that come and go leave nothing behind."""

import asyncio
import gc
import itertools
import weakref
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings

from dataflow import Collection, collect, count, effect, live, nested, query, selected, sum_
from dataflow.circuit.graph import current_graph
from dataflow.query.compiler import factory
from dataflow.query.optimizer import templates

Row = dict[str, Any]

ROUNDS_PER_EXAMPLE = 34  # of the profile: ten thousand in CI


def table(name: str) -> Collection[Row]:
    items: Collection[Row] = Collection(name, key="id")
    with items.sync() as write:
        for i in range(10):
            write.insert({"id": i, "g": i % 3, "v": i})
    return items


def shapes(a: Any, b: Any, n: int) -> list[Callable[[], Any]]:
    """Return queries of many kinds, none of them like those of another round."""
    filtered = query(a).where(a.v > n)
    grouped = query(a).where(a.v != n).group_by(a.g).select(g=a.g, s=sum_(a.v), r=collect(a.id))
    joined = query(a).where(a.v < n).join(b, on=a.g == b.g, how="left").select(x=a.id, y=b.id)
    children = query(b).where(b.g == a.g).order_by(b.v).limit(2)
    return [
        lambda: filtered,
        lambda: grouped.order_by(selected.s).limit(2),
        lambda: joined,
        lambda: query(a).where(a.id == n).select(a, inner=nested(children)),
        lambda: query(a).select(g=a.g, n=a.v + n).distinct(),
        lambda: query(a).map(lambda row: row["v"] + n),
        lambda: query(query(a).where(a.g == n % 3).select(g=a.g).alias("s")).select(n=count()),
    ]


def use(items: Collection[Row], others: Collection[Row], n: int) -> None:
    """Start, follow and end a result, one way or another."""
    made = shapes(items.alias("a"), others.alias("b"), n)
    text = made[n % len(made)]()
    match n % 6:
        case 0:
            live(text).close()
        case 1:
            live(text)
        case 2:
            with live(text) as result:
                result.subscribe(print)
        case 3:
            live(text).changes()
        case 4:
            effect(text, on_exit=print).close()
        case _:
            ordered = live(query(items.alias("a")).order_by(items.alias("a").v), key="id")
            ordered.subscribe_ordered(print).close()
            ordered.set_window(limit=n % 5)
            live(query(ordered))


def state() -> dict[str, int]:
    gc.collect()
    graph = current_graph()
    statistics = graph.statistics()
    return {
        "nodes": statistics.nodes,
        "consumers": statistics.consumers,
        "subscribers": statistics.subscribers,
        "rows held": statistics.rows_held,
        "shared": len(graph.nodes),
        "members": len(graph.members),
        "anchors": len(graph.anchors),
    }


def kinds() -> Counter[str]:
    gc.collect()
    return Counter(type(each).__name__ for each in gc.get_objects())


def test_results_that_come_and_go_leave_no_node_no_edge_and_no_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(templates, "_templates", {})  # none of other tests to make room for ours
    monkeypatch.setattr(templates, "TEMPLATES_KEPT", 10)  # as many as there are from the start
    items, others = table("items"), table("others")
    rounds = itertools.count()
    for _ in range(300):  # so that every shape has been compiled
        use(items, others, next(rounds))
    before, objects = state(), kinds()
    for _ in range(ROUNDS_PER_EXAMPLE * settings().max_examples):
        n = next(rounds)
        use(items, others, n)
        if n % 100 == 0:
            with items.sync() as write:
                write.upsert({"id": n % 10, "g": n % 3, "v": n})
    assert state() == before
    more = {kind: more for kind, more in (kinds() - objects).items() if more > 30}
    assert more == {}
    assert [source.physical()[0].router for source in (items, others)] == [None, None]
    assert (items.statistics().read_by, items.statistics().followed_by) == (0, 0)
    assert (others.statistics().read_by, others.statistics().followed_by) == (0, 0)


def test_compiled_shapes_are_forgotten_beyond_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "SHAPES_KEPT", 20)
    monkeypatch.setattr(factory, "_factories", {})
    item = table("items").alias("a")
    for n in range(50):
        live(query(item).select(**{f"column{n}": item.v})).close()
    assert len(factory._factories) == 20


def test_iterators_that_are_left_behind_are_let_go() -> None:
    items = table("items")
    before = state()

    async def main() -> None:
        for _ in range(1_000):
            async for _ in live(query(items)).changes(initial=True):
                break

    asyncio.run(main())
    assert state() == before


def test_results_that_failed_are_released_like_others(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL", "dataflow")  # captured records keep tracebacks, and so everything
    items = table("items")
    item = items.alias("item")
    before = state()

    def fail_at_the_start(n: int) -> None:
        failed = live(query(item).where(item.v > -n).filter(lambda row: row["missing"]))
        assert failed.status == "error"

    def fail_later(n: int) -> None:
        failed = live(query(item).where(item.v > -n).filter(lambda row: 1 / row["v"] < 2))
        with items.sync() as write:
            write.upsert({"id": 0, "g": 0, "v": 0})
        assert failed.status == "error"
        with items.sync() as write:
            write.upsert({"id": 0, "g": 0, "v": 7})
        with items.sync() as write:
            write.upsert({"id": 0, "g": 0, "v": 0})

    with items.sync() as write:
        write.upsert({"id": 0, "g": 0, "v": 7})
    for n in range(1, 10):
        fail_at_the_start(n)
        fail_later(n)
    gc.collect()
    assert (state(), items.statistics().read_by) == (before, 0)


def test_an_error_without_its_frames_still_says_where_it_was_raised() -> None:
    items = table("items")
    failed = live(query(items).filter(lambda row: row["missing"]))
    error = failed.error
    assert isinstance(error, KeyError)
    assert error.__traceback__ is None
    (note,) = error.__notes__
    assert note.startswith("raised at\n")
    assert 'row["missing"]' in note
    failed.close()


def test_a_closed_result_is_released_though_nobody_writes_to_its_source_again() -> None:
    items = table("items")
    item = items.alias()
    result = live(query(item).where(item.v > 1).order_by(item.v))
    with items.sync() as write:
        write.insert({"id": 10, "g": 1, "v": 5})
    assert result.last_node is not None
    last = weakref.ref(result.last_node)
    result.close()
    del result
    gc.collect()
    assert last() is None
