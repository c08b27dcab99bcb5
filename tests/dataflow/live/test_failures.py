"""A user function that raises: what fails, what stays, and how it recovers."""

import random
from collections.abc import Callable
from math import nan
from typing import Any

import pytest

from dataflow import (
    Change,
    Collection,
    CollectionError,
    LiveQuery,
    aggregate,
    batch,
    collect,
    count,
    first,
    fn,
    fold,
    live,
    query,
)

Row = dict[str, Any]
BAD = "bad"


class BoomError(Exception):
    pass


def checked(row: Row) -> Row:
    if row["v"] == BAD:
        raise BoomError(row["id"])
    return {"id": row["id"], "seen": row["v"]}


def checked_value(value: Any) -> Any:
    if value == BAD:
        raise BoomError
    return value


def by_map(items: Any) -> LiveQuery[Any]:
    return live(query(items).map(checked))


def by_filter(items: Any) -> LiveQuery[Any]:
    return live(query(items).filter(checked))


def by_fn(items: Any) -> LiveQuery[Any]:
    item = items.alias()
    return live(query(item).select(id=item.id, v=fn(checked_value, item.v)))


def by_group_of_nan(items: Any) -> LiveQuery[Any]:
    item = items.alias()
    found = fn(checked_value, first(item.v))
    return live(query(item).group_by(item.id).having(found != 0).select(n=count()))


def by_fn_in_where(items: Any) -> LiveQuery[Any]:
    item = items.alias()
    return live(query(item).where(fn(checked_value, item.v) != 0))


def by_fold_step(items: Any) -> LiveQuery[Any]:
    item = items.alias()

    def step(text: str, row: Row) -> str:
        return f"{text}{checked_value(row['v'])}"

    return live(query(item).group_by(item.id).select(id=item.id, text=fold(item, "", step)))


def by_fold_finish(items: Any) -> LiveQuery[Any]:
    item = items.alias()

    def step(text: str, row: Row) -> Any:
        return row["v"]

    return live(
        query(item)
        .group_by(item.id)
        .select(id=item.id, last=fold(item, "", step, finish=checked_value))
    )


def by_aggregate_add(items: Any) -> LiveQuery[Any]:
    item = items.alias()

    def add(state: Any, row: Row) -> Any:
        return checked_value(row["v"])

    total = aggregate(item, None, add, lambda state, row: None)
    return live(query(item).group_by(item.id).select(id=item.id, total=total))


def by_aggregate_finish(items: Any) -> LiveQuery[Any]:
    item = items.alias()
    total = aggregate(
        item, None, lambda state, row: row["v"], lambda state, row: None, finish=checked_value
    )
    return live(query(item).group_by(item.id).select(id=item.id, total=total))


def by_key(items: Any) -> LiveQuery[Any]:
    return live(query(items), key=lambda row: (row["id"], checked_value(row["v"])))


EVERY_WAY = [
    *(by_map, by_filter, by_fn, by_fn_in_where, by_fold_step, by_fold_finish),
    *(by_aggregate_add, by_aggregate_finish, by_key),
]
Start = Callable[[Any], LiveQuery[Any]]


def write(items: Collection[Row], *rows: Row) -> None:
    with items.sync() as writer:
        for row in rows:
            writer.upsert(row)


def table(*rows: Row) -> Collection[Row]:
    items = Collection("items", key="id")
    write(items, *rows)
    return items


def followed(result: LiveQuery[Any]) -> tuple[dict[Any, Any], list[list[Change[Any]]]]:
    """Return the rows as a subscriber would fold them, kept up to date, and the deliveries."""
    state: dict[Any, Any] = {}
    seen: list[list[Change[Any]]] = []

    def fold_in(changes: list[Change[Any]]) -> None:
        seen.append(changes)
        for change in changes:
            assert state.pop(change.key, None) == change.old
            if change.op != "delete":
                state[change.key] = change.value

    result.subscribe(fold_in, initial=True)
    seen.clear()
    return state, seen


@pytest.mark.parametrize("start", EVERY_WAY)
def test_a_failed_result_keeps_its_last_good_rows_and_harms_nobody_else(start: Start) -> None:
    items = table({"id": 1, "v": 1}, {"id": 2, "v": 2})
    item = items.alias()
    sibling = live(query(item).select(n=count()))
    result = start(items)
    derived = live(query(result))
    counted = live(query(derived.alias("d")).select(n=count()))
    good = dict(result.items())
    _, seen = followed(result)

    write(items, {"id": 0, "v": 0}, {"id": 1, "v": BAD}, {"id": 2, "v": 3}, {"id": 4, "v": 4})
    assert [r.status for r in (result, derived, counted)] == ["error"] * 3
    assert all(isinstance(r.error, BoomError) for r in (result, derived, counted))
    assert [dict(r) for r in (result, derived, counted)] == [good, good, {(): {"n": 2}}]
    assert (items.status, len(items), sibling.status, sibling[()]) == (
        "ready",
        4,
        "ready",
        {"n": 4},
    )
    write(items, {"id": 5, "v": 5})
    assert (dict(result), seen, sibling[()]) == (good, [], {"n": 5})


