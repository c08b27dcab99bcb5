import gc
import random
from typing import Any

import pytest

from dataflow import Change, Collection, CollectionError, live, query

Row = dict[str, Any]


def table(*rows: Row) -> Collection[Row]:
    items = Collection("items", key="id")
    write(items, *rows)
    return items


def write(items: Collection[Row], *rows: Row) -> None:
    with items.sync() as writer:
        for row in rows:
            writer.upsert(row)


def fold(state: dict[Any, Row], changes: list[Change[Row]]) -> None:
    """Apply changes to a state, checking that each makes sense there."""
    for change in changes:
        match change:
            case Change("insert", key, value, None):
                assert key not in state
                state[key] = value
            case Change("update", key, value, old):
                assert state[key] is old
                state[key] = value
            case Change("delete", key, value, old):
                assert value is old is state.pop(key)
            case _:
                pytest.fail(f"malformed change {change}")


def test_where_turns_entering_and_leaving_into_insert_and_delete() -> None:
    items = table({"id": 1, "v": 1}, {"id": 2, "v": -1})
    seen: list[Any] = []
    items.subscribe(lambda changes: seen.append(changes), where=lambda row: row["v"] > 0)
    write(items, {"id": 2, "v": 2})
    write(items, {"id": 2, "v": 3})
    write(items, {"id": 3, "v": -3})
    write(items, {"id": 3, "v": -4})
    write(items, {"id": 1, "v": -1}, {"id": 2, "v": 4})
    with items.sync() as writer:
        writer.truncate()
    assert [[(c.op, c.key, c.value["v"]) for c in changes] for changes in seen] == [
        [("insert", 2, 2)],
        [("update", 2, 3)],
        [("delete", 1, 1), ("update", 2, 4)],
        [("delete", 2, 4)],
    ]


@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize("narrow", [True, False])
def test_folding_deliveries_over_the_initial_rows_reproduces_the_source(
    *, initial: bool, narrow: bool
) -> None:
    random_ = random.Random(f"{initial}{narrow}")
    items = table(*({"id": i, "v": i % 3} for i in range(10)))
    where = (lambda row: row["v"] > 0) if narrow else None

    def watched() -> dict[Any, Row]:
        return {key: row for key, row in items.items() if where is None or where(row)}

    state: dict[Any, Row] = {} if initial else watched()
    items.subscribe(lambda changes: fold(state, changes), initial=initial, where=where)
    assert state == watched()
    for _ in range(100):
        with items.sync() as writer:
            for _ in range(random_.randint(1, 4)):
                key = random_.randrange(15)
                if random_.random() < 0.3:
                    writer.delete(key)
                else:
                    writer.upsert({"id": key, "v": random_.randrange(3)})
        assert state == watched()


def test_where_is_called_once_per_row_and_never_on_old_ones() -> None:
    items = table({"id": 1, "v": 1})
    tested: list[int] = []

    def where(row: Row) -> bool:
        tested.append(row["v"])
        return True

    items.subscribe(lambda _: None, where=where)
    write(items, {"id": 1, "v": 2})
    with items.sync() as writer:
        writer.delete(1)
    assert tested == [1, 2]


def test_a_row_for_which_where_raises_counts_as_filtered_out() -> None:
    items = table({"id": 1, "v": 1}, {"id": 2, "v": 1})
    state: dict[Any, Row] = {}
    items.subscribe(
        lambda changes: fold(state, changes), initial=True, where=lambda row: 1 / row["v"] > 0
    )
    with pytest.raises(ExceptionGroup) as caught:
        write(items, {"id": 1, "v": 0}, {"id": 2, "v": 2}, {"id": 3, "v": 0})
    assert [type(error) for error in caught.value.exceptions] == [ZeroDivisionError]
    assert state == {2: {"id": 2, "v": 2}}
    write(items, {"id": 1, "v": 5}, {"id": 3, "v": -1})
    assert state == {2: {"id": 2, "v": 2}, 1: {"id": 1, "v": 5}}


def test_a_subscription_lives_without_its_handle_until_it_is_closed() -> None:
    items = table()
    seen: list[Any] = []
    items.subscribe(seen.append)
    gc.collect()
    write(items, {"id": 1})
    with items.subscribe(seen.append) as handle:
        write(items, {"id": 2})
    write(items, {"id": 3})
    handle.close()
    assert handle.closed
    assert [[c.key for c in changes] for changes in seen] == [[1], [2], [2], [3]]


def test_a_change_unpacks_matches_and_compares() -> None:
    change = Change("update", 1, {"v": 2}, {"v": 1})
    op, key, value, old = change
    assert (op, key, value, old) == change == ("update", 1, {"v": 2}, {"v": 1})
    assert Change("update", 1, {"v": 2}, {"v": 1})._asdict() == {
        "op": "update",
        "key": 1,
        "value": {"v": 2},
        "old": {"v": 1},
    }


def test_keys_of_changes_are_as_users_know_them() -> None:
    items = table()
    seen: list[Any] = []
    items.subscribe(seen.append)
    write(items, {"id": True}, {"id": 1.5}, {"id": (True, "a")})
    (changes,) = seen
    keys = [change.key for change in changes]
    assert keys == [True, 1.5, (True, "a")]
    assert [type(key) for key in keys] == [bool, float, tuple]


def test_subscribing_inside_a_function_of_a_query_is_refused() -> None:
    items = table({"id": 1})
    caught: list[CollectionError] = []

    def reaches_out(row: Row) -> Row:
        for use in (lambda: items.subscribe(print), items.changes):
            with pytest.raises(CollectionError) as error:
                use()
            caught.append(error.value)
        return row

    assert live(query(items).map(reaches_out)).rows() == [{"id": 1}]
    assert [str(error) for error in caught] == [
        "cannot subscribe inside a function that a query calls"
    ] * 2


def test_the_present_rows_can_be_had_as_changes_in_query_order() -> None:
    items = Collection("items", key="id")
    with items.sync() as write:
        for key in (2, 1, 3):
            write.insert({"id": key})
    row = items.alias("row")
    ordered = live(query(row).order_by(row.id.desc()))
    seen: list[Any] = []
    ordered.subscribe(seen.append, initial=True)
    assert ordered.initial_changes() == seen[0]
    assert [change.key for change in ordered.initial_changes()] == [3, 2, 1]
    assert items.initial_changes(where=lambda row: row["id"] == 2) == [
        Change("insert", 2, {"id": 2}, None)
    ]


async def _later(changes: list[Change[Row]]) -> None:
    raise AssertionError(changes)


@pytest.mark.parametrize(
    ("subscriber", "message"),
    [
        (3, "a subscriber is a function, not 3"),
        (_later, "a subscriber cannot be a coroutine function"),
    ],
)
def test_what_nobody_could_call_is_refused(subscriber: Any, message: str) -> None:
    items = table({"id": 1})
    for follow in (items.subscribe, items.subscribe_status):
        with pytest.raises(CollectionError, match=message):
            follow(subscriber)
    write(items, {"id": 2})
    assert items.statistics().followed_by == 0
