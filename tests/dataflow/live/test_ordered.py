import gc
import random
from collections.abc import Callable
from typing import Any

import pytest

from dataflow import (
    Collection,
    CollectionError,
    Insert,
    LiveQuery,
    Move,
    QueryError,
    Remove,
    Replace,
    Reset,
    apply_splices,
    batch,
    count,
    live,
    query,
    selected,
)
from dataflow.circuit.graph import current_graph

Row = dict[str, Any]


def write(items: Collection[Row], *rows: Row) -> None:
    with items.sync() as writer:
        for row in rows:
            writer.upsert(row)


def table(*values: int) -> Collection[Row]:
    items = Collection("items", key="id")
    write(items, *({"id": i, "v": v} for i, v in enumerate(values)))
    return items


def by_v(items: Collection[Row]) -> Any:
    item = items.alias("item")
    return query(item).order_by(item.v).select(id=item.id)


class Screen:
    """A list that believes whatever it is told."""

    def __init__(self, result: LiveQuery[Any], *, initial: bool = False) -> None:
        self.rows = [] if initial else result.rows()
        self.told: list[list[Any]] = []
        self.handle = result.subscribe_ordered(self.show, initial=initial)

    def show(self, splices: list[Any]) -> None:
        assert splices
        self.told.append(splices)
        apply_splices(self.rows, splices)


def test_each_kind_of_change_has_its_splice() -> None:
    items = table(10, 20, 30)
    item = items.alias("item")
    screen = Screen(live(query(item).order_by(item.v)))
    write(items, {"id": 3, "v": 15})
    write(items, {"id": 0, "v": 99})
    write(items, {"id": 1, "v": 20, "note": "new"})
    with items.sync() as writer:
        writer.delete(3)
    assert screen.told == [
        [Insert(1, 3, {"id": 3, "v": 15})],
        [Move(0, 3, 0), Replace(3, {"id": 0, "v": 99})],
        [Replace(1, {"id": 1, "v": 20, "note": "new"})],
        [Remove(0)],
    ]


def test_a_row_that_only_moves_is_news_for_ordered_subscribers_alone() -> None:
    items = table(10, 20, 30)
    result = live(by_v(items))
    changes: list[Any] = []
    result.subscribe(changes.append)
    screen = Screen(result)
    write(items, {"id": 0, "v": 25})
    assert changes == []
    assert screen.told == [[Move(0, 1, 0)]]
    assert screen.rows == result.rows() == [{"id": 1}, {"id": 0}, {"id": 2}]


def test_initial_delivers_the_present_rows_as_a_reset() -> None:
    result = live(by_v(table(20, 10)))
    screen = Screen(result, initial=True)
    assert screen.told == [[Reset(({"id": 1}, {"id": 0}), (1, 0))]]
    assert Screen(live(by_v(table())), initial=True).told == []


def test_a_limit_tells_who_takes_a_place() -> None:
    items = table(10, 20, 30)
    item = items.alias("item")
    screen = Screen(live(query(item).order_by(item.v).limit(2).map(lambda row: row["v"])))
    write(items, {"id": 3, "v": 5})
    with items.sync() as writer:
        writer.delete(0)
    assert screen.told == [[Remove(1), Insert(0, 3, 5)], [Remove(1), Insert(1, 1, 20)]]


def test_moving_the_window_is_told_as_splices() -> None:
    items = table(10, 20, 30, 40)
    item = items.alias("item")
    result = live(query(item).order_by(item.v).select(id=item.id).limit(2))
    screen = Screen(result)
    result.set_window(limit=3)
    result.set_window(offset=1)
    assert screen.told == [
        [Insert(2, 2, {"id": 2})],
        [Remove(0), Insert(2, 3, {"id": 3})],
    ]


def test_many_changes_at_once_are_a_reset() -> None:
    items = table(*range(50))
    result = live(by_v(items))
    screen = Screen(result)
    write(items, *({"id": i, "v": -i} for i in range(1, 34)))
    assert [type(splice) for told in screen.told for splice in told] == [Reset]
    assert screen.rows == result.rows()


def test_many_changes_of_a_long_list_are_splices() -> None:
    items = table(*range(500))
    result = live(by_v(items))
    screen = Screen(result)
    write(items, *({"id": i, "v": i + 300} for i in range(33)))
    assert [type(splice) for told in screen.told for splice in told] == [Move] * 33
    assert screen.rows == result.rows()


def test_a_row_known_under_a_new_key_is_removed_and_inserted() -> None:
    items = table(10, 20)
    item = items.alias("item")
    screen = Screen(live(query(item).order_by(item.v), key="v"))
    write(items, {"id": 0, "v": 30})
    assert screen.told == [[Remove(0), Insert(1, 30, {"id": 0, "v": 30})]]


def test_rows_shown_when_the_sources_are_ready_are_a_reset() -> None:
    items: Collection[Row] = Collection("items", key="id", ready=False)
    result = live(by_v(items))
    screen = Screen(result)
    with batch():
        write(items, {"id": 1, "v": 1})
        items.mark_ready()
    assert screen.told == [[Reset(({"id": 1},), (1,))]]


