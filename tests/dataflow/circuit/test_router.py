import math
import random
from functools import partial
from typing import Any

import pytest

from dataflow import Collection, Epoch, and_, count, lit, live, not_, or_, query, trace_epochs
from dataflow.circuit import intervals, router
from dataflow.circuit.intervals import HIGHEST, LOWEST, above
from dataflow.circuit.router import Route, Router
from dataflow.values.order import sort_key

Row = dict[str, Any]


class Reader:
    """A reader of a source with a route."""

    def __init__(self, name: str, route: Route | None) -> None:
        self.name = name
        self.route = route


def value_of(row: Any) -> Any:
    return row


def equal_to(*values: Any) -> Route:
    return Route("x", value_of, frozenset(values))


def between(low: Any, high: Any) -> Route:
    return Route(
        "x",
        value_of,
        None,
        LOWEST if low is None else sort_key(low),
        HIGHEST if high is None else above(sort_key(high)),
    )


@pytest.fixture(autouse=True)
def _route_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router, "FEW", 0)
    monkeypatch.setattr(intervals, "BLOCK", 8)


def hits(made: Router[Reader], *delta: tuple[Any, Any]) -> list[str]:
    return [each.name for each in made.readers([(0, old, new) for old, new in delta])]


def routing(**routes: Route | None) -> Router[Reader]:
    made: Router[Reader] = Router()
    for name, route in routes.items():
        made.add(Reader(name, route))
    return made


def test_readers_are_found_by_the_old_and_by_the_new_row_in_the_order_they_came() -> None:
    made = routing(b=equal_to("b"), everything=None, a=equal_to("a"), either=equal_to("a", "b"))
    assert hits(made, (None, "a")) == ["everything", "a", "either"]
    assert hits(made, ("a", "b")) == ["b", "everything", "a", "either"]
    assert hits(made, ("b", None)) == ["b", "everything", "either"]
    assert hits(made, ("c", None)) == ["everything"]


def test_nulls_take_no_route() -> None:
    assert hits(routing(a=equal_to("a"), low=between(None, 5))) == []
    assert hits(routing(a=equal_to("a"), low=between(None, 5)), (None, None)) == []


def test_intervals_hold_their_ends() -> None:
    made = routing(low=between(None, 3), middle=between(2, 4), high=between(4, None))
    assert [hits(made, (None, v)) for v in (1, 2, 3, 3.5, 4, 9, math.nan)] == [
        ["low"],
        ["low", "middle"],
        ["low", "middle"],
        ["middle"],
        ["middle", "high"],
        ["high"],
        ["high"],
    ]


def test_a_row_that_cannot_be_read_wakes_everybody() -> None:
    def failing(row: Any) -> Any:
        raise RuntimeError(row)

    made = routing(a=Route("y", failing, frozenset("a")), b=equal_to("b"))
    assert hits(made, (None, "a")) == ["a", "b"]


def test_few_routes_are_not_worth_routing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router, "FEW", 2)
    made = routing(a=equal_to("a"), b=equal_to("b"))
    assert hits(made, (None, "a")) == ["a", "b"]
    made.add(Reader("c", equal_to("c")))
    assert hits(made, (None, "a")) == ["a"]


def test_any_history_of_readers_finds_what_looking_at_each_would() -> None:
    for seed in range(30):
        random_ = random.Random(seed)
        made: Router[Reader] = Router()
        present: list[Reader] = []
        for step in range(200):
            if present and random_.random() < 0.4:
                made.remove(present.pop(random_.randrange(len(present))))
            else:
                ends = sorted((random_.randrange(20), random_.randrange(20)))
                low, high = (None if random_.random() < 0.2 else end for end in ends)
                values = [random_.randrange(20) for _ in range(random_.randrange(3))]
                route = random_.choice(
                    (None, equal_to(*values), between(low, high), between(low, high))
                )
                present.append(Reader(str(step), route))
                made.add(present[-1])
            value = random_.randrange(20)
            expected = [
                each.name for each in present if each.route is None or holds(each.route, value)
            ]
            assert hits(made, (None, value)) == expected
        for each in present:
            made.remove(each)
        assert (hits(made, (None, 1)), made._entries) == ([], {})


