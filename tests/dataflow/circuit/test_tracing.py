from typing import Any

import pytest

from dataflow import Collection, Epoch, batch, count, live, query, trace_epochs
from dataflow.circuit.graph import current_graph

Row = dict[str, Any]


class Clock:
    """Goes on by a second each time it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def write(items: Collection[Row], *rows: Row) -> None:
    with items.sync() as writer:
        for row in rows:
            writer.upsert(row)


def test_an_epoch_reports_what_came_in_was_touched_and_went_out() -> None:
    users, items = Collection("users", key="id"), Collection("items", key="id")
    item = items.alias()
    result = live(query(item).where(item.v > 1).group_by(item.v).select(n=count()))
    result.subscribe(lambda _: None)
    result.subscribe(lambda _: None)
    seen: list[Epoch] = []
    with trace_epochs(seen.append, clock=Clock()):
        number = current_graph().epoch
        write(items, {"id": 1, "v": 1}, {"id": 2, "v": 2}, {"id": 3, "v": 3})
        before = result.statistics().rows_touched
        with batch():
            write(items, {"id": 1, "v": 2})
            write(users, {"id": 1}, {"id": 2})
        touched = result.statistics().rows_touched - before
    write(items, {"id": 4, "v": 4})
    assert seen == [
        Epoch(number + 1, "items", 3, before, 4, 1.0),
        Epoch(number + 2, "items, users", 3, touched, 2, 1.0),
    ]


def test_what_changes_nothing_is_no_epoch() -> None:
    items: Collection[Row] = Collection("items", key="id")
    write(items, {"id": 1})
    seen: list[Epoch] = []
    with trace_epochs(seen.append, clock=Clock()):
        write(items, {"id": 1})
    assert seen == []


def test_results_that_start_are_an_epoch_without_a_name() -> None:
    items: Collection[Row] = Collection("items", key="id", ready=False)
    result = live(query(items.alias()).select(n=count()))
    result.subscribe(lambda _: None)
    seen: list[Epoch] = []
    with trace_epochs(seen.append, clock=Clock()):
        items.mark_ready()
    assert [(e.name, e.rows_in, e.rows_touched, e.rows_out) for e in seen] == [("", 0, 0, 1)]


def test_an_epoch_of_a_callback_is_reported_on_its_own() -> None:
    items, log = Collection("items", key="id"), Collection("log", key="id")
    items.subscribe(lambda changes: write(log, {"id": changes[0].key}))
    seen: list[str] = []
    with trace_epochs(lambda epoch: seen.append(epoch.name), clock=Clock()):
        write(items, {"id": 1})
    assert seen == ["items", "log"]


def test_each_hook_has_its_clock_and_none_starves_the_next() -> None:
    items: Collection[Row] = Collection("items", key="id")
    seen: list[float] = []
    slow = Clock()

    def later() -> float:
        return 10 * slow()

    with (
        trace_epochs(lambda _: 1 / 0, clock=Clock()),
        trace_epochs(lambda epoch: seen.append(epoch.duration), clock=later),
        pytest.raises(ExceptionGroup) as caught,
    ):
        write(items, {"id": 1})
    assert [type(error) for error in caught.value.exceptions] == [ZeroDivisionError]
    assert seen == [10.0]


def test_closed_hooks_cost_nothing() -> None:
    first, second = (trace_epochs(lambda _: None, clock=Clock()) for _ in range(2))
    first.close()
    first.close()
    assert current_graph().tracer is not None
    second.close()
    assert current_graph().tracer is None


def test_a_hook_that_closes_itself_was_called_once() -> None:
    items: Collection[Row] = Collection("items", key="id")
    seen: list[int] = []

    def once(epoch: Epoch) -> None:
        seen.append(epoch.rows_in)
        trace.close()

    trace = trace_epochs(once, clock=Clock())
    write(items, {"id": 1})
    write(items, {"id": 2})
    assert seen == [1]