@pytest.mark.parametrize("start", EVERY_WAY)
@pytest.mark.parametrize("cure", ["change", "delete"])
def test_it_recovers_in_the_epoch_that_changes_or_deletes_the_failing_row(
    start: Start, cure: str
) -> None:
    items = table({"id": 1, "v": 1}, {"id": 2, "v": 2})
    result = start(items)
    derived = live(query(result))
    state, seen = followed(result)
    write(items, {"id": 1, "v": BAD})
    write(items, {"id": 3, "v": 3})
    with items.sync() as writer:
        if cure == "change":
            writer.update({"id": 1, "v": 7})
        else:
            writer.delete(1)
    assert (result.status, result.error, derived.status) == ("ready", None, "ready")
    assert len(seen) == 1  # the net difference, as one ordinary epoch
    with items.sync() as writer:
        writer.upsert({"id": 4, "v": 4})
        writer.delete(2)
    expected = start(table(*items.rows()))
    assert result == derived == state == expected


@pytest.mark.parametrize("start", EVERY_WAY)
def test_a_failure_while_it_hydrates_is_the_status_of_a_new_result(start: Start) -> None:
    items = table({"id": 1, "v": 1}, {"id": 2, "v": BAD})
    result = start(items)
    derived = live(query(result))
    assert (result.status, derived.status, result.rows(), derived.rows()) == (
        "error",
        "error",
        [],
        [],
    )
    assert isinstance(result.error, BoomError)
    state, seen = followed(result)
    write(items, {"id": 2, "v": 2})
    assert (result.status, derived.status) == ("ready", "ready")
    assert [[change.op for change in changes] for changes in seen] == [["insert", "insert"]]
    assert result == derived == state == start(table(*items.rows()))


@pytest.mark.parametrize("start", EVERY_WAY)
def test_failures_at_random_never_show_a_half_stepped_result(start: Start) -> None:
    random_ = random.Random(start.__name__)
    items = table()
    result = start(items)
    derived = live(query(result))
    state, _ = followed(result)
    good: dict[Any, Any] = {}
    recovered = 0
    for _ in range(200):
        before = result.status
        with items.sync() as writer:
            for _ in range(random_.randint(1, 3)):
                key = random_.randrange(6)
                if random_.random() < 0.4:
                    writer.delete(key)
                else:
                    writer.upsert({"id": key, "v": random_.choice([1, 2, 3, BAD])})
        if all(row["v"] != BAD for row in items.values()):
            assert result.status == derived.status == "ready"
            good = dict(start(table(*items.rows())).items())
            recovered += before == "error"
        else:
            assert result.status == derived.status == "error"
        assert result == derived == state == good
    assert recovered > 3


def test_restart_tries_again_what_failed_on_something_outside() -> None:
    items = table({"id": 1, "v": 1})
    prices: dict[int, int] = {1: 10}
    priced = live(query(items).map(lambda row: {"id": row["id"], "price": prices[row["v"]]}))
    derived = live(query(priced))
    state, seen = followed(derived)
    write(items, {"id": 2, "v": 2})
    assert (derived.status, repr(derived.error)) == ("error", "KeyError(2)")
    derived.restart()
    assert (str(derived.status), len(derived), seen) == ("error", 1, [])
    prices[2] = 20
    derived.restart()
    assert (priced.status, derived.status, derived.error) == ("ready", "ready", None)
    assert derived == state == {1: {"id": 1, "price": 10}, 2: {"id": 2, "price": 20}}
    assert len(seen) == 1
    prices.clear()
    derived.restart()  # nothing failed, so nothing is called
    assert derived.status == "ready"


def test_two_rows_with_one_key_are_an_error_that_names_both_until_one_leaves() -> None:
    items = table({"id": 1, "slug": "a"}, {"id": 2, "slug": "b"})
    result = live(query(items.alias()), key="slug")
    state, seen = followed(result)
    write(items, {"id": 3, "slug": "b"})
    assert result.status == "error"
    assert isinstance(result.error, CollectionError)
    assert str(result.error) == "key 'slug': rows 2 and 3 have the same key 'b'"
    assert result == {"a": {"id": 1, "slug": "a"}, "b": {"id": 2, "slug": "b"}}
    with items.sync() as writer:
        writer.delete(2)
    assert [result.status, result.error] == ["ready", None]
    assert result == state == {"a": {"id": 1, "slug": "a"}, "b": {"id": 3, "slug": "b"}}
    assert [[(c.op, c.key) for c in changes] for changes in seen] == [[("update", "b")]]


def test_a_key_may_change_hands_within_an_epoch() -> None:
    items = table({"id": 1, "slug": "a"}, {"id": 2, "slug": "b"})
    result = live(query(items.alias()), key="slug")
    with batch():
        write(items, {"id": 1, "slug": "b"})
        write(items, {"id": 2, "slug": "a"})
    assert (result.status, {key: row["id"] for key, row in result.items()}) == (
        "ready",
        {"a": 2, "b": 1},
    )