def test_nothing_is_told_during_an_error_and_everything_afterwards() -> None:
    items = table(10, 20, 30)
    item = items.alias("item")
    result = live(query(item).order_by(item.v).map(lambda row: 100 // row["v"]))
    screen = Screen(result)
    write(items, {"id": 0, "v": 0})
    write(items, {"id": 2, "v": 5})
    assert (result.status, screen.told) == ("error", [])
    write(items, {"id": 0, "v": 50})
    assert screen.told == [[Reset((20, 5, 2), (2, 1, 0))]]
    write(items, {"id": 1, "v": 1})
    assert screen.rows == result.rows() == [100, 20, 2]


def test_a_recovery_that_changes_no_row_tells_of_new_places() -> None:
    items = table(10, 20)
    item = items.alias("item")
    failing = [False]

    def known(row: Row) -> int:
        if failing[0]:
            raise OSError("not there")
        return int(row["id"])

    result = live(query(item).order_by(item.v).map(known))
    screen = Screen(result)
    failing[0] = True
    write(items, {"id": 0, "v": 30})
    failing[0] = False
    result.restart()
    assert screen.told == [[Reset((1, 0), (1, 0))]]


def test_an_order_is_needed() -> None:
    with pytest.raises(QueryError, match=r"^the query has no order"):
        live(query(table())).subscribe_ordered(print)


def test_what_a_subscriber_raises_surfaces_and_starves_nobody() -> None:
    items = table(10)
    result = live(by_v(items))
    result.subscribe_ordered(lambda _: 1 / 0)
    screen = Screen(result)
    with pytest.raises(ExceptionGroup) as caught:
        write(items, {"id": 1, "v": 5})
    assert [type(error) for error in caught.value.exceptions] == [ZeroDivisionError]
    assert screen.rows == result.rows()


def test_closing_ends_it_and_leaves_nothing() -> None:
    items = table(10)
    before = current_graph().statistics()
    anchors = len(current_graph().anchors)
    result = live(by_v(items))
    screen = Screen(result)
    with screen.handle:
        pass
    screen.handle.close()
    write(items, {"id": 0, "v": 11})
    assert screen.told == []
    other = Screen(result)
    result.close()
    assert other.handle.closed
    with pytest.raises(CollectionError, match="is closed"):
        result.subscribe_ordered(print)
    del result, screen, other
    gc.collect()
    after = current_graph().statistics()
    assert (after.nodes, after.consumers, after.subscribers) == (
        before.nodes,
        before.consumers,
        before.subscribers,
    )
    assert len(current_graph().anchors) == anchors


def test_it_keeps_its_result_alive() -> None:
    items = table(10)
    told: list[Any] = []
    handle = live(by_v(items)).subscribe_ordered(told.append)
    gc.collect()
    write(items, {"id": 1, "v": 5})
    assert told == [[Insert(0, 1, {"id": 1})]]
    handle.close()


SHAPES: dict[str, Callable[[Any, Any], LiveQuery[Any]]] = {
    "whole rows": lambda a, b: live(query(a).order_by(a.v)),
    "hidden order": lambda a, b: live(query(a).order_by(a.v.desc(), a.w).select(id=a.id)),
    "limit": lambda a, b: live(query(a).order_by(a.v).limit(5, offset=2).select(w=a.w)),
    "map and key": lambda a, b: live(
        query(a).order_by(a.w).limit(9).map(lambda row: {"n": row["id"], "w": row["w"] // 2}),
        key="n",
    ),
    "moving key": lambda a, b: live(query(a).order_by(a.v), key=("v", "id")),
    "groups": lambda a, b: live(
        query(a).group_by(a.v).select(v=a.v, n=count()).order_by(selected.n.desc()).limit(4)
    ),
    "join": lambda a, b: live(
        query(a).join(b, on=a.v == b.v, how="left").order_by(b.w, a.v).select(a=a.id, b=b.id)
    ),
    "distinct": lambda a, b: live(query(a).select(v=a.v).distinct().order_by(selected.v.desc())),
    "failing": lambda a, b: live(
        query(a).order_by(a.v).limit(6).map(lambda row: 10 // (row["w"] - 7))
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_list_that_applies_blindly_always_shows_the_rows(shape: str) -> None:
    for seed in range(12):
        random_ = random.Random(f"{shape} {seed}")
        items, others = table(), table()
        result = SHAPES[shape](items.alias("a"), others.alias("b"))
        screens = [Screen(result)]
        for step in range(60):
            if random_.random() < 0.15:
                limit = random_.choice((None, 0, 2, 5, 30))
                result.set_window(limit=limit, offset=random_.choice((0, 0, 1, 10)))
            with batch():
                for target in random_.sample((items, others), random_.randint(1, 2)):
                    with target.sync() as writer:
                        for _ in range(random_.choice((1, 1, 2, 5, 90))):
                            key = random_.randrange(40)
                            if random_.random() < 0.3:
                                writer.delete(key)
                            else:
                                v, w = random_.randrange(8), random_.randrange(8)
                                writer.upsert({"id": key, "v": v, "w": w})
            if step % 20 == 10:
                screens.append(Screen(result, initial=result.status == "ready"))
            if result.status == "ready":
                assert [screen.rows for screen in screens] == [result.rows()] * len(screens)


def test_a_single_move_touches_the_same_in_a_short_and_in_a_long_list() -> None:
    touched = []
    for length in (100, 10_000):
        items = table(*range(0, 2 * length, 2))
        result = live(by_v(items))
        screen = Screen(result)
        before = result.statistics().rows_touched
        write(items, {"id": 5, "v": 151})
        touched.append(result.statistics().rows_touched - before)
        assert screen.told == [[Move(5, 75, 5)]]
    assert touched[0] == touched[1] <= 10


def test_places_are_not_looked_up_for_nobody() -> None:
    items = table(*range(100))
    watched, alone = live(by_v(items)), live(by_v(items))
    handle = Screen(watched).handle
    before = alone.statistics().rows_touched
    write(items, {"id": 5, "v": 50})
    assert alone.statistics().rows_touched - before == 2  # the order and the select
    handle.close()
    before = watched.statistics().rows_touched
    write(items, {"id": 5, "v": 5})
    assert watched.statistics().rows_touched - before == 2
