import gc
from typing import Any

import pytest

from dataflow import (
    Change,
    Collection,
    CollectionError,
    InvariantError,
    QueryError,
    batch,
    count,
    effect,
    fn,
    live,
    query,
    sum_,
)
from dataflow.circuit.graph import current_graph
from dataflow.testing import strict

Row = dict[str, Any]


def write(items: Collection[Row], *rows: Row) -> None:
    with items.sync() as writer:
        for row in rows:
            writer.upsert(row)


def table(*values: int) -> Collection[Row]:
    items = Collection("items", key="id")
    write(items, *({"id": i, "v": v} for i, v in enumerate(values)))
    return items


class Log:
    """Handlers that note what they are called with."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def enter(self, change: Change[Any]) -> None:
        self.seen.append(("enter", change.key, change.value))

    def update(self, change: Change[Any]) -> None:
        self.seen.append(("update", change.key, change.old, change.value))

    def exit(self, change: Change[Any]) -> None:
        self.seen.append(("exit", change.key, change.value))

    def batch(self, changes: list[Change[Any]]) -> None:
        self.seen.append(("batch", [change.key for change in changes]))

    def error(self, error: BaseException) -> None:
        self.seen.append(("error", repr(error)))

    def take(self) -> list[Any]:
        seen, self.seen = self.seen, []
        return seen


def start(text: Any, *, skip_initial: bool = False) -> tuple[Any, Log]:
    log = Log()
    running = effect(
        text,
        on_enter=log.enter,
        on_update=log.update,
        on_exit=log.exit,
        on_batch=log.batch,
        on_error=log.error,
        skip_initial=skip_initial,
    )
    return running, log


def large(items: Collection[Row]) -> Any:
    item = items.alias("item")
    return query(item).where(item.v > 10).select(v=item.v)


def test_rows_enter_change_and_leave() -> None:
    items = table(5, 20)
    running, log = start(large(items))
    assert log.take() == [("enter", 1, {"v": 20}), ("batch", [1])]
    write(items, {"id": 0, "v": 30}, {"id": 1, "v": 21}, {"id": 2, "v": 1})
    assert log.take() == [
        ("enter", 0, {"v": 30}),
        ("update", 1, {"v": 20}, {"v": 21}),
        ("batch", [0, 1]),
    ]
    write(items, {"id": 0, "v": 0}, {"id": 1, "v": 21, "note": "unseen"})
    assert log.take() == [("exit", 0, {"v": 30}), ("batch", [0])]
    running.close()


def test_initial_rows_are_passed_over_on_request() -> None:
    items = table(20)
    running, log = start(large(items), skip_initial=True)
    write(items, {"id": 0, "v": 21})
    assert log.take() == [("update", 0, {"v": 20}, {"v": 21}), ("batch", [0])]
    running.close()


@pytest.mark.parametrize("skip_initial", [True, False])
def test_rows_there_when_the_sources_get_ready_are_initial(*, skip_initial: bool) -> None:
    items: Collection[Row] = Collection("items", key="id", ready=False)
    running, log = start(large(items), skip_initial=skip_initial)
    with batch():
        write(items, {"id": 0, "v": 20})
        items.mark_ready()
    assert log.take() == ([] if skip_initial else [("enter", 0, {"v": 20}), ("batch", [0])])
    write(items, {"id": 1, "v": 21})
    assert log.take() == [("enter", 1, {"v": 21}), ("batch", [1])]
    running.close()


def test_the_result_is_not_kept() -> None:
    items, others = table(*range(11, 200)), Collection("others", key="id")
    write(others, *({"id": i, "item": i} for i in range(100)))
    item, other = items.alias("item"), others.alias("other")
    joined = query(item).join(other, on=other.item == item.id).select(v=item.v, o=other.id)
    held = {}
    for name, begin in (
        ("live", live),
        ("effect", lambda text: effect(text, on_enter=print, skip_initial=True)),
    ):
        running = begin(joined)
        held[name] = running.statistics().rows_held
        running.close()
    assert held["live"] - held["effect"] == 100
    filtered = effect(large(items), on_exit=print)
    assert filtered.statistics().rows_held == 0
    filtered.close()


def test_a_collection_itself_can_be_followed() -> None:
    items = table(1)
    running, log = start(items)
    write(items, {"id": 0, "v": 2})
    assert log.take() == [
        ("enter", 0, {"id": 0, "v": 1}),
        ("batch", [0]),
        ("update", 0, {"id": 0, "v": 1}, {"id": 0, "v": 2}),
        ("batch", [0]),
    ]
    running.close()


def test_handlers_that_raise_starve_nobody() -> None:
    items = table()
    log = Log()

    def fail(change: Change[Row]) -> None:
        log.enter(change)
        raise KeyError(change.key)

    one = effect(items, on_enter=fail, on_batch=log.batch)
    with pytest.raises(ExceptionGroup) as caught:
        write(items, {"id": 1}, {"id": 2})
    (group,) = caught.value.exceptions
    assert isinstance(group, ExceptionGroup)
    assert [repr(error) for error in group.exceptions] == ["KeyError(1)", "KeyError(2)"]
    assert log.take() == [("enter", 1, {"id": 1}), ("enter", 2, {"id": 2}), ("batch", [1, 2])]
    with pytest.raises(ExceptionGroup) as caught:
        write(items, {"id": 3})
    assert [repr(error) for error in caught.value.exceptions] == ["KeyError(3)"]
    one.close()


def test_a_handler_that_closes_its_effect_is_the_last_one_called() -> None:
    items = table()
    seen: list[int] = []

    def only_once(change: Change[Row]) -> None:
        seen.append(change.key)
        running.close()

    running = effect(items, on_enter=only_once, on_batch=lambda _: seen.append(-1))
    write(items, {"id": 1}, {"id": 2})
    write(items, {"id": 3})
    assert (seen, running.closed, running.status) == ([1], True, "closed")


def test_what_a_handler_writes_is_the_next_epoch() -> None:
    items, log = table(), Collection[Row]("log", key="id")
    running = effect(items, on_enter=lambda change: write(log, {"id": change.key, "n": len(log)}))
    write(items, {"id": 1}, {"id": 2})
    assert log.rows() == [{"id": 1, "n": 0}, {"id": 2, "n": 0}]
    running.close()


FAILING: dict[str, Any] = {
    "map": lambda a: query(a).map(lambda row: 10 // row["v"]),
    "library above a function": lambda a: query(
        query(a).select(id=a.id, q=fn(lambda v: 10 // v, a.v)).alias("s")
    ),
    "group above a function": lambda a: (
        query(s := query(a).select(q=fn(lambda v: 10 // v, a.v)).alias("s"))
        .group_by(s.q)
        .select(q=s.q, n=count())
    ),
    "over a result": lambda a: query(
        r := live(query(a).map(lambda row: {"q": 10 // row["v"]})).alias("r")
    ).where(r.q > 0),
}


@pytest.mark.parametrize("shape", FAILING)
def test_what_was_missed_in_a_failure_is_told_after_the_recovery(shape: str) -> None:
    items = table(5, 2)
    shown: dict[Any, Any] = {}
    errors: list[BaseException] = []

    def fold(changes: list[Change[Any]]) -> None:
        for change in changes:
            assert shown.pop(change.key, None) == change.old
            if change.op != "delete":
                shown[change.key] = change.value

    text = FAILING[shape](items.alias("a"))
    with effect(text, on_batch=fold, on_error=errors.append) as running:
        before = dict(live(text))
        write(items, {"id": 1, "v": 0})
        write(items, {"id": 2, "v": 1})
        assert (running.status, running.error, shown) == ("error", errors[0], before)
        assert [type(error) for error in errors] == [ZeroDivisionError]
        write(items, {"id": 1, "v": 1})
        assert (running.status, running.error, shown) == ("ready", None, dict(live(text)))
        assert shown != before


def test_a_query_that_fails_from_the_start_says_so() -> None:
    running, log = start(query(table(0)).map(lambda row: 1 // row["v"]))
    assert log.take() == [("error", "ZeroDivisionError('integer division or modulo by zero')")]
    running.close()


def test_restart_tries_again() -> None:
    items, failing = table(1), [True]

    def look(row: Row) -> int:
        if failing[0]:
            raise OSError("not there")
        return int(row["v"])

    running, log = start(query(items).map(look))
    log.take()
    failing[0] = False
    running.restart()
    assert log.take() == [("enter", 0, 1), ("batch", [0])]
    running.close()


def test_it_lives_without_its_handle_and_leaves_nothing_when_closed() -> None:
    items = table(20)
    graph = current_graph()
    gc.collect()  # what earlier tests have left
    before = (graph.statistics().nodes, graph.statistics().subscribers, len(graph.anchors))
    log = Log()
    item = items.alias("item")
    text = query(item).group_by(item.v).select(n=sum_(item.id))
    handles = [effect(text, on_enter=log.enter, on_error=log.error) for _ in range(3)]
    assert graph.statistics().nodes > before[0]
    kept = handles.pop()
    del handles
    gc.collect()
    log.take()
    write(items, {"id": 5, "v": 7})
    assert log.take() == [("enter", 7, {"n": 5})] * 3
    kept.close()
    kept.close()
    for each in list(graph.anchors):  # what else is closed by hand when its handle is lost
        owner = getattr(getattr(each, "_call", None), "__self__", None)
        if isinstance(owner, type(kept)):
            owner.close()
    gc.collect()
    after = (graph.statistics().nodes, graph.statistics().subscribers, len(graph.anchors))
    assert after == before


def test_what_is_no_effect_is_refused_and_leaves_nothing() -> None:
    items = table(1)
    before = items.statistics()

    async def later(_: Any) -> None: ...

    with pytest.raises(CollectionError, match="needs a handler"):
        effect(items)
    with pytest.raises(CollectionError, match="cannot call a coroutine function"):
        effect(items, on_enter=later)
    with pytest.raises(QueryError, match="expected a query or a source, not str"):
        effect("items", on_enter=print)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(ExceptionGroup):
        effect(items, on_enter=lambda _: 1 / 0)
    assert items.statistics() == before


def test_strict_mode_finds_a_handler_that_changes_a_row() -> None:
    items = table(1)

    def spoil(change: Change[Row]) -> None:
        change.value["v"] = 0

    def watched() -> None:
        with strict(), effect(items, on_update=spoil), pytest.raises(ExceptionGroup):
            write(items, {"id": 0, "v": 5})

    with pytest.raises(InvariantError, match="changed a row it was given"):
        watched()
