import random
from functools import partial
from typing import Any

import pytest

from dataflow import Change, Collection, CollectionError, QueryError, batch, live, query
from dataflow.circuit.graph import current_graph

Row = dict[str, Any]


def table(count: int) -> Collection[Row]:
    items = Collection("items", key="id")
    with items.sync() as write:
        for i in range(count):
            write.insert({"id": i, "v": (i * 7) % 10})
    return items


def by_v(items: Collection[Row], *, limit: int | None = None, offset: int = 0) -> Any:
    item = items.alias("item")
    ordered = query(item).order_by(item.v)
    return ordered.offset(offset) if limit is None else ordered.limit(limit, offset=offset)


def ids(rows: list[Row]) -> list[int]:
    return [row["id"] for row in rows]


def test_a_window_moves_in_place_as_one_epoch_of_net_changes() -> None:
    items = table(10)  # v of 0 … 9: 0 7 4 1 8 5 2 9 6 3
    result = live(by_v(items, limit=3))
    derived = live(query(result.alias("r")))
    seen: list[list[Change[Row]]] = []
    result.subscribe(seen.append)
    epoch = current_graph().epoch
    assert ids(result.rows()) == [0, 3, 6]
    result.set_window(limit=4, offset=2)
    assert current_graph().epoch == epoch + 1
    assert ids(result.rows()) == [6, 9, 2, 5]
    assert [sorted((c.op, c.key) for c in changes) for changes in seen] == [
        [("delete", 0), ("delete", 3), ("insert", 2), ("insert", 5), ("insert", 9)]
    ]
    assert derived == result
    assert result.window == (4, 2)


def test_what_is_not_given_stays() -> None:
    result = live(by_v(table(10), limit=3, offset=1))
    steps: list[dict[str, Any]] = [{"offset": 2}, {"limit": 1}, {"limit": None}, {}]
    seen = []
    for step in steps:
        result.set_window(**step)
        seen.append((result.window, len(result)))
    assert seen == [((3, 2), 3), ((1, 2), 1), ((None, 2), 8), ((None, 2), 8)]


def test_a_move_that_changes_nothing_is_silent() -> None:
    result = live(by_v(table(3), limit=5))
    seen: list[Any] = []
    result.subscribe(seen.append)
    result.set_window(limit=5)
    result.set_window(limit=7)
    assert seen == []
    assert result.window == (7, 0)


def test_a_window_beyond_the_end_is_empty_and_fills_when_rows_come() -> None:
    items = table(3)
    result = live(by_v(items, limit=2))
    result.set_window(offset=3)
    assert result.rows() == []
    with items.sync() as write:
        write.insert({"id": 9, "v": 99})
    assert ids(result.rows()) == [9]


def test_a_window_moved_before_its_sources_are_ready_is_what_is_shown_then() -> None:
    items: Collection[Row] = Collection("items", key="id", ready=False)
    result = live(by_v(items, limit=3))
    result.set_window(limit=1, offset=1)
    assert (result.status, result.rows(), result.window) == ("loading", [], (1, 1))
    with batch():
        with items.sync() as write:
            for i in range(3):
                write.insert({"id": i, "v": i})
        items.mark_ready()
    assert ids(result.rows()) == [1]


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ({"limit": -1}, "limit is a number of rows, 0 or more, not -1"),
        ({"limit": True}, "limit is a number of rows, 0 or more, not True"),
        ({"limit": 1.5}, r"limit is a number of rows, 0 or more, not 1\.5"),
        ({"offset": None}, "offset is a number of rows, 0 or more, not None"),
        ({"limit": 2, "offset": -2}, "offset is a number of rows, 0 or more, not -2"),
    ],
)
def test_what_is_no_window_is_refused_and_nothing_moves(window: Any, message: str) -> None:
    result = live(by_v(table(10), limit=3))
    with pytest.raises(QueryError, match=f"^{message}"):
        result.set_window(**window)
    assert (result.window, ids(result.rows())) == ((3, 0), [0, 3, 6])