def holds(route: Route, value: Any) -> bool:
    if route.values is not None:
        return value in route.values
    return route.low <= sort_key(value) < route.high


# -- routed and unrouted queries ---------------------------------------------------------------------------------------

VALUES = (0, 1, 1.0, 2, 2.5, -1, True, False, "a", "b", "", math.nan, math.inf, None, ..., [1], "1")


def random_condition(random_: random.Random, item: Any) -> Any:
    """Make a condition that may have a route, or not."""
    field = random_.choice((item.x, item.y, item.deep["z"]))
    constant = random_.choice([value for value in VALUES if value not in (None, ...)])
    other = random_.choice((0, 1, 2.5, "a", "b"))
    return random_.choice(
        (
            field == constant,
            lit(constant) == field,
            field.in_([constant, other]),
            field < other,
            field >= other,
            lit(other) > field,
            field.between(0, other),
            and_(field > 0, field <= other),
            and_(item.y == other, field > 0),
            field != constant,
            not_(field == constant),
            or_(field == constant, item.y == other),
            field.is_null(),
            field + 1 > other,
        )
    )


def random_row(random_: random.Random, key: int) -> Row:
    row: dict[str, Any] = {"id": key, "x": random_.choice(VALUES), "y": random_.choice(VALUES)}
    row["deep"] = random_.choice((None, {"z": random_.choice((0, 1, "a", 2.5))}))
    return {name: value for name, value in row.items() if value is not ...}


