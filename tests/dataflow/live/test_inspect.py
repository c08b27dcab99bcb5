from typing import Any

import pytest

from dataflow import Collection, CollectionError, QueryError, count, effect, inspect, live, query

Row = dict[str, Any]


def table(count: int) -> Collection[Row]:
    items: Collection[Row] = Collection("items", key="id")
    with items.sync() as write:
        for i in range(count):
            write.insert({"id": i, "v": i % 3})
    return items


def cells(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()[2:]]


def test_each_node_says_what_it_holds_and_has_done() -> None:
    items = table(9)
    item = items.alias("item")
    text = query(item).where(item.v > 0).group_by(item.v).select(v=item.v, n=count())
    result = live(text, name="counts")
    other = live(query(item).where(item.v > 0))
    assert inspect(result).splitlines()[0] == "live query 'counts', ready, 2 rows"
    before = [line[-4:] for line in cells(inspect(result))]
    with items.sync() as write:
        write.insert({"id": 10, "v": 2})
        write.insert({"id": 11, "v": 0})
    after = [line[-4:] for line in cells(inspect(result))]
    assert before[-1] == ["2", "0", "0", "1"]
    assert after[-1] == ["2", "2", "1", "1"]
    assert after[0] == ["items", "11", "11", "2"]
    other.close()


def test_a_node_that_failed_is_marked() -> None:
    items = table(2)
    result = live(query(items).map(lambda row: 1 // row["v"]))
    assert inspect(result).splitlines()[0].endswith(", error, 0 rows")
    assert "select (failed)" in inspect(result).splitlines()[-1]


def test_effects_have_a_circuit_and_loading_queries_have_none_yet() -> None:
    items: Collection[Row] = Collection("items", key="id", ready=False)
    running = effect(query(items), on_enter=print)
    assert inspect(running) == "effect, loading\n  no circuit yet: a source is still loading"
    items.mark_ready()
    assert inspect(running).startswith("effect, ready\n")
    running.close()


def test_what_does_not_run_is_refused() -> None:
    items = table(1)
    with pytest.raises(
        QueryError, match=r"^expected a live query or an effect, not Query; explain"
    ):
        inspect(query(items))  # type: ignore[arg-type]  # on purpose
    result = live(query(items))
    result.close()
    with pytest.raises(CollectionError, match="is closed"):
        inspect(result)
