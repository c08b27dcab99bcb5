"""A whole session: presence, agents, meta, names, lifetime, and the wire form of every row."""

from typing import Any

import pytest

from dataflow.errors import CollectionError
from dataflow.live.live import live, run
from dataflow.query.aggregates import collect, last, max_
from dataflow.query.builder import query
from dataflow.query.functions import selected
from dataflow.testing import assert_incremental
from stateschema.session.message_view import messages
from stateschema.session.schema import Agent, Chunk, Presence, Session, presence_id
from stateschema.session.session_views import Meta, SessionViews, session_collections
from stateschema.session.view_rows import MetaError
from stateschema.session.views import actors, pending_approvals, session_stats
from stateschema.stream.memory import MemoryStream
from stateschema.streamdb.blocking import BlockingStreamDB
from tests.stateschema.session.boards import Board
from tests.stateschema.session.test_message_view import ANSWERED, ASKING


def device(user: str, device_id: str, at: str, **fields: Any) -> Presence:
    values = {"actor_type": "user", "name": user.title(), "status": "online", **fields}
    return Presence(
        id=presence_id(user, device_id),
        actor_id=user,
        device_id=device_id,
        last_seen_at=at,
        **values,
    )


def test_an_actor_is_one_row_whatever_the_devices() -> None:
    collections = session_collections()
    views = SessionViews(collections)
    with collections.presence.sync() as write:
        write.upsert(device("ada", "phone", "t2"))
        write.upsert(device("ada", "laptop", "t1"))
        write.upsert(device("ben", "laptop", "t1", name=None))
        write.upsert(device("chloe", "laptop", "t1", status="away"))
    ada = {
        "actorId": "ada", "actorType": "user", "name": "Ada",
        "deviceIds": ["laptop", "phone"], "deviceCount": 2,
    }  # fmt: skip
    ben = {"actorId": "ben", "actorType": "user", "deviceIds": ["laptop"], "deviceCount": 1}
    assert [actor.to_json() for actor in views.presence.rows()] == [ada, ben]
    with collections.presence.sync() as write:
        write.upsert(device("ada", "laptop", "t3", name="Ada L."))
        write.upsert(device("ben", "laptop", "t3", status="offline"))
    assert [actor.to_json() for actor in views.presence.rows()] == [{**ada, "name": "Ada L."}]
    assert run(actors(collections.presence)) == views.presence.rows()


def test_a_user_and_an_agent_of_one_id_are_two_actors() -> None:
    collections = session_collections()
    views = SessionViews(collections)
    with collections.presence.sync() as write:
        write.upsert(device("kermit", "laptop", "t1"))
        write.upsert(device("kermit", "server", "t1", actor_type="agent"))
    assert set(views.presence) == {("kermit", "user"), ("kermit", "agent")}


def test_agents_are_shown_as_registered() -> None:
    collections = session_collections()
    views = SessionViews(collections)
    agent = Agent(agent_id="quill", name="Quill", endpoint="https://example.com/quill")
    with collections.agents.sync() as write:
        write.upsert(agent)
    assert views.agents["quill"] is agent
    with collections.agents.sync() as write:
        write.delete("quill")
    assert views.agents.rows() == []


def test_meta_is_a_row_that_the_reader_of_the_stream_writes() -> None:
    meta = Meta("s1")
    views = SessionViews(session_collections(), session_id="s1", meta=meta)
    seen: list[list[Any]] = []
    with views.session_meta.subscribe(seen.append):
        meta.update(connection_status="connected", last_offset="7", last_synced_tx_id="tx1")
        meta.update(last_offset="7")
        meta.update(connection_status="error", error=MetaError(message="gone"))
    assert [len(changes) for changes in seen] == [1, 1]
    assert views.session_meta["s1"] is meta.row
    assert meta.row.to_json() == {
        "sessionId": "s1", "connectionStatus": "error", "lastOffset": "7",
        "lastSyncedTxId": "tx1", "lastSyncedAt": None, "error": {"message": "gone"},
    }  # fmt: skip
    with pytest.raises(TypeError, match="colour"):
        meta.update(colour="green")


def test_the_views_have_names_in_one_place() -> None:
    with SessionViews(session_collections()) as views:
        assert list(views.named()) == [
            "messages", "tool_calls", "tool_results", "pending_approvals", "latest_approvals",
            "active_generations", "model_messages", "presence", "agents", "session_stats",
            "session_meta",
        ]  # fmt: skip
        assert all(view.name == name for name, view in views.named().items())
    assert {view.status for view in views.named().values()} == {"closed"}
    views.close()
    with pytest.raises(CollectionError, match="messages"):
        views.messages.rows()


def test_views_say_which_session_they_show_and_how_much_of_it() -> None:
    board = Board()
    views = SessionViews(board.collections, session_id="s7")
    board.put(*ASKING)
    assert repr(views) == "<SessionViews 's7' ready, 1 messages>"
    views.close()
    assert repr(views) == "<SessionViews 's7' closed>"


def test_collections_made_for_a_stream_are_refused_with_what_to_write() -> None:
    db: Any = BlockingStreamDB(Session, stream=MemoryStream())
    with db, pytest.raises(TypeError, match="takes no source, not <BlockingStreamDB") as caught:
        session_collections(db)
    assert caught.value.__notes__ == ["the views of a stream: SessionViews(db.collections)"]


def test_an_empty_session_has_figures_and_nothing_else() -> None:
    shown = Board().shown()
    stats = shown.pop("sessionStats")
    assert shown == {name: [] for name in shown}
    assert {value for name, value in stats.items() if name != "sessionId"} == {0, None}


def test_views_of_a_session_are_functions_of_their_sources() -> None:
    board = Board()
    board.put(*ASKING)
    said = live(messages(board.collections.chunks))
    assert [message.id for message in run(pending_approvals(said))] == ["m"]
    (stats,) = run(session_stats(said, "s1"))
    assert stats == board.views.session_stats[()]
    assert (stats.tool_call_count, stats.approval_count) == (1, 1)


def test_messages_are_incremental_by_the_test_of_the_library() -> None:
    rows = [Chunk.model_validate(wire) for wire in ANSWERED]
    chunks = session_collections().chunks
    assert_incremental(messages(chunks), (chunks, rows), steps=150, seed=7)


def test_actors_can_be_asked_for_in_other_words() -> None:
    presence = session_collections().presence
    with presence.sync() as write:
        write.upsert(device("ann", "phone", "2026-03-04"))
        write.upsert(device("ann", "laptop", "2026-03-05", name="Ann B."))
        write.upsert(device("bob", "laptop", "2025-12-31"))
    entry = presence.alias("entry")
    seen = live(
        query(entry)
        .where(entry.status == "online")
        .group_by(entry.actor_id)
        .select(
            actor_id=entry.actor_id,
            name=last(entry.name, order_by=entry.last_seen_at),
            devices=collect(entry.device_id),
            seen=max_(entry.last_seen_at),
        )
        .having(selected.seen > "2026-01-01")
        .order_by(selected.seen.desc())
    )
    assert seen["ann"] == {
        "actor_id": "ann", "name": "Ann B.", "devices": ["laptop", "phone"], "seen": "2026-03-05",
    }  # fmt: skip
    assert list(seen) == ["ann"]
