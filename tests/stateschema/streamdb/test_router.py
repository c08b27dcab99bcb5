"""The router: what events do to collections, alone and in batches."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, model_validator

from dataflow.collection.changes import Change
from stateschema.errors import EventError, Where
from stateschema.schema.entity import Entity, StateSchema
from stateschema.stream.offset import Offset
from stateschema.streamdb.attach import attach
from stateschema.streamdb.router import Committed, Router
from tests.stateschema.streamdb.chat import (
    NOTHING,
    Chat,
    Message,
    change,
    control,
    cut,
    events,
    expected,
    histories,
    message,
    shown,
)


@given(histories(), st.lists(st.integers(0, 99), max_size=6))
def test_rows_are_the_fold_of_the_history_however_it_is_cut(
    history: list[dict[str, Any]], places: list[int]
) -> None:
    chat = attach(Chat)
    router = Router(chat)
    seen: list[dict[str, Any]] = []
    for part in cut(history, places):
        router.apply(part)
        seen += part
        assert shown(chat) == expected(seen)


@given(histories(), st.lists(st.integers(0, 99), max_size=6))
def test_batches_staged_before_a_commit_are_one_epoch(
    history: list[dict[str, Any]], places: list[int]
) -> None:
    chat = attach(Chat)
    router = Router(chat)
    epochs: list[Any] = []
    chat.messages.subscribe(epochs.append)
    for part in cut(history, places):
        router.stage(part)
        assert shown(chat) == NOTHING
    router.commit()
    assert shown(chat) == expected(history)
    assert len(epochs) == (1 if chat.messages else 0)


def test_events_and_their_wire_form_are_the_same() -> None:
    chat = attach(Chat)
    Router(chat).apply(events([message("1", "a"), control("reset"), message("2", "b")]))
    assert dict(chat.messages) == {"2": Message(id="2", text="b")}


def test_a_key_that_is_missing_in_the_value_is_filled_in() -> None:
    chat = attach(Chat)
    Router(chat).apply([change("counter", "7", "insert", {"n": 1})])
    assert dict(chat.counters) == {7: {"id": 7, "n": 1}}


def test_two_spellings_of_one_key_are_one_row() -> None:
    chat = attach(Chat)
    Router(chat).apply(
        [
            change("counter", "7", "insert", {"n": 1}),
            change("counter", "07", "delete"),
            change("counter", "8", "insert", {"n": 2}),
            change("counter", "08", "insert", {"n": 3}),
        ]
    )
    assert dict(chat.counters) == {8: {"id": 8, "n": 3}}


def test_update_replaces_the_row_unless_the_entity_merges() -> None:
    chat = attach(Chat)
    router = Router(chat)
    router.apply(
        [
            change("message", "1", "insert", {"text": "a", "replyTo": "0"}),
            change("message", "1", "update", {"text": "b"}),
            change("presence", "ada:1", "insert", {"actor": "ada", "device": "1", "name": "Ada"}),
            change("presence", "ada:1", "update", {"status": "away"}),
        ]
    )
    ada = {"actor": "ada", "device": "1", "name": "Ada", "status": "away"}
    assert shown(chat) == {
        "messages": {"1": {"id": "1", "text": "b", "replyTo": None}},
        "presence": {"ada:1": ada},
        "counters": {},
    }
    router.apply([change("presence", "ada:1", "upsert", {"status": "offline"})])
    assert shown(chat)["presence"] == {"ada:1": {**ada, "status": "offline"}}


def test_a_subscriber_of_one_collection_sees_the_others_updated() -> None:
    chat = attach(Chat)
    seen: list[tuple[str, ...]] = []
    chat.messages.subscribe(lambda _: seen.append(tuple(chat.counters)))
    chat.counters.subscribe(lambda _: seen.append(tuple(chat.messages)))
    Router(chat).apply([message("1"), change("counter", "7", "insert", {"n": 1})])
    assert sorted(seen, key=str) == [("1",), (7,)]


def test_an_epoch_brings_net_changes() -> None:
    chat = attach(Chat)
    router = Router(chat)
    router.apply([message("1", "a"), message("2", "a")])
    epochs: list[list[Change[Message]]] = []
    chat.messages.subscribe(epochs.append)
    router.apply([message("1", "b"), message("1", "c"), message("3"), control("reset")])
    router.apply([message("1", "c"), message("2", "d"), change("message", "1", "delete")])
    assert epochs == [
        [
            Change("delete", "1", Message(id="1", text="a"), Message(id="1", text="a")),
            Change("delete", "2", Message(id="2", text="a"), Message(id="2", text="a")),
        ],
        [Change("insert", "2", Message(id="2", text="d"), None)],
    ]


def test_reset_and_what_follows_it_are_one_epoch() -> None:
    chat = attach(Chat)
    router = Router(chat)
    router.apply([message("1", "a"), message("2", "a"), change("counter", "7", "insert", {"n": 1})])
    epochs: list[list[Change[Any]]] = []
    chat.messages.subscribe(epochs.append)
    router.apply([control("reset"), message("2", "b")])
    assert epochs == [
        [
            Change("update", "2", Message(id="2", text="b"), Message(id="2", text="a")),
            Change("delete", "1", Message(id="1", text="a"), Message(id="1", text="a")),
        ]
    ]
    assert shown(chat) == expected([message("2", "b")])


def test_a_snapshot_removes_at_its_end_what_it_did_not_store() -> None:
    chat = attach(Chat)
    router = Router(chat)
    router.apply([message("1", "a"), message("2", "a"), change("counter", "7", "insert", {"n": 1})])
    steps = []
    for part in (
        [control("snapshot-start"), message("2", "b")],
        [message("3", "c")],
        [control("snapshot-end")],
    ):
        router.apply(part)
        steps.append({key: row.text for key, row in chat.messages.items()})
    assert steps == [
        {"1": "a", "2": "b"},
        {"1": "a", "2": "b", "3": "c"},
        {"2": "b", "3": "c"},
    ]
    assert dict(chat.counters) == {}


DUMP = [control("snapshot-start"), message("2"), control("snapshot-end")]


@pytest.mark.parametrize(
    ("history", "left"),
    [
        pytest.param([control("snapshot-end")], {"1"}, id="an end without a start"),
        pytest.param(
            [*DUMP[:2], *DUMP[:1], message("3"), *DUMP[2:]],
            {"3"},
            id="a second start begins anew",
        ),
        pytest.param(
            [control("snapshot-start"), control("reset"), message("2"), control("snapshot-end")],
            {"2"},
            id="a reset abandons it",
        ),
        pytest.param(
            [*DUMP[:2], change("message", "2", "delete"), *DUMP[2:], message("4"), *DUMP[2:]],
            {"4"},
            id="deleted again within",
        ),
    ],
)
def test_odd_snapshots(history: list[dict[str, Any]], left: set[str]) -> None:
    chat = attach(Chat)
    router = Router(chat)
    router.apply([message("1")])
    for wire in history:
        router.apply([wire])
    assert set(chat.messages) == left


BAD = [
    pytest.param({"no": "headers"}, "headers", id="no event"),
    pytest.param("text", None, id="no object"),
    pytest.param(change("message", "1", "replace", {}), "headers.operation", id="operation"),
    pytest.param(change("message", "9", "insert", {"text": 1}), "value.text", id="value"),
    pytest.param(change("message", "9", "insert", 5), "value", id="a primitive value"),
    pytest.param(change("message", "9", "insert", {"id": "8", "text": ""}), "key", id="key"),
    pytest.param(change("counter", "x", "delete"), "key", id="key of a delete"),
    pytest.param(change("presence", "a:1", "upsert", {"actor": 1}), "value.actor", id="merge"),
]


@pytest.mark.parametrize(("bad", "field"), BAD)
def test_a_bad_event_leaves_the_last_consistent_state(bad: Any, field: str | None) -> None:
    chat = attach(Chat)
    router = Router(chat)
    router.apply([message("1", "a")])
    epochs: list[Any] = []
    chat.messages.subscribe(epochs.append)
    with pytest.raises(EventError) as caught:
        router.apply([message("2"), bad, message("3")])
    assert (caught.value.where, caught.value.field) == (Where(index=1), field)
    with pytest.raises(EventError) as staged:
        router.stage([message("4")])
    with pytest.raises(EventError) as committed:
        router.commit()
    assert staged.value is committed.value is caught.value
    assert shown(chat) == expected([message("1", "a")])
    assert epochs == []


@pytest.mark.parametrize(("bad", "field"), BAD)
def test_a_skipped_event_is_counted_reported_and_otherwise_never_was(
    bad: Any, field: str | None
) -> None:
    chat = attach(Chat)
    skipped: list[EventError] = []
    router = Router(chat, on_error="skip", on_skip=skipped.append)
    if isinstance(bad, dict) and "headers" in bad:
        bad = {**bad, "headers": {**bad["headers"], "txid": "bad"}}
    place = Where(source="chat.jsonl", line=7)
    committed = router.apply(
        [message("2", txid="good"), bad, message("3")],
        where=lambda index: place if index == 1 else Where(),
    )
    assert [(error.where, error.field) for error in skipped] == [(place, field)]
    assert committed == Committed(events=2, ignored=0, skipped=1, txids=("good",), offset=None)
    assert shown(chat) == expected([message("2"), message("3")])


def test_staging_tells_where_the_last_reset_leads_that_is_an_event() -> None:
    def reset(offset: object) -> dict[str, Any]:
        return {"headers": {"control": "reset", "offset": offset}}

    router = Router(attach(Chat), on_error="skip")
    history = [reset("5"), message("1"), reset("3")]
    no_events = [reset(7), reset(""), {"headers": "reset"}]
    assert [
        router.stage(batch, passes_resets=True)
        for batch in (history, [*history, control("reset"), *no_events], no_events, [message("2")])
    ] == ["3", "3", None, None]


def test_a_bad_event_in_a_snapshot_is_not_part_of_it() -> None:
    chat = attach(Chat)
    router = Router(chat, on_error="skip")
    router.apply([message("1"), message("2")])
    broken = change("message", "1", "insert", {"text": None})
    router.apply([control("snapshot-start"), broken, message("2"), control("snapshot-end")])
    assert set(chat.messages) == {"2"}


def test_each_commit_tells_what_it_brought() -> None:
    facts: list[Committed] = []
    router = Router(attach(Chat), on_error="skip", on_commit=facts.append)
    router.stage([message("1", txid="a"), message("2", txid="b"), message("3", txid="a")])
    router.stage([change("other", "1", "insert", 1, txid="c"), control("reset"), {}])
    router.commit(offset=Offset("5"))
    router.apply([message("4")])
    assert facts == [
        Committed(events=5, ignored=1, skipped=1, txids=("a", "b", "c"), offset=Offset("5")),
        Committed(events=1, ignored=0, skipped=0, txids=(), offset=None),
    ]


def test_an_epoch_is_complete_although_a_subscriber_raised() -> None:
    chat = attach(Chat)
    facts: list[Committed] = []
    router = Router(chat, on_commit=facts.append)
    problem = ValueError("no")

    def fail(_: object) -> None:
        raise problem

    chat.messages.subscribe(fail)
    with pytest.raises(ExceptionGroup) as caught:
        router.apply([message("1"), change("counter", "7", "insert", {"n": 1})])
    assert caught.value.exceptions == (problem,)
    assert facts == [Committed(events=2, ignored=0, skipped=0, txids=(), offset=None)]
    assert (set(chat.messages), set(chat.counters)) == ({"1"}, {7})


class Refusing(BaseModel):
    id: str

    @model_validator(mode="after")
    def _refuse(self) -> "Refusing":
        raise KeyError(self.id)


class Raising(StateSchema):
    notes = Entity(dict[str, Any], type="note", key=lambda note: note["name"])
    refused = Entity(Refusing, type="refused", key="id")
    others = Entity(dict[str, Any], type="other", key="id")


RAISING = [
    pytest.param(change("note", "1", "insert", {}), id="key function"),
    pytest.param(change("note", "1", "insert", {"name": 1}), id="key that is no text"),
    pytest.param(change("refused", "1", "insert", {}), id="validator"),
]


@pytest.mark.parametrize("bad", RAISING)
def test_what_code_of_the_schema_raises_is_a_bad_event(bad: dict[str, Any]) -> None:
    good = [change("other", key, "insert", {}) for key in "12"]
    raising, skipping = attach(Raising), attach(Raising)
    with pytest.raises(EventError, match="cannot be read"):
        Router(raising).apply([good[0], bad, good[1]])
    assert set(raising.others) == set()
    skipped: list[EventError] = []
    Router(skipping, on_error="skip", on_skip=skipped.append).apply([good[0], bad, good[1]])
    assert set(skipping.others) == {"1", "2"}
    assert [error.where for error in skipped] == [Where(index=1)]


def test_an_on_skip_that_raises_leaves_nothing_half_applied() -> None:
    chat = attach(Chat)
    problem = RuntimeError("no")

    def fail(_: object) -> None:
        raise problem

    router = Router(chat, on_error="skip", on_skip=fail)
    for messages in ([message("1"), 5], []):
        with pytest.raises(RuntimeError) as caught:
            router.apply(messages)
        assert caught.value is problem
    assert shown(chat) == NOTHING
