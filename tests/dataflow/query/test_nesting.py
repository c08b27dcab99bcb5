"""Nested queries: what they show, what a change of a child or a parent tells, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from dataflow.collection.batch import batch
from dataflow.collection.collection import Collection
from dataflow.live.explain import explain
from dataflow.live.live import live, run
from dataflow.query.aggregates import count, max_
from dataflow.query.builder import query
from dataflow.query.functions import fn, selected
from dataflow.query.nesting import nested


class Chat:
    """Two channels with messages, and one without."""

    def __init__(self) -> None:
        self.channels = Collection("channels", key="id")
        self.messages = Collection("messages", key="id")
        self.channel = self.channels.alias("channel")
        self.message = self.messages.alias("message")
        self.mine = query(self.message).where(self.message.channel == self.channel.id)
        with batch():
            with self.channels.sync() as write:
                for name in ("a", "b", "c"):
                    write.insert({"id": name, "since": 2})
            with self.messages.sync() as write:
                for number, channel in enumerate("aabba"):
                    write.insert({"id": number, "channel": channel, "by": "uv"[number % 2]})

    def shown(self, part: Any) -> list[Any]:
        """Return what a nested value is for each channel."""
        found = run(query(self.channel).select(x=part).order_by(self.channel.id))
        return [row["x"] for row in found]


@pytest.fixture
def chat() -> Chat:
    return Chat()


def ids(lists: list[list[dict[str, Any]]]) -> list[list[Any]]:
    return [[row["id"] for row in rows] for rows in lists]


def test_rows_are_listed_for_each_outer_row_by_key(chat: Chat) -> None:
    assert ids(chat.shown(nested(chat.mine))) == [[0, 1, 4], [2, 3], []]


def test_order_limit_and_offset_are_about_each_list(chat: Chat) -> None:
    part = chat.mine.order_by(chat.message.id.desc()).limit(1, offset=1)
    assert ids(chat.shown(nested(part))) == [[1], [2], []]


def test_one_is_the_first_row_or_none(chat: Chat) -> None:
    first = nested(chat.mine.order_by(chat.message.id.desc()).one())
    assert chat.shown(first["id"]) == [4, 3, None]
    assert chat.shown(first)[2] is None


def test_one_of_a_query_on_its_own_is_its_first_row(chat: Chat) -> None:
    assert run(query(chat.message).one()) == [{"id": 0, "channel": "a", "by": "u"}]
    last = query(chat.message).order_by(chat.message.id.desc()).one().select(id=chat.message.id)
    assert run(last) == [{"id": 4}]
    assert run(query(chat.message).select(n=count()).one()) == [{"n": 5}]


def test_aggregates_are_about_each_outer_row_and_have_a_row_of_nothing(chat: Chat) -> None:
    total = chat.mine.select(n=count(), last=max_(chat.message.id))
    assert chat.shown(nested(total.one())) == [
        {"n": 3, "last": 4},
        {"n": 2, "last": 3},
        {"n": 0, "last": None},
    ]
    assert chat.shown(nested(total.one())["n"]) == [3, 2, 0]
    assert chat.shown(nested(total))[2] == [{"n": 0, "last": None}]


def test_groups_and_distinct_rows_are_about_each_outer_row(chat: Chat) -> None:
    by = chat.message.by
    groups = chat.mine.group_by(by).select(by=by, n=count()).having(count() > 1)
    assert chat.shown(nested(groups)) == [[{"by": "u", "n": 2}], [], []]
    unlike = chat.mine.select(by=by).distinct().order_by(selected.by.desc())
    assert chat.shown(nested(unlike)) == [[{"by": "v"}, {"by": "u"}]] * 2 + [[]]


def test_further_conditions_on_outer_fields_decide_too(chat: Chat) -> None:
    late = chat.mine.where(chat.message.id >= chat.channel.since)
    assert ids(chat.shown(nested(late))) == [[4], [2, 3], []]


def test_without_any_condition_every_row_belongs_to_every_outer_row(chat: Chat) -> None:
    assert chat.shown(nested(query(chat.message).select(n=count()).one())["n"]) == [5, 5, 5]


def test_rows_may_be_joined_mapped_and_typed(chat: Chat) -> None:
    @dataclass(frozen=True)
    class Row:
        id: int

    other = chat.channels.alias("other")
    joined = query(chat.message).join(other, on=chat.message.channel == other.id)
    rows = joined.where(other.id == chat.channel.id).select(id=chat.message.id)
    assert chat.shown(nested(rows.into(Row))) == [[Row(0), Row(1), Row(4)], [Row(2), Row(3)], []]
    assert chat.shown(nested(rows.map(lambda row: row["id"] * 2))) == [[0, 2, 8], [4, 6], []]


def test_nested_queries_may_stand_in_dicts_and_in_each_other(chat: Chat) -> None:
    again = chat.messages.alias("again")
    same = query(again).where(again.by == chat.message.by)
    inner = chat.mine.select(id=chat.message.id, like=nested(same.select(n=count()).one())["n"])
    found = run(query(chat.channel).select(x={"deep": nested(inner)}))
    assert found[1] == {"x": {"deep": [{"id": 2, "like": 3}, {"id": 3, "like": 2}]}}


def test_the_result_may_be_ordered_by_what_is_nested(chat: Chat) -> None:
    n = nested(chat.mine.select(n=count()).one())["n"]
    found = run(query(chat.channel).select(id=chat.channel.id, n=n).order_by(selected.n))
    assert [row["id"] for row in found] == ["c", "b", "a"]


def test_a_changed_child_is_one_update_of_its_parent_with_a_new_list(chat: Chat) -> None:
    result = live(query(chat.channel).select(id=chat.channel.id, rows=nested(chat.mine)))
    before = {key: result[key]["rows"] for key in result}
    told: list[Any] = []
    subscription = result.subscribe(told.append)
    with chat.messages.sync() as write:
        write.update({"id": 1, "channel": "a", "by": "w"})
        write.delete(0)
    ((change,),) = told
    assert (change.op, change.key) == ("update", "a")
    assert [row["by"] for row in change.value["rows"]] == ["w", "u"]
    assert change.old["rows"] is before["a"]
    assert [row["id"] for row in before["a"]] == [0, 1, 4]
    assert change.value["rows"][1] is before["a"][2]
    assert result["b"]["rows"] is before["b"]
    subscription.close()


def test_a_child_that_moves_updates_both_parents_and_one_beyond_the_window_none(chat: Chat) -> None:
    rows = nested(chat.mine.order_by(chat.message.id).limit(2))
    result = live(query(chat.channel).select(rows=rows))
    told: list[Any] = []
    subscription = result.subscribe(lambda changes: told.append([(c.op, c.key) for c in changes]))
    with chat.messages.sync() as write:
        write.update({"id": 1, "channel": "c", "by": "v"})
    with chat.messages.sync() as write:
        write.insert({"id": 9, "channel": "a", "by": "v"})
    assert [sorted(changes) for changes in told] == [[("update", "a"), ("update", "c")]]
    subscription.close()


def test_user_functions_see_each_version_of_a_child_once(chat: Chat) -> None:
    calls: list[int] = []

    def noted(number: int) -> int:
        calls.append(number)
        return number

    mine = chat.mine.select(id=fn(noted, chat.message.id))
    result = live(query(chat.channel).select(since=chat.channel.since, rows=nested(mine)))
    assert sorted(calls) == [0, 1, 2, 3, 4]
    with chat.channels.sync() as write:
        write.update({"id": "a", "since": 7})
        write.insert({"id": "d", "since": 7})
    assert len(calls) == 5
    with chat.messages.sync() as write:
        write.update({"id": 4, "channel": "d", "by": "u"})
    assert calls[5:] == [4]
    assert result["d"] == {"since": 7, "rows": [{"id": 4}]}


def test_explain_tells_what_is_nested_and_what_it_costs(chat: Chat) -> None:
    text = explain(query(chat.channel).select(rows=nested(chat.mine), one=nested(chat.mine.one())))
    assert "nest nested 1, nested 2 (one row)" in text
    assert "where message.channel == channel.id" in text
    assert "costs  the whole list of each outer row with a changed child" in text
    assert repr(nested(chat.mine)) == "<Expr nested(rows)>"