def trace_of(seed: int) -> list[Any]:
    """Run many queries over one history; return everything their subscribers hear, in order."""
    random_ = random.Random(seed)
    items: Collection[Row] = Collection("items", key="id")
    item, other = items.alias("item"), items.alias("other")
    heard: list[Any] = []
    results = []

    def hear(number: int, changes: list[Any]) -> None:
        heard.append((number, repr(changes)))

    for number in range(30):
        alias = random_.choice((item, other))
        where = query(alias).where(random_condition(random_, alias))
        kind = random_.randrange(6)
        if kind == 0:
            made = live(where.group_by(alias.y).select(n=count()))
        elif kind == 1:
            made = live(where.map(lambda row: 1 // (row["id"] - 3)))
        elif kind == 2:
            made = live(where.where(random_condition(random_, alias)).select(id=alias.id))
        else:
            made = live(where)
        made.subscribe(partial(hear, number))
        results.append(made)
    for _ in range(40):
        if random_.random() < 0.1 and results:
            results.pop(random_.randrange(len(results))).close()
        with items.sync() as write:
            for _ in range(random_.choice((1, 1, 2, 6))):
                key = random_.randrange(8)
                if random_.random() < 0.2:
                    write.delete(key)
                else:
                    write.upsert(random_row(random_, key))
        heard.append([(each.status, repr(dict(each))) for each in results])
    return heard


@pytest.mark.parametrize("seed", range(15))
def test_routed_and_unrouted_queries_tell_the_same_in_the_same_order(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    routed = trace_of(seed)
    monkeypatch.setattr(router, "FEW", math.inf)
    assert routed == trace_of(seed)


def test_only_the_queries_that_are_hit_run() -> None:
    items: Collection[Row] = Collection("items", key="id")
    item = items.alias("item")
    by_room = [live(query(item).where(item.room == number, item.v > 0)) for number in range(1_000)]
    by_size = [
        live(query(item).where(item.size >= 10 * number, item.size < 10 * number + 10))
        for number in range(1_000)
    ]

    def steps() -> list[list[int]]:
        return [
            [number for number, each in enumerate(group) if each.statistics().nodes[0].steps]
            for group in (by_room, by_size)
        ]

    with items.sync() as write:
        write.insert({"id": 1, "room": 7, "size": 55, "v": 1})
    assert steps() == [[7], [5]]
    with items.sync() as write:
        write.update({"id": 1, "room": 8, "size": 999, "v": 1})
    assert steps() == [[7, 8], [5, 99]]
    with items.sync() as write:
        write.update({"id": 1, "room": 8, "size": 60, "v": 1})
    assert steps() == [[7, 8], [5, 6, 99]]
    with items.sync() as write:
        write.update({"id": 1, "room": 8, "size": 999, "v": 1})
    assert [by_room[7].rows(), len(by_room[8]), by_size[5].rows(), len(by_size[99])] == [
        [],
        1,
        [],
        1,
    ]


def test_the_work_of_a_change_follows_the_queries_that_it_hits() -> None:
    touched = []
    for queries in (10, 1_000):
        items: Collection[Row] = Collection("items", key="id")
        item = items.alias("item")
        kept = [live(query(item).where(item.room == number)) for number in range(queries)]
        epochs: list[Epoch] = []
        with trace_epochs(epochs.append, clock=lambda: 0.0), items.sync() as write:
            write.insert({"id": 1, "room": 5})
        assert [len(each) for each in kept].count(1) == 1
        touched.append([epoch.rows_touched for epoch in epochs])
    assert touched == [[1], [1]]


def test_a_range_that_ends_where_the_next_begins_is_not_asked_for_that_value() -> None:
    items: Collection[Row] = Collection("items", key="id")
    item = items.alias("item")
    ends = list(range(0, 200, 10))
    below = [live(query(item).where(item.v >= end, item.v < end + 10)) for end in ends]
    above_ = [live(query(item).where(item.v > end, item.v <= end + 10)) for end in ends]
    with items.sync() as write:
        write.insert({"id": 1, "v": 50})
    assert [[each.statistics().nodes[0].steps for each in group] for group in (below, above_)] == [
        [int(end == 50) for end in ends],
        [int(end == 40) for end in ends],
    ]
    assert [len(each) for each in below].index(1) == 5
    assert [len(each) for each in above_].index(1) == 4


def test_wide_intervals_among_narrow_ones_are_found() -> None:
    made: Router[Reader] = Router()
    for number in random.Random(3).sample(range(2_000), 2_000):
        wide = 2_000 if number % 500 == 7 else 0
        made.add(Reader(str(number), between(number, number + wide)))
    assert sorted(hits(made, (None, 1_600)), key=int) == ["7", "507", "1007", "1507", "1600"]
    assert sorted(hits(made, (None, 2_600)), key=int) == ["1007", "1507"]
    assert hits(made, (None, 3_600)) == []


def test_ten_thousand_intervals_are_searched_for_the_few_that_hold_a_value() -> None:
    made: Router[Reader] = Router()
    for number in random.Random(7).sample(range(10_000), 10_000):
        made.add(Reader(str(number), between(number, number + 1)))
    assert sorted(hits(made, (None, 4_321.5), (77, None))) == ["4321", "76", "77"]


def test_nothing_of_a_router_is_left_when_its_queries_are_gone() -> None:
    items: Collection[Row] = Collection("items", key="id")
    item = items.alias("item")
    results = [live(query(item).where(item.room == number)) for number in range(20)]
    node, _ = items.physical()

    def routed() -> int | None:
        return len(node.router) if isinstance(node.router, Router) else None

    assert routed() == 20
    results.append(live(query(item).where(item.room != 1)))
    for result in results[:19]:
        result.close()
    assert routed() == 1
    results[19].close()
    assert routed() is None
    results[20].close()
    assert node.consumers == {}


def test_equal_conditions_of_different_aliases_are_one_entry() -> None:
    items: Collection[Row] = Collection("items", key="id")
    for name in "abc":
        alias = items.alias(name)
        live(query(alias).where(alias.room == name)).subscribe(lambda _: None)
    node, _ = items.physical()
    assert isinstance(node.router, Router)
    assert len(node.router._entries) == 1
    items.close()
