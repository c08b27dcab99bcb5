"""Child collections: one for each row, itself as long as the row is there, told of on its own."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.circuit.graph import current_graph
from dataflow.collection.batch import batch
from dataflow.collection.collection import Collection
from dataflow.errors import CollectionError, QueryError
from dataflow.live.effect import effect
from dataflow.live.explain import explain
from dataflow.live.inspect import inspect
from dataflow.live.live import ChildQuery, LiveQuery, live, run
from dataflow.live.splices import apply_splices
from dataflow.query.aggregates import collect, count, sum_
from dataflow.query.builder import query
from dataflow.query.functions import fn, selected
from dataflow.query.nesting import nested
from dataflow.testing.incremental import assert_incremental
from dataflow.testing.strict import strict
from dataflow.values.equality import equal
from dataflow.values.normal import normal

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from dataflow.collection.changes import Change
    from dataflow.query.builder import Query

Row = dict[str, Any]


class Chat:
    """Channels, their messages, and reactions to these."""

    def __init__(self, *, channels: int = 3, messages: int = 6) -> None:
        self.channels: Collection[Row] = Collection("channels", key="id")
        self.messages: Collection[Row] = Collection("messages", key="id")
        self.reactions: Collection[Row] = Collection("reactions", key="id")
        self.channel = self.channels.alias("channel")
        self.message = self.messages.alias("message")
        self.reaction = self.reactions.alias("reaction")
        self.mine = query(self.message).where(self.message.channel == self.channel.id)
        with batch():
            with self.channels.sync() as write:
                for number in range(channels):
                    write.insert({"id": number, "since": 0})
            with self.messages.sync() as write:
                for number in range(messages):
                    write.insert({"id": number, "channel": number % 2, "at": -number})

    def view(self, part: Any) -> LiveQuery[Row]:
        """Return a live result with a nested value in `x`."""
        return live(query(self.channel).select(since=self.channel.since, x=part))

    def write(self, collection: str, *rows: Row) -> None:
        with getattr(self, collection).sync() as write:
            for row in rows:
                write.upsert(row)


@pytest.fixture
def chat() -> Chat:
    return Chat()


def ids(child: LiveQuery[Row]) -> list[Any]:
    return [row["id"] for row in child.rows()]


# -- what a row holds ------------------------------------------------------------------------------------------------------------


def test_a_row_holds_a_collection_of_its_children_under_their_own_keys(chat: Chat) -> None:
    view = chat.view(nested(chat.mine, live=True))
    child = view[0]["x"]
    assert isinstance(child, LiveQuery)
    assert dict(child) == {0: chat.messages[0], 2: chat.messages[2], 4: chat.messages[4]}
    assert child.rows() == [chat.messages[0], chat.messages[2], chat.messages[4]]
    assert (child.status, child.error, child.name, len(view[2]["x"])) == (
        "ready", None, "message", 0,
    )  # fmt: skip
    assert repr(child) == "<ChildQuery 'message' ready>"


def test_a_changed_child_is_told_by_the_collection_and_not_by_the_row(chat: Chat) -> None:
    view = chat.view(nested(chat.mine, live=True))
    first, second = view[0]["x"], view[1]["x"]
    told: list[tuple[str, Any]] = []
    view.subscribe(lambda changes: told.append(("parents", changes)))
    first.subscribe(lambda changes: told.append(("first", [(c.op, c.key) for c in changes])))
    second.subscribe(lambda changes: told.append(("second", [(c.op, c.key) for c in changes])))
    chat.write("messages", {"id": 9, "channel": 0, "at": 1}, {"id": 1, "channel": 0, "at": 0})
    assert told == [("first", [("insert", 9), ("insert", 1)]), ("second", [("delete", 1)])]
    assert view[0]["x"] is first


def test_an_update_of_the_row_keeps_the_collection(chat: Chat) -> None:
    late = chat.mine.where(chat.message.id >= chat.channel.since)
    view = chat.view(nested(late, live=True))
    child = view[0]["x"]
    told: list[Any] = []
    child.subscribe(lambda changes: told.append([(c.op, c.key) for c in changes]))
    chat.write("channels", {"id": 0, "since": 3})
    assert (view[0], ids(child), told) == (
        {"since": 3, "x": child}, [4], [[("delete", 0), ("delete", 2)]],
    )  # fmt: skip
    assert view[0]["x"] is child


def test_order_window_and_splices_are_the_collections_own(chat: Chat) -> None:
    newest = chat.mine.order_by(chat.message.at).limit(2)
    view = chat.view(nested(newest, live=True))
    child = view[0]["x"]
    shown = child.rows()
    child.subscribe_ordered(lambda splices: apply_splices(shown, splices))
    assert ids(child) == [4, 2]
    chat.write("messages", {"id": 8, "channel": 0, "at": -3})
    assert ids(child) == [4, 8]
    child.set_window(limit=3, offset=1)
    assert ids(child) == [8, 2, 0]
    assert shown == child.rows()
    assert child.window == (3, 1)


def test_one_row_and_aggregates_are_collections_of_one_row(chat: Chat) -> None:
    one = chat.mine.order_by(chat.message.at).one()
    total = chat.mine.select(n=count())
    view = live(query(chat.channel).select(x=nested(one, live=True), n=nested(total, live=True)))
    assert [ids(row["x"]) for row in view.rows()] == [[4], [5], []]
    assert [dict(row["n"]) for row in view.rows()] == [
        {(): {"n": 3}},
        {(): {"n": 3}},
        {(): {"n": 0}},
    ]
    told: list[Any] = []
    view[2]["n"].subscribe(told.append)
    chat.write("messages", {"id": 9, "channel": 2, "at": 0})
    ((change,),) = told
    assert (change.op, change.key, change.value, change.old) == ("update", (), {"n": 1}, {"n": 0})


def test_groups_and_distinct_rows_have_the_keys_of_the_query_on_its_own(chat: Chat) -> None:
    by = chat.mine.group_by(chat.message.at).select(at=chat.message.at, n=count())
    two = chat.mine.group_by(chat.message.at, chat.message.id).select(n=count())
    unlike = chat.mine.select(c=chat.message.channel).distinct()
    parts = {
        "by": nested(by, live=True),
        "two": nested(two, live=True),
        "unlike": nested(unlike, live=True),
    }
    view = live(query(chat.channel).select(x=parts))
    row = view[0]["x"]
    assert dict(row["by"]) == {at: {"at": at, "n": 1} for at in (-4, -2, 0)}
    assert set(row["two"]) == {(0, 0), (-2, 2), (-4, 4)}
    assert dict(row["unlike"]) == {(0,): {"c": 0}}


def test_typed_and_mapped_rows(chat: Chat) -> None:
    @dataclass(frozen=True)
    class Message:
        id: int

    typed = chat.mine.select(id=chat.message.id).into(Message)
    mapped = chat.mine.map(lambda row: row["id"] * 10)
    view = chat.view({"typed": nested(typed, live=True), "mapped": nested(mapped, live=True)})
    children = view[0]["x"]
    assert (children["typed"].row_type, children["typed"][2]) == (Message, Message(2))
    assert children["mapped"].rows() == [0, 20, 40]


def test_collections_stand_in_collections_and_in_lists(chat: Chat) -> None:
    about = query(chat.reaction).where(chat.reaction.message == chat.message.id)
    deep = chat.mine.select(id=chat.message.id, reactions=nested(about, live=True))
    view = live(query(chat.channel).select(x=nested(deep, live=True), rows=nested(deep)))
    message = view[0]["x"][2]
    reactions = message["reactions"]
    told: list[str] = []
    view.subscribe(lambda _: told.append("channels"))
    view[0]["x"].subscribe(lambda _: told.append("messages"))
    reactions.subscribe(lambda _: told.append("reactions"))
    chat.write("reactions", {"id": "r", "message": 2})
    assert (ids(reactions), told) == (["r"], ["reactions"])
    assert view[0]["x"][2] is message
    assert view[0]["rows"][1]["reactions"] is reactions
    with chat.messages.sync() as write:
        write.delete(2)
    assert reactions.status == "closed"


def test_rows_out_of_sight_keep_their_collections(chat: Chat) -> None:
    top = query(chat.channel).select(id=chat.channel.id, x=nested(chat.mine, live=True))
    view = live(top.order_by(chat.channel.since).limit(1))
    child = view[0]["x"]
    chat.write("channels", {"id": 0, "since": 9})
    assert ([row["id"] for row in view.rows()], child.status) == ([1], "ready")
    chat.write("channels", {"id": 0, "since": -1})
    assert view[0]["x"] is child


def test_a_collection_equals_itself_alone(chat: Chat) -> None:
    view = chat.view(nested(chat.mine, live=True))
    another = chat.view(nested(chat.mine, live=True))
    first, other = view[2]["x"], another[2]["x"]
    assert first == other == {}
    assert not equal(first, other)
    assert equal(first, first)
    assert normal(first) == normal(first) != normal(other)
    again = live(query(view.alias("v")).select(x=view.alias("v").x).distinct())
    assert len(again) == 3


# -- epochs and failures ---------------------------------------------------------------------------------------------------------


def test_everything_is_complete_before_anybody_is_called(chat: Chat) -> None:
    view = chat.view(nested(chat.mine, live=True))
    child = view[0]["x"]
    derived = live(query(child.alias("c")).select(n=count()))
    seen: list[Any] = []
    for each in (derived, child, view):
        each.subscribe(lambda _: seen.append((len(child), derived.rows(), view[0]["since"])))
    with batch():
        chat.write("channels", {"id": 0, "since": 1})
        chat.write("messages", {"id": 9, "channel": 0, "at": 0})
    assert seen == [(4, [{"n": 4}], 1)] * 3


def test_a_function_that_fails_fails_the_collections_which_recover_as_themselves(
    chat: Chat,
) -> None:
    def half(at: int) -> float:
        return 1 / (at - 5)

    view = chat.view(
        nested(chat.mine.select(id=chat.message.id, h=fn(half, chat.message.at)), live=True)
    )
    child, unused = view[0]["x"], view[1]["x"]
    told: list[Any] = []
    statuses: list[str] = []
    child.subscribe(lambda changes: told.append([(c.op, c.key) for c in changes]))
    child.subscribe_status(statuses.append)
    chat.write("messages", {"id": 9, "channel": 1, "at": 5})
    assert (child.status, unused.status, view.status) == ("error", "error", "error")
    assert isinstance(child.error, ZeroDivisionError)
    assert ids(child) == [0, 2, 4]
    with batch():
        with chat.channels.sync() as write:
            write.delete(1)
        chat.write("messages", {"id": 9, "channel": 0, "at": 6})
    assert (child.status, view.status, statuses) == ("ready", "ready", ["error", "ready"])
    assert (ids(child), told) == ([0, 2, 4, 9], [[("insert", 9)]])
    assert view[0]["x"] is child
    assert unused.status == "closed"


def test_a_row_that_leaves_during_a_failure_leaves_its_collection_for_good(chat: Chat) -> None:
    half = fn(lambda at: 1 / (at - 5), chat.message.at)
    view = chat.view(nested(chat.mine.select(id=chat.message.id, h=half), live=True))
    child = view[1]["x"]
    derived = live(query(child.alias("c")).select(n=count()))
    chat.write("messages", {"id": 9, "channel": 0, "at": 5})
    with chat.channels.sync() as write:
        write.delete(1)
    assert (child.status, derived.rows()) == ("error", [{"n": 3}])
    chat.write("messages", {"id": 9, "channel": 0, "at": 6})
    chat.write("channels", {"id": 1, "since": 0})
    assert (child.status, derived.rows(), len(view[1]["x"])) == ("closed", [{"n": 0}], 3)


def test_nobody_looks_into_a_collection_from_inside_a_query(chat: Chat) -> None:
    view = chat.view(nested(chat.mine, live=True))
    sizes = live(query(view).map(lambda row: len(row["x"])))
    assert sizes.status == "error"
    assert (
        str(sizes.error)
        == "cannot look into a child collection inside a function that a query calls"
    )


# -- the end ---------------------------------------------------------------------------------------------------------------------


def test_a_row_that_leaves_closes_its_collection_after_its_rows_have_left(chat: Chat) -> None:
    view = chat.view(nested(chat.mine, live=True))
    child = view[0]["x"]
    told: list[Any] = []
    child.subscribe(lambda changes: told.append(([c.op for c in changes], child.status)))
    child.subscribe_status(told.append)
    with chat.channels.sync() as write:
        write.delete(0)
    assert told == [(["delete"] * 3, "closed"), "closed"]
    with pytest.raises(CollectionError, match="child collection 'message' is closed"):
        child.rows()
    chat.write("channels", {"id": 0, "since": 0})
    again = view[0]["x"]
    assert again is not child
    assert (ids(again), child.status) == ([0, 2, 4], "closed")
    chat.write("messages", {"id": 8, "channel": 0, "at": 0})
    assert len(told) == 2


def test_a_row_that_leaves_and_comes_back_in_one_epoch_has_never_left(chat: Chat) -> None:
    view = chat.view(nested(chat.mine, live=True))
    child = view[0]["x"]
    with batch():
        with chat.channels.sync() as write:
            write.delete(0)
        chat.write("channels", {"id": 0, "since": 5})
    assert view[0] == {"since": 5, "x": child}
    assert view[0]["x"] is child


def test_queries_derived_from_a_collection_are_empty_once_its_row_has_left(chat: Chat) -> None:
    view = chat.view(nested(chat.mine, live=True))
    child = view[0]["x"]
    derived = live(query(child.alias("c")).where(child.alias("c").id > 0))
    assert ids(derived) == [2, 4]
    with chat.channels.sync() as write:
        write.delete(0)
    chat.write("channels", {"id": 0, "since": 0})
    assert (derived.rows(), derived.status) == ([], "ready")
    with pytest.raises(CollectionError, match="is closed"):
        live(query(child.alias("c")))


def test_collections_close_with_their_result_and_derived_queries_go_on(chat: Chat) -> None:
    view = chat.view(nested(chat.mine, live=True))
    child, other = view[0]["x"], chat.view(nested(chat.mine, live=True))
    derived = live(query(child.alias("c")).select(n=count()))
    view.close()
    assert child.status == "closed"
    chat.write("messages", {"id": 8, "channel": 0, "at": 0})
    assert derived.rows() == [{"n": 4}]
    kept = other[0]["x"]
    assert (len(kept), kept.status) == (4, "ready")
    del other
    gc.collect()
    assert current_graph().statistics().nodes > 0
    assert kept.status == "closed"


def test_who_follows_a_collection_keeps_its_result(chat: Chat) -> None:
    told: list[Any] = []
    before = current_graph().statistics().nodes
    view = chat.view(nested(chat.mine, live=True))
    subscription = view[0]["x"].subscribe(told.append)
    del view
    gc.collect()
    chat.write("messages", {"id": 8, "channel": 0, "at": 0})
    assert len(told) == 1
    subscription.close()
    gc.collect()
    assert current_graph().statistics().nodes == before
    dropped = chat.view(nested(chat.mine, live=True))[0]["x"]
    assert dropped.status == "closed"
    with pytest.raises(CollectionError, match="is closed: its live result is gone") as caught:
        dropped.subscribe(told.append)
    assert caught.value.__notes__ == ["keep a reference to the live result whose rows hold it"]


def test_following_ends_with_the_row(chat: Chat) -> None:
    view = chat.view(nested(chat.mine, live=True))

    async def main() -> list[Any]:
        changes = view[0]["x"].changes(initial=True)
        with chat.channels.sync() as write:
            write.delete(0)
        return [[change.op for change in each] async for each in changes]

    assert asyncio.run(main()) == [["insert"] * 3, ["delete"] * 3]


def test_one_may_be_closed_by_hand(chat: Chat) -> None:
    view = chat.view(nested(chat.mine, live=True))
    with view[0]["x"] as child:
        assert len(child) == 3
    assert child.status == "closed"
    with chat.channels.sync() as write:
        write.delete(0)
    assert sorted(view) == [1, 2]


def test_results_with_collections_leave_nothing_behind(chat: Chat) -> None:
    def use(number: int) -> None:
        part = chat.mine.select(k=chat.message.id + number) if number % 2 else chat.mine
        view = chat.view(nested(part, live=True))
        subscription = view[0]["x"].subscribe(print)
        derived = live(query(view[1]["x"]))
        for row in view.rows():
            row["x"].changes()
        with chat.channels.sync() as write:
            write.delete(2)
        chat.write("channels", {"id": 2, "since": number})
        assert len(derived) == 3
        if number % 3 == 0:
            view.close()
        else:
            subscription.close()

    def state() -> tuple[Any, ...]:
        gc.collect()
        graph = current_graph()
        found = graph.statistics()
        kinds = [type(each).__name__ for each in gc.get_objects() if isinstance(each, ChildQuery)]
        return (
            found.nodes,
            found.consumers,
            found.subscribers,
            found.rows_held,
            len(graph.nodes),
            len(graph.anchors),
            kinds,
        )

    before = state()
    for number in range(60):
        use(number)
    assert state() == before


# -- cost ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [100, 3_000])
def test_work_follows_the_change_whatever_the_size(rows: int) -> None:
    chat = Chat(channels=rows // 10, messages=rows)
    chat.write("messages", *({"id": -n, "channel": 0, "at": n} for n in range(1, rows)))
    view = chat.view(nested(chat.mine.order_by(chat.message.at).limit(5), live=True))
    child = view[0]["x"]
    assert len(child) == 5
    graph = current_graph()
    before = graph.statistics().rows_touched
    chat.write("messages", {"id": "new", "channel": 0, "at": -rows * 2})
    assert child.rows()[0]["id"] == "new"
    assert graph.statistics().rows_touched - before < 20
    before = graph.statistics().rows_touched
    chat.write("channels", {"id": 0, "since": 1})
    assert graph.statistics().rows_touched - before < 20
    before = graph.statistics().rows_touched
    chat.write("messages", {"id": "unseen", "channel": 1, "at": 0})
    assert graph.statistics().rows_touched - before < 20


def test_a_collection_nobody_looks_into_has_no_nodes(chat: Chat) -> None:
    view = chat.view(nested(chat.mine, live=True))
    before = current_graph().statistics().nodes
    row = view[0]
    assert row["x"].status == "ready"
    assert current_graph().statistics().nodes == before
    assert len(row["x"]) == 3
    assert current_graph().statistics().nodes == before + 3


# -- around it -------------------------------------------------------------------------------------------------------------------


def test_run_refuses_what_would_end_with_it(chat: Chat) -> None:
    part = nested(chat.mine, live=True)
    for each in (
        query(chat.channel).select(x=part),
        query(query(chat.channel).select(x=part).alias("q")),
    ):
        with pytest.raises(QueryError, match="run cannot keep child collections") as caught:
            run(each)
        assert caught.value.__notes__ == ["write nested(q) for lists, or live(query)"]


def test_incremental_tests_look_into_collections(chat: Chat) -> None:
    about = query(chat.reaction).where(chat.reaction.message == chat.message.id)
    deep = chat.mine.select(id=chat.message.id, reactions=nested(about, live=True))
    text = query(chat.channel).select(chat.channel, x={"in": nested(deep, live=True)})
    rows = [
        (chat.channels, [{"id": n, "since": n} for n in range(3)]),
        (chat.messages, [{"id": n, "channel": n % 4, "at": n} for n in range(8)]),
        (chat.reactions, [{"id": n, "message": n % 8} for n in range(12)]),
    ]
    assert_incremental(text, *rows, steps=60, seed=3)
    calls = 0

    def impure(at: int) -> int:
        nonlocal calls
        calls += 1
        return calls

    wrong = chat.mine.select(id=chat.message.id, at=fn(impure, chat.message.at))
    with pytest.raises(AssertionError, match="the live result differs from run"):
        assert_incremental(
            query(chat.channel).select(x=nested(wrong, live=True)), *rows[:2], steps=5
        )


def test_strict_mode_sees_rows_and_not_through_collections(chat: Chat) -> None:
    told: list[Any] = []
    with strict():
        view = chat.view(nested(chat.mine.filter(lambda row: row["id"] < 100), live=True))
        kept = live(query(view).filter(lambda row: row["since"] < 5))
        view[0]["x"].subscribe(told.append)
        view.subscribe(told.append)
        chat.write("messages", {"id": 8, "channel": 0, "at": 0})
        chat.write("channels", {"id": 0, "since": 1})
        assert kept[0]["x"] is view[0]["x"]
    assert len(told) == 2


def test_effects_are_given_collections(chat: Chat) -> None:
    entered: list[Any] = []
    handle = effect(
        query(chat.channel).select(x=nested(chat.mine, live=True)),
        on_enter=entered.append,
        skip_initial=True,
    )
    chat.write("channels", {"id": 7, "since": 0})
    (event,) = entered
    chat.write("messages", {"id": 8, "channel": 7, "at": 0})
    assert ids(event.value["x"]) == [8]
    handle.close()
    assert event.value["x"].status == "closed"


def test_explain_and_inspect_tell_of_collections(chat: Chat) -> None:
    part = nested(chat.mine, live=True)
    view = chat.view(part)
    text = explain(view)
    assert repr(part) == "<Expr nested(rows, live=True)>"
    assert "nest nested 1 (live)" in text
    assert "rows by outer row" in text
    assert "whole list" not in text
    child = view[0]["x"]
    assert "scan rows of 0 as child" in explain(child)
    assert inspect(child).startswith("child collection 'message', ready, 3 rows")
    assert "nest nested 1 (live)" in explain(query(chat.channel).select(x=part))


# -- the same as lists -----------------------------------------------------------------------------------------------------------


def forms(chat: Chat) -> dict[str, Query[Any]]:
    """Return nested queries of every kind."""
    message, reaction = chat.message, chat.reaction
    about = query(reaction).where(reaction.message == message.id)
    late = chat.mine.where(message.at >= chat.channel.since)
    joined = query(message).join(reaction, on=reaction.message == message.id, how="left")
    return {
        "rows": chat.mine,
        "ordered": late.order_by(message.at.desc()).limit(2, offset=1),
        "one": chat.mine.order_by(message.at).one(),
        "total": late.select(n=count(), s=sum_(message.at)),
        "groups": chat.mine.group_by(message.at).select(at=message.at, n=count()).having(count() > 1).order_by(selected.n),
        "distinct": late.select(at=message.at).distinct().order_by(selected.at.desc()).limit(2),
        "range": query(message).where(message.at < chat.channel.since).select(id=message.id),
        "joined": joined.where(message.channel == chat.channel.id).select(m=message.id, r=reaction.id),
        "mapped": chat.mine.order_by(message.at).map(lambda row: -row["id"]),
        "deep": chat.mine.select(id=message.id, n=nested(about.select(r=collect(reaction.id)).one())["r"]),
    }  # fmt: skip


class Followed:
    """A child collection, and its rows put together from its changes alone."""

    def __init__(self, child: LiveQuery[Any], *, initial: bool) -> None:
        self.child = child
        self.rows: dict[Any, Any] = {} if initial else {normal(k): v for k, v in child.items()}
        child.subscribe(self.fold, initial=initial)

    def fold(self, changes: list[Change[Any]]) -> None:
        for change in changes:
            if change.op == "insert":
                assert normal(change.key) not in self.rows
            else:
                assert equal(self.rows[normal(change.key)], change.old)
            if change.op == "delete":
                del self.rows[normal(change.key)]
            else:
                self.rows[normal(change.key)] = change.value


def random_writes(chat: Chat, draw: random.Random) -> None:
    """Make a commit over all collections."""
    rows: dict[str, Callable[[int], Row]] = {
        "channels": lambda n: {"id": n % 4, "since": draw.randint(0, 3)},
        "messages": lambda n: {"id": n, "channel": draw.choice((0, 1, 2, 3, 9, None)), "at": draw.randint(0, 3)},
        "reactions": lambda n: {"id": n, "message": draw.randint(0, 8)},
    }  # fmt: skip
    with batch():
        for _ in range(draw.randint(1, 6)):
            name = draw.choice(list(rows))
            collection: Collection[Row] = getattr(chat, name)
            row = rows[name](draw.randint(0, 8))
            with collection.sync() as write:
                if row["id"] in collection and draw.random() < 0.4:
                    write.delete(row["id"])
                else:
                    write.upsert(row)


class Check:
    """Compares the collections of a result with the lists beside them, after every epoch."""

    def __init__(self, view: LiveQuery[Row], draw: random.Random) -> None:
        self.view = view
        self.draw = draw
        self.children: dict[tuple[int, str], LiveQuery[Any]] = {}
        self.followed: dict[tuple[int, str], Followed] = {}

    def look(self) -> None:
        before, self.children = self.children, {}
        for key, row in self.view.items():
            for name, child in row["live"].items():
                self.children[key, name] = child
                assert before.pop((key, name), child) is child
                shown = row["lists"][name]
                self.compare((key, name), child, shown if isinstance(shown, list) else [shown])
        for place, child in before.items():
            assert child.status == "closed"
            if (gone := self.followed.pop(place, None)) is not None:
                assert (gone.child is child, gone.rows) == (True, {})

    def compare(self, place: tuple[int, str], child: LiveQuery[Any], shown: list[Any]) -> None:
        followed = self.followed.get(place)
        if followed is not None or self.draw.random() < 0.5:
            assert child.rows() == [row for row in shown if row is not None]
        if followed is not None:
            assert (followed.child is child, followed.rows) == (True, dict(child))
        elif self.draw.random() < 0.3:
            self.followed[place] = Followed(child, initial=self.draw.random() < 0.5)


@given(st.randoms(use_true_random=False))
def test_collections_show_what_lists_show(draw: random.Random) -> None:
    chat = Chat()
    chosen = forms(chat)
    names = draw.sample(list(chosen), 3)
    view = live(
        query(chat.channel).select(
            live={name: nested(chosen[name], live=True) for name in names},
            lists={name: nested(chosen[name]) for name in names},
        )
    )
    check = Check(view, draw)
    for _ in range(8):
        check.look()
        random_writes(chat, draw)
    check.look()
    view.close()
    assert {child.status for child in check.children.values()} <= {"closed"}
