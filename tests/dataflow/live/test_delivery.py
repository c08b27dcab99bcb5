"""Who is called when: after everything is up to date, in rank order, each epoch for itself."""

from typing import Any

import pytest

from dataflow import Change, Collection, CollectionError, LiveQuery, batch, count, live, query, sum_

Row = dict[str, Any]


def write(collection: Collection[Row], *rows: Row) -> None:
    with collection.sync() as writer:
        for row in rows:
            writer.upsert(row)


def numbers() -> Collection[Row]:
    return Collection("numbers", key="id")


def positive(items: Collection[Row] | LiveQuery[Row]) -> LiveQuery[Row]:
    item = items.alias("item")
    return live(query(item).where(item.v > 0))


def test_every_derived_collection_is_updated_before_any_subscriber_is_called() -> None:
    items = numbers()
    low = positive(items)
    a, b = low.alias("a"), items.alias("b")
    diamond = live(query(a).join(b, on=a.id == b.id).select(id=a.id, both=a.v + b.v))
    d = diamond.alias("d")
    total = live(query(d).select(n=count(), total=sum_(d.both)))
    seen: list[Any] = []

    def look(who: str) -> Any:
        return lambda _: seen.append((who, len(items), len(low), len(diamond), total[()]))

    for who, result in (("total", total), ("diamond", diamond), ("low", low), ("items", items)):
        result.subscribe(look(who))
    write(items, {"id": 1, "v": 1}, {"id": 2, "v": -1}, {"id": 3, "v": 5})
    state = (3, 2, 2, {"n": 2, "total": 12})
    assert seen == [(who, *state) for who in ("items", "low", "diamond", "total")]
    seen.clear()
    write(items, {"id": 1, "v": -1})
    assert seen == [
        (who, 3, 1, 1, {"n": 1, "total": 10}) for who in ("items", "low", "diamond", "total")
    ]


def test_subscribers_are_called_in_rank_order_then_in_order_of_subscription() -> None:
    items = numbers()
    first = positive(items)
    second = positive(first)
    order: list[str] = []
    second.subscribe(lambda _: order.append("second 1"))
    items.subscribe(lambda _: order.append("items 1"))
    first.subscribe(lambda _: order.append("first 1"))
    items.subscribe(lambda _: order.append("items 2"))
    second.subscribe(lambda _: order.append("second 2"))
    write(items, {"id": 1, "v": 1})
    assert order == ["items 1", "items 2", "first 1", "second 1", "second 2"]


def test_nothing_visible_changes_so_nothing_is_delivered() -> None:
    items = numbers()
    item = items.alias()
    parity = live(query(item).select(odd=item.v > 0))
    found = positive(items)
    write(items, {"id": 1, "v": 1}, {"id": 2, "v": -1})
    seen: list[Any] = []
    parity.subscribe(seen.append)
    found.subscribe(seen.append)
    write(items, {"id": 1, "v": 1, "other": None})
    write(items, {"id": 2, "v": -2})
    assert seen == []
    write(items, {"id": 1, "v": 2})
    assert [[c.value["v"] for c in changes] for changes in seen] == [[2]]  # odd is what it was


def test_commits_of_callbacks_become_later_epochs_in_order() -> None:
    items, log = numbers(), Collection("log", key="id")
    log_view = live(query(log.alias()))
    events: list[Any] = []

    def forward(changes: list[Change[Row]]) -> None:
        for change in changes:
            write(log, {"id": f"a{change.key}"})
            events.append(("forwarded", change.key, len(log)))
            with batch():
                write(log, {"id": f"b{change.key}"})
                write(log, {"id": f"c{change.key}"})

    items.subscribe(forward)
    items.subscribe(lambda changes: events.append(("second", [c.key for c in changes], len(log))))
    log_view.subscribe(
        lambda changes: events.append(("log", [c.key for c in changes], len(log_view)))
    )
    write(items, {"id": 1})
    assert events == [
        ("forwarded", 1, 0),
        ("second", [1], 0),
        ("log", ["a1"], 1),
        ("log", ["b1", "c1"], 3),
    ]


def test_a_subscription_closed_during_delivery_is_not_called_any_more() -> None:
    items = numbers()
    found = positive(items)
    called: list[str] = []

    def first(_: object) -> None:
        called.append("first")
        second.close()
        third.close()

    items.subscribe(first)
    second = items.subscribe(lambda _: called.append("second"))
    third = found.subscribe(lambda _: called.append("third"))
    write(items, {"id": 1, "v": 1})
    write(items, {"id": 2, "v": 1})
    assert called == ["first", "first"]


def test_a_subscriber_added_during_delivery_starts_with_the_next_epoch() -> None:
    items = numbers()
    found = positive(items)
    late: list[Any] = []

    def add(_: object) -> None:
        once.close()
        found.subscribe(lambda changes: late.append(("plain", [c.key for c in changes])))
        found.subscribe(
            lambda changes: late.append(("initial", [(c.op, c.key) for c in changes])), initial=True
        )
        write(items, {"id": 2, "v": 2})

    once = items.subscribe(add)
    write(items, {"id": 1, "v": 1})
    assert late == [
        ("initial", [("insert", 1)]),
        ("plain", [2]),
        ("initial", [("insert", 2)]),
    ]


