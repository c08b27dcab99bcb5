"""Pieces: many events read at once end as each of them read by itself, whatever is among them."""

from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, model_validator

from stateschema.errors import Where
from stateschema.schema.entity import Entity, StateSchema
from stateschema.streamdb import router as router_module
from stateschema.streamdb.attach import attach
from stateschema.streamdb.conflicts import Conflict, Conflicts
from stateschema.streamdb.pieces import PieceReader
from stateschema.streamdb.router import Committed, Router
from stateschema.streamdb.staging import Staging
from tests.stateschema.schema.kinds import NEW, KindsNext
from tests.stateschema.streamdb.chat import Chat, change, control, message, shown

NONE_OF_A_KIND: list[Any] = [None, 7, "text", [], {}, {"headers": {}}, {"headers": []}]
ODD_TEXTS = st.sampled_from(["", "\ud800", "07", "x", "1.0", None, 7, ["1"]])
PARTS: dict[str, st.SearchStrategy[Any]] = {
    "type": ODD_TEXTS | st.sampled_from(["message", "counter", "unknown"]),
    "key": ODD_TEXTS,
    "value": st.sampled_from(
        [None, [], "text", {}, {"id": "9"}, {"text": 1}, {"text": "c"}, {"id": None, "n": 1}]
    ),
    "old_value": st.sampled_from([None, {}, {"id": "1", "text": "a"}]),
    "headers": st.sampled_from([None, [], "operation", {"operation": []}])
    | st.fixed_dictionaries(
        {"operation": st.sampled_from(["insert", "update", "upsert", "delete", "replace"])},
        optional={
            "txid": st.sampled_from(["t1", "t2", "", 7, None]),
            "timestamp": st.sampled_from(["2026-01-01T00:00:00Z", "", 7, None]),
            "control": st.sampled_from(["reset", "x"]),
            "more": st.just([1]),
        },
    ),
}


USUAL = [
    change(row_type, key, operation, {**value, **own})
    for operation in ("insert", "update", "upsert", "delete")
    for row_type, key, value, names in (
        ("message", "1", {"text": "a"}, {"id": "1"}),
        ("message", "2", {"text": "b"}, {"id": "2", "replyTo": "1"}),
        ("counter", "1", {"n": 1}, {"id": 1}),
        ("presence", "a:1", {"actor": "a", "device": "1"}, {"name": "Ann"}),
        ("presence", "a:2", {"actor": "a", "device": "2"}, {"status": "away"}),
        ("unknown", "1", {}, {"id": "1"}),
    )
    for own in ({}, names)
]


@st.composite
def odd(draw: st.DrawFn) -> Any:
    """An event that has lost a part, or got an odd one; seldom something else."""
    wire = draw(st.sampled_from(USUAL))
    part = draw(st.sampled_from([*PARTS, *PARTS, ""]))
    if not part:
        return draw(st.sampled_from([*NONE_OF_A_KIND, control("reset"), control("snapshot-end")]))
    rest = {name: value for name, value in wire.items() if name != part}
    return {**rest, part: draw(PARTS[part])} if draw(st.booleans()) else rest


@st.composite
def mixed(draw: st.DrawFn) -> list[Any]:
    """A history of few different events, so that they meet, with an odd one here and there."""
    wires = USUAL
    if wanted := draw(st.sampled_from(["message", "counter", "presence", ""])):
        wires = [wire for wire in USUAL if wire["type"] == wanted]
    usual = st.sampled_from(wires)
    history: list[Any] = draw(st.lists(usual, min_size=6, max_size=24))
    for place in draw(st.lists(st.integers(0, 23), max_size=3)):
        history.insert(place, draw(odd()))
    return history


def read(history: list[Any], *, piece: int, conflicts: Conflicts) -> tuple[Any, ...]:
    """What a history comes to, and all that is told on the way, read in pieces of a size; 1 is each by itself."""
    chat = attach(Chat)
    told: list[Any] = []

    def meet(conflict: Conflict) -> None:
        told.append((conflict.event.to_wire(), conflict.row, conflict.is_refused))

    router = Router(
        chat,
        on_error="skip",
        on_skip=lambda error: told.append((str(error), error.message)),
        conflicts=conflicts,
        on_conflict=meet,
    )
    for collection in (chat.messages, chat.presence, chat.counters):
        collection.subscribe(told.append)
    middle = len(history) // 2
    with mock.patch.object(router_module, "PIECE", piece):
        committed: list[Committed] = [
            router.apply(half, where=lambda index: Where(source="s", line=index + 1))
            for half in (history[:middle], history[middle:])
        ]
    return shown(chat), told, committed, router.skipped, router.is_in_snapshot


