"""The recorded session is what its generator makes, and shows all that a session can show."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from examples.record_session import main, record
from examples.session_script import AGENTS, FAILURE, USERS
from stateschema.events import ChangeEvent, parse_event
from stateschema.schema.entity import entities_by_type
from stateschema.session.schema import Session
from stateschema.session.session_views import SessionViews, session_collections

RECORDING = Path(__file__).parents[2] / "examples" / "session.jsonl"


@pytest.fixture(scope="module")
def events() -> list[ChangeEvent]:
    lines = RECORDING.read_text(encoding="utf-8").splitlines()
    return [event for event in map(parse_event, lines) if isinstance(event, ChangeEvent)]


def test_the_committed_recording_is_what_the_generator_makes(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    main(["--seed", "7"])
    assert capfdbinary.readouterr().out == RECORDING.read_bytes()


def test_another_seed_makes_another_recording() -> None:
    assert record(8) != record(7)
    assert record(8) == record(8)


def test_the_recording_is_of_the_size_that_was_asked_for(events: list[ChangeEvent]) -> None:
    assert 4_000 <= len(events) <= 8_000
    assert RECORDING.stat().st_size < 2_500_000


def test_chunks_stand_in_order_of_their_time(events: list[ChangeEvent]) -> None:
    times = [event.value["createdAt"] for event in events if event.type == "chunk"]
    assert times == sorted(times)


def play(events: list[ChangeEvent], look: Callable[[SessionViews], None]) -> SessionViews:
    """Apply events one by one; `look` at the views after each."""
    collections = session_collections()
    views, types = SessionViews(collections), entities_by_type(Session)
    for event in events:
        entity = types[event.type]
        collection: Any = getattr(collections, entity.name)
        key = entity.decode_key(event.key)
        with collection.sync() as write:
            if event.headers.operation == "delete":
                write.delete(key)
            elif key in collection:
                write.upsert(entity.merge_row(collection[key], event)[1])
            else:
                write.upsert(entity.decode(event)[1])
        look(views)
    return views


def test_the_recording_shows_all_that_a_session_can_show(events: list[ChangeEvent]) -> None:
    active: list[int] = []
    pending: list[int] = []
    devices: list[int] = []
    names: set[str | None] = set()

    def look(views: SessionViews) -> None:
        active.append(len(views.active_generations))
        pending.append(len(views.pending_approvals))
        devices.append(max((actor.device_count for actor in views.presence.rows()), default=0))
        names.update(actor.name for actor in views.presence.rows())

    views = play(events, look)
    assert max(active) >= 3
    assert max(pending) >= 3
    assert max(devices) == 2
    assert names == {*USERS.values(), "Ben, at the quay"}
    assert (active[-1], pending[-1], len(views.presence)) == (0, 0, 0)
    assert set(views.agents) == set(AGENTS) - {"quill"}
    messages = views.messages.rows()
    assert {message.actor_id for message in messages} == {*USERS, *AGENTS}
    assert {message.error for message in messages} == {None, FAILURE}
    parts = [part.to_json() for message in messages for part in message.parts]
    answers = {part["approval"]["approved"] for part in parts if "approval" in part}
    assert answers == {True, False}
    assert {part["type"] for part in parts} == {"text", "thinking", "tool-call", "tool-result"}
    counted = [part for part in parts if part.get("name") == "count_on_phone"]
    assert [call["state"] for call in counted] == ["complete"] * 3
    stats = views.session_stats[()]
    assert stats.total_tokens == stats.prompt_tokens + stats.completion_tokens
    assert stats.message_count == len(messages)


def test_no_text_holds_an_unfilled_template(events: list[ChangeEvent]) -> None:
    chunks = [json.loads(event.value["chunk"]) for event in events if event.type == "chunk"]
    deltas = [
        c["delta"]
        for c in chunks
        if c["type"] in {"TEXT_MESSAGE_CONTENT", "REASONING_MESSAGE_CONTENT"}
    ]
    assert not [delta for delta in deltas if "{" in delta or "}" in delta]
