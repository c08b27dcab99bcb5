"""Policies: bad events by entity, and events that were made for another row."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow import TransactionError
from stateschema.errors import ConflictError, EventError, SchemaError
from stateschema.events import ChangeEvent
from stateschema.streamdb.blocking import BlockingStreamDB
from stateschema.streamdb.db import StreamDB
from tests.stateschema.streamdb.chat import Chat, Message, change, control, message, shown
from tests.stateschema.streamdb.recording import Recording

BAD_MESSAGE = change("message", "9", "insert", {"text": 1})
BAD_COUNTER = change("counter", "x", "delete")


class Raw(Recording):
    """Takes messages that are no events."""

    def put_raw(self, *texts: bytes) -> None:
        self._messages += texts
        self._signal.appended(len(self._messages))


# -- bad events --------------------------------------------------------------------------------------------------------


def test_bad_events_of_one_entity_are_skipped_and_never_stop_the_others() -> None:
    dead: list[EventError] = []
    stream = Recording([message("1"), BAD_MESSAGE, change("counter", "7", "insert", {"n": 1})])
    policies: Any = {"messages": "skip"}
    db = BlockingStreamDB(Chat, stream=stream, on_error=policies, on_skip=dead.append)
    db.preload()
    assert (set(db.collections.messages), set(db.collections.counters)) == ({"1"}, {7})
    stream.put([BAD_MESSAGE, message("2")])
    db.poll()
    assert set(db.collections.messages) == {"1", "2"}
    assert db.skipped == {"message": 2}
    assert [each.message for each in dead] == [BAD_MESSAGE, BAD_MESSAGE]
    stream.put([BAD_COUNTER])
    with pytest.raises(EventError, match="field 'key'"):
        db.poll()
    assert (db.status, db.skipped) == ("error", {"message": 2})
    db.close()


@pytest.mark.parametrize(
    ("policies", "stops"),
    [
        ({"messages": "raise", "*": "skip"}, {"message"}),
        ({"messages": "skip"}, {"counter", "no event", "no object"}),
        ({"counters": "skip", "messages": "skip"}, {"no event", "no object"}),
        ({"*": "skip"}, set()),
        ("skip", set()),
        ("raise", {"message", "counter", "no event", "no object"}),
    ],
)
def test_each_entity_has_its_policy(policies: Any, stops: set[str]) -> None:
    kinds = {
        "message": b'{"type":"message","key":"1","value":5,"headers":{"operation":"insert"}}',
        "counter": b'{"type":"counter","key":"x","headers":{"operation":"delete"}}',
        "no event": b'{"type":"other","key":5,"headers":{"operation":"insert"}}',
        "no object": b'"text"',
    }
    found = set()
    for kind, text in kinds.items():
        stream = Raw()
        stream.put_raw(text)
        db = BlockingStreamDB(Chat, stream=stream, on_error=policies)
        try:
            db.preload()
        except EventError:
            found.add(kind)
        db.close()
    assert found == stops


def test_messages_without_a_type_are_counted_as_such() -> None:
    stream = Raw()
    stream.put_raw(b'"text"', b'{"type":"other","key":5,"headers":{"operation":"insert"}}')
    with BlockingStreamDB(Chat, stream=stream, on_error="skip") as db:
        assert db.skipped == {"": 1, "other": 1}


def test_a_policy_for_no_entity_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"on_error= names 'message', .*did you mean 'messages'"):
        BlockingStreamDB(Chat, stream=Recording(), on_error={"message": "skip"})


# -- conflicts ---------------------------------------------------------------------------------------------------------


def updated(key: str, text: str, old: str | None, txid: str | None = None) -> dict[str, Any]:
    wire = change("message", key, "update", {"id": key, "text": text})
    if txid is not None:
        wire["headers"]["txid"] = txid
    return wire if old is None else {**wire, "old_value": {"id": key, "text": old}}


@pytest.mark.parametrize(
    ("policy", "text", "met"),
    [("ignore", "c", []), ("report", "c", [("b", False)]), ("refuse", "b", [("b", True)])],
)
def test_who_was_made_for_another_row_is_in_conflict(
    policy: Any, text: str, met: list[Any]
) -> None:
    found: list[Any] = []
    facts: list[tuple[int, tuple[str, ...]]] = []
    stream = Recording([message("1", "a"), updated("1", "b", "a"), updated("1", "c", "a", "t")])
    with BlockingStreamDB(
        Chat,
        stream=stream,
        conflicts=policy,
        on_conflict=found.append,
        on_commit=lambda committed: facts.append((committed.conflicts, committed.refused)),
    ) as db:
        assert db.collections.messages["1"].text == text
        db.wait_txid("t", timeout=0)
    assert [(conflict.row.text, conflict.is_refused) for conflict in found] == met
    assert [conflict.entity for conflict in found] == ["messages"] * len(met)
    assert facts == [(len(met), ("t",) if policy == "refuse" else ())]


GONE = {**change("message", "1", "delete"), "old_value": {"id": "1", "text": "z"}}


@pytest.mark.parametrize(
    ("wire", "is_conflict"),
    [
        (updated("1", "b", "a"), False),
        (updated("1", "b", None), False),
        ({**updated("1", "b", "a"), "old_value": {"text": "a", "replyTo": None}}, False),
        ({**updated("1", "b", "a"), "old_value": {"id": "1", "text": 5}}, True),
        (updated("2", "b", "a"), True),
        (GONE, True),
        ({**GONE, "old_value": {"id": "1", "text": "a"}}, False),
        ({**message("1", "b"), "old_value": {"id": "1", "text": "z"}}, False),
    ],
)
def test_what_is_a_conflict(wire: dict[str, Any], is_conflict: bool) -> None:
    found: list[Any] = []
    stream = Recording([message("1", "a")])
    with BlockingStreamDB(Chat, stream=stream, conflicts="refuse", on_conflict=found.append) as db:
        before = shown(db.collections)
        stream.put([wire])
        db.poll()
        assert len(found) == is_conflict
        assert (shown(db.collections) == before) == is_conflict


@given(
    st.lists(
        st.tuples(st.sampled_from("12"), st.sampled_from("ab"), st.sampled_from(["a", "b", None])),
        max_size=8,
    ),
    st.lists(st.integers(0, 9), max_size=3),
)
def test_readers_that_refuse_agree_however_the_history_is_cut(
    writes: list[tuple[str, str, str | None]], places: list[int]
) -> None:
    history = [updated(*each) for each in writes]
    rows: dict[str, str] = {}
    for key, text, old in writes:
        if old is None or rows.get(key) == old:
            rows[key] = text
    stream = Recording()
    with BlockingStreamDB(Chat, stream=stream, conflicts="refuse") as db:
        start = 0
        for place in [*sorted(places), len(history)]:
            stream.put(history[start:place])
            start = max(start, place)
            db.poll()
        assert {key: row.text for key, row in db.collections.messages.items()} == rows


def test_of_two_that_write_the_same_row_the_second_is_told() -> None:
    async def run() -> None:
        stream = Recording([message("1", "a")])
        async with (
            StreamDB(Chat, stream=stream, conflicts="refuse") as one,
            StreamDB(Chat, stream=stream, conflicts="refuse") as other,
        ):
            first = one.collections.messages.update("1", text="one")
            second = other.collections.messages.update("1", text="other")
            await first
            with pytest.raises(TransactionError) as caught:
                await second
            assert isinstance(caught.value.__cause__, ConflictError)
            assert one.collections.messages["1"] == Message(id="1", text="one")
            assert other.collections.messages["1"] == Message(id="1", text="one")
            assert (one.progress(first), other.progress(second)) == ("settled", "failed")
            await other.collections.messages.delete("1")
        old = ChangeEvent.model_validate(stream.read_now().messages[-1]).old_value
        assert old == {"id": "1", "text": "one", "replyTo": None}

    asyncio.run(run())


def test_the_blocking_one_is_told_too() -> None:
    stream = Recording([message("1", "a")])
    with BlockingStreamDB(Chat, stream=stream, conflicts="refuse") as db:
        stream.put([updated("1", "b", "a")])
        tx = db.collections.messages.update("1", text="mine")
        assert isinstance(tx.error, ConflictError)
        assert db.collections.messages["1"].text == "b"


def test_rows_of_a_snapshot_are_not_in_conflict() -> None:
    stream = Recording([message("1", "a")])
    with BlockingStreamDB(Chat, stream=stream, conflicts="refuse") as db:
        stream.put([control("snapshot-start"), message("1", "z"), control("snapshot-end")])
        db.poll()
        assert db.collections.messages["1"].text == "z"