@given(mixed(), st.integers(2, 6), st.sampled_from(["ignore", "report", "refuse"]))
def test_a_piece_does_what_its_events_do_one_by_one(
    history: list[Any], piece: int, conflicts: Conflicts
) -> None:
    assert read(history, piece=piece, conflicts=conflicts) == read(
        history, piece=1, conflicts=conflicts
    )


def plain(messages: list[Any], *, looks_back: bool = True) -> bool:
    """Whether messages are read as a piece."""
    chat = attach(Chat)
    staged = {
        "message": Staging(Chat.messages, chat.messages, None),
        "presence": Staging(Chat.presence, chat.presence, None),
    }
    return PieceReader(staged, looks_back=looks_back).read(messages) is not None


def test_usual_events_are_read_as_a_piece() -> None:
    history = [
        message("1", "a", txid="t1", timestamp="2026-01-01T00:00:00Z", more=[1]),
        change("message", "2", "upsert", {"text": "b"}),
        change("message", "3", "update", {"id": "3", "text": "b", "unknown": 1}),
        change("message", "1", "delete"),
        change("unknown", "1", "insert", [1]),
    ]
    assert plain(history)
    seen = {**change("message", "1", "update", {"text": "a"}), "old_value": {"text": "b"}}
    assert plain([*history, seen], looks_back=False)


@pytest.mark.parametrize(
    "odd",
    [
        {"headers": {"control": "reset"}},
        message("1", control="reset"),
        {**change("message", "1", "update", {"text": "a"}), "old_value": {"text": "b"}},
        change("presence", "a:1", "update", {"actor": "a", "device": "1"}),
        change("message", "", "delete"),
        change("unknown", "\ud800", "delete"),
        message("1", txid=""),
        change("message", "1", "insert", {"id": "2", "text": "a"}),
        change("message", "1", "insert", {"id": "1"}),
        change("message", "1", "replace", {"id": "1", "text": "a"}),
        {"type": "message", "key": "1", "headers": {"operation": "insert"}},
        None,
    ],
)
def test_a_piece_with_anything_else_is_left_alone(odd: Any) -> None:
    assert not plain([message("1"), odd])


def test_rows_of_every_kind_are_read_at_once_as_one_by_one() -> None:
    events = [
        entity.insert(_with_id(row, key))
        for name, row in NEW.items()
        for entity in [vars(KindsNext)[name]]
        for key in ("1", "2", "3")
    ]
    wires = [event.to_wire() for event in events]
    at_once, one_by_one = attach(KindsNext), attach(KindsNext)
    Router(at_once).apply(wires)
    for wire in wires:
        Router(one_by_one).apply([wire])
    assert shown(at_once) == shown(one_by_one)
    assert [len(rows) for rows in shown(at_once).values()] == [3, 3, 3, 3, 3, 0]


def _with_id(row: Any, key: str) -> Any:
    if isinstance(row, dict):
        return {**row, "id": key}
    return type(row)(id=key, reply_to=row.reply_to, stars=row.stars)


class Upgraded(BaseModel):
    """A row that is read from an older form too, which its validator takes apart."""

    id: str
    name: str

    @model_validator(mode="before")
    @classmethod
    def _upgrade(cls, value: dict[str, Any]) -> dict[str, Any]:
        value["name"] = value.pop("names").pop()
        return value


class Upgrades(StateSchema):
    people = Entity(Upgraded, type="person", key="id")


def test_what_validators_take_apart_is_whole_when_it_is_read_again() -> None:
    upgrades = attach(Upgrades)
    bad: list[Any] = []
    router = Router(upgrades, on_error="skip", on_skip=lambda error: bad.append(error.message))
    sent = [change("person", key, "insert", {"names": [key, last]}) for key, last in ("ab", "b1")]
    odd = change("person", "c", "insert", {"names": [1, 2]})
    router.apply([*sent, odd])
    assert upgrades.people.rows() == [
        Upgraded.model_construct(id="a", name="b"),
        Upgraded.model_construct(id="b", name="1"),
    ]
    assert bad == [change("person", "c", "insert", {"names": [1, 2]})]