def test_functions_are_called_once_per_row_version_and_never_on_old_rows() -> None:
    items = table({"id": 1, "v": 1})
    calls: list[tuple[str, int]] = []

    def noted(name: str, answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def call(row: Any) -> Any:
            calls.append((name, row["v"]))
            return answer(row)

        return call

    item = items.alias()
    mapped = query(items).filter(noted("filter", bool)).map(noted("map", dict))
    first, second = live(mapped), live(mapped)
    applied = live(query(item).select(id=item.id, w=fn(noted("fn", lambda row: row["v"]), item)))
    keyed = live(query(item), key=noted("key", lambda row: row["v"]))
    for result in (first, second, applied, keyed):
        result.subscribe(lambda _: None, initial=True)
        result.rows()
    assert sorted(calls) == [(name, 1) for name in ("filter", "fn", "key", "map")]
    calls.clear()
    write(items, {"id": 1, "v": 2})
    assert sorted(calls) == [(name, 2) for name in ("filter", "fn", "key", "map")]
    calls.clear()
    with items.sync() as writer:
        writer.delete(1)
    assert calls == []


def test_what_a_random_function_answered_is_what_is_taken_back() -> None:
    items = table()
    random_ = random.Random(3)
    numbers = live(
        query(items)
        .filter(lambda row: random_.random() < 0.7)
        .map(lambda row: {"id": row["id"], "x": random_.randrange(1000)})
    )
    n = numbers.alias("n")
    total = live(query(n).select(n=count(), x=collect(n.x)))
    state, _ = followed(numbers)
    for step in range(100):
        with items.sync() as writer:
            writer.upsert({"id": random_.randrange(8), "v": step})
            writer.delete(random_.randrange(8))
        assert numbers == state
        xs = [numbers[key]["x"] for key in sorted(numbers)]
        assert total[()] == {"n": len(xs), "x": xs or None}
    with items.sync() as writer:
        writer.truncate()
    assert (numbers.rows(), state, total[()]) == ([], {}, {"n": 0, "x": None})


REACHING_OUT: dict[str, Callable[[Collection[Row]], object]] = {
    "start a live query": lambda other: live(query(other)),
    "write to a collection": lambda other: write(other, {"id": 1}),
    "subscribe": lambda other: other.subscribe(print),
}


@pytest.mark.parametrize("what", REACHING_OUT)
@pytest.mark.parametrize("when", ["at start", "in an epoch"])
def test_a_function_of_a_query_may_not_touch_the_graph(what: str, when: str) -> None:
    items, other = table(), table()
    bad = {"id": 2, "v": BAD}
    if when == "at start":
        write(items, bad)

    def reaches_out(row: Row) -> Row:
        REACHING_OUT[what](other)
        return row

    result = live(query(items).map(reaches_out))
    if when == "in an epoch":
        write(items, bad)
    assert (result.status, result.rows(), other.rows()) == ("error", [], [])
    assert str(result.error) == f"cannot {what} inside a function that a query calls"
    assert isinstance(result.error, CollectionError)


def test_a_failure_and_its_recovery_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    items: Collection[Any] = Collection("items", key="id")
    result = live(query(items).map(lambda row: 1 // row["v"]))
    with caplog.at_level("INFO", logger="dataflow"):
        for v in (0, 0.0, 1):
            with items.sync() as write:
                write.upsert({"id": 1, "v": v})
    assert result.rows() == [1]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "select failed, with everything that reads it"),
        ("INFO", "select recovered"),
    ]


def test_a_failure_below_another_one_is_tried_again_when_that_has_recovered() -> None:
    items, others = Collection[Row]("items", key="id"), Collection[Row]("others", key="id")
    item, other = items.alias(), others.alias("other")
    joined = query(item).where(fn(checked_value, item.v) != 0).join(other, on=item.g == other.g)
    result = live(joined.select(id=item.id, w=fn(checked_value, other.v)))
    with items.sync() as write:
        write.insert({"id": 1, "v": 1, "g": 1})
    for collection, value in ((others, BAD), (items, BAD), (others, 2), (items, 3)):
        with collection.sync() as write:
            write.upsert({"id": 1, "v": value, "g": 1})
    assert (result.status, result.rows()) == ("ready", [{"id": 1, "w": 2}])


@pytest.mark.parametrize("make", [by_map, by_fn, by_group_of_nan])
def test_what_failed_under_nan_recovers_when_that_changes(
    make: Callable[[Any], LiveQuery[Any]],
) -> None:
    items = Collection[Row]("items", key="id")
    result = make(items)
    told = []
    for value in (1, BAD, 2):
        with items.sync() as write:
            write.upsert({"id": nan, "v": value})
        told.append((result.status, len(result)))
    assert told == [("ready", 1), ("error", 1), ("ready", 1)]