def test_what_subscribers_raise_surfaces_together_and_starves_nobody() -> None:
    items = numbers()
    found = positive(items)
    called: list[Any] = []

    def fails(changes: list[Change[Row]]) -> None:
        raise ValueError(changes[0].key)

    items.subscribe(fails)
    items.subscribe(lambda changes: called.append(changes[0].key))
    items.subscribe(
        lambda changes: write(items, {"id": 2, "v": 2}) if changes[0].key == 1 else None
    )
    found.subscribe(fails)
    with pytest.raises(ExceptionGroup) as caught:
        write(items, {"id": 1, "v": 1})
    assert [error.args for error in caught.value.exceptions] == [(1,), (1,), (2,), (2,)]
    assert called == [1, 2]
    assert list(found) == [1, 2]
    with pytest.raises(ExceptionGroup), batch():
        write(items, {"id": 3, "v": 3})
    assert list(found) == [1, 2, 3]


def test_a_callback_that_answers_itself_for_ever_is_stopped() -> None:
    items = numbers()
    answers = items.subscribe(
        lambda changes: write(items, {"id": 1, "v": changes[0].value["v"] + 1})
    )
    with pytest.raises(CollectionError, match="more than 1000 epochs in a row"):
        write(items, {"id": 1, "v": 0})
    assert items[1]["v"] == 1000
    answers.close()
    write(items, {"id": 1, "v": 0})
    assert items.rows() == [{"id": 1, "v": 0}]


def test_a_thousand_epochs_in_a_row_are_allowed() -> None:
    items = numbers()

    def answer(changes: list[Change[Row]]) -> None:
        if changes[0].value["v"] < 1000:
            write(items, {"id": 1, "v": changes[0].value["v"] + 1})

    items.subscribe(answer)
    write(items, {"id": 1, "v": 0})
    assert items[1]["v"] == 1000


def test_live_queries_start_and_end_inside_callbacks() -> None:
    items = numbers()
    started: list[LiveQuery[Row]] = []
    seen: list[Any] = []

    def start(changes: list[Change[Row]]) -> None:
        found = positive(items)
        started.append(found)
        seen.append(list(found))
        with positive(items) as short:
            seen.append(len(short))

    once = items.subscribe(start)
    write(items, {"id": 1, "v": 1})
    once.close()
    write(items, {"id": 2, "v": 2})
    assert seen == [[1], 1]
    assert list(started[0]) == [1, 2]


def test_initial_rows_come_first_even_if_the_callback_commits() -> None:
    items = numbers()
    write(items, {"id": 1, "v": 1})
    folded: list[Any] = []

    def answer(changes: list[Change[Row]]) -> None:
        if not folded:
            write(items, {"id": 2, "v": 2})
        folded.append([(c.op, c.key) for c in changes])

    with items.subscribe(answer, initial=True):
        assert folded == [[("insert", 1)], [("insert", 2)]]


def test_a_subscription_whose_first_call_raises_is_not_made() -> None:
    items = numbers()
    write(items, {"id": 1, "v": 1})

    def fails(_: object) -> None:
        called.append(1)
        raise ValueError

    called: list[int] = []
    with pytest.raises(ExceptionGroup):
        items.subscribe(fails, initial=True)
    write(items, {"id": 2, "v": 1})
    assert called == [1]


def test_initial_rows_come_in_query_order() -> None:
    items = numbers()
    write(items, {"id": 1, "v": 3}, {"id": 2, "v": 2}, {"id": 3, "v": 1})
    item = items.alias()
    seen: list[Any] = []
    live(query(item).order_by(item.v)).subscribe(seen.append, initial=True)
    assert [[c.key for c in changes] for changes in seen] == [[3, 2, 1]]


def test_an_interrupt_inside_a_query_leaves_a_graph_that_can_be_restarted() -> None:
    items = numbers()
    interrupts = [True]

    def interrupted(row: Row) -> Row:
        if row["v"] == 13 and interrupts:
            interrupts.pop()
            raise KeyboardInterrupt
        return row

    mapped = live(query(items).map(interrupted))
    derived = live(query(mapped))
    sibling = positive(items)
    write(items, {"id": 1, "v": 1})
    with pytest.raises(KeyboardInterrupt):
        write(items, {"id": 1, "v": 2}, {"id": 2, "v": 13})
    assert (mapped.status, derived.status) == ("error", "error")
    assert isinstance(mapped.error, KeyboardInterrupt)
    assert mapped == {1: {"id": 1, "v": 1}}
    for result in (mapped, sibling):
        result.restart()
    rows = [{"id": 1, "v": 2}, {"id": 2, "v": 13}]
    assert [result.rows() for result in (items, mapped, derived, sibling)] == [rows] * 4
    assert [result.status for result in (mapped, derived, sibling)] == ["ready"] * 3