def test_a_query_without_an_order_has_no_window() -> None:
    items = table(3)
    inner = by_v(items, limit=2).alias("inner")
    for result in (
        live(query(items)),
        live(query(live(by_v(items)).alias("r"))),
        live(query(inner)),
    ):
        for use in (result.set_window, lambda result=result: result.window):
            with pytest.raises(
                QueryError, match=r"^the query has no order, so no row has a place in it"
            ):
                use()


def test_a_closed_result_has_no_window_to_move() -> None:
    result = live(by_v(table(3), limit=2))
    result.close()
    with pytest.raises(CollectionError, match="is closed"):
        result.set_window(limit=1)


def test_the_window_of_another_result_of_the_same_query_stays() -> None:
    items = table(10)
    first, second = live(by_v(items, limit=3)), live(by_v(items, limit=3))
    first.set_window(limit=1)
    assert (ids(first.rows()), ids(second.rows())) == ([0], [0, 3, 6])


def test_a_subscriber_that_moves_the_window_makes_an_epoch_of_its_own() -> None:
    items = table(10)
    result = live(by_v(items, limit=2))
    seen: list[Any] = []

    def grow(changes: list[Change[Row]]) -> None:
        seen.append([c.key for c in changes])
        if len(seen) == 1:
            result.set_window(limit=4)

    result.subscribe(grow)
    with items.sync() as write:
        write.insert({"id": 10, "v": -1})
    assert seen == [[10, 3], [3, 6]]
    assert ids(result.rows()) == [10, 0, 3, 6]


def test_a_window_cannot_move_inside_a_function_of_a_query() -> None:
    items = table(3)
    result = live(by_v(items, limit=1))

    def move(row: Row) -> Row:
        result.set_window(limit=2)
        return row

    nosy = live(query(items).map(move))
    assert isinstance(nosy.error, CollectionError)
    assert result.window == (1, 0)


def test_a_function_that_fails_on_what_comes_into_view_recovers_when_it_leaves() -> None:
    items = table(10)
    result = live(by_v(items, limit=2).map(lambda row: {**row, "w": 1 // (row["v"] - 2)}))
    result.set_window(limit=3)
    assert (result.status, ids(result.rows())) == ("error", [0, 3])
    result.set_window(limit=2, offset=3)
    assert (result.status, ids(result.rows())) == ("ready", [9, 2])


@pytest.mark.parametrize("key", [None, "id"])
def test_any_history_of_writes_and_moves_shows_what_a_new_query_would(key: str | None) -> None:
    for seed in range(20):
        random_ = random.Random(seed)
        items = table(random_.choice((0, 5, 300)))
        item = items.alias("item")
        ordered = query(item).order_by(item.v.desc()).select(id=item.id, v=item.v)
        result = live(ordered.limit(3), key=key)
        shown = dict(result)
        result.subscribe(partial(fold, shown))
        for _ in range(40):
            if random_.random() < 0.3:
                limit = random_.choice((None, 0, 1, 3, 20))
                result.set_window(limit=limit, offset=random_.choice((0, 1, 5, 50)))
            with items.sync() as write:
                for _ in range(random_.choice((0, 1, 1, 2, 40))):
                    row_id = random_.randrange(60)
                    if random_.random() < 0.4:
                        write.delete(row_id)
                    else:
                        write.upsert({"id": row_id, "v": random_.randrange(12)})
            limit, offset = result.window
            every = live(ordered).rows()
            expected = every[offset:] if limit is None else every[offset : offset + limit]
            assert result.rows() == expected
            assert shown == dict(result)


def fold(state: dict[Any, Row], changes: list[Change[Row]]) -> None:
    for change in changes:
        assert state.get(change.key) == change.old
        if change.op == "delete":
            del state[change.key]
        else:
            state[change.key] = change.value


def test_moving_costs_the_window_not_the_rows() -> None:
    touched = []
    for count in (200, 5_000):
        result = live(by_v(table(count), limit=10))
        for offset in (10, 20):  # from the second move on the whole order is kept
            result.set_window(offset=offset)
        before = result.statistics().rows_touched
        result.set_window(offset=50)
        touched.append(result.statistics().rows_touched - before)
    assert touched == [20, 20]
