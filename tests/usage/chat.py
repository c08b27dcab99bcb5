"""A chat, written as a user of the library would: a schema, queries as functions of their sources, an app around them.

Checked by mypy and pyright in strict mode as it stands, and run by the tests beside it.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, assert_type

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from dataflow import (
    Change,
    Collection,
    Query,
    Source,
    coalesce,
    collect,
    count,
    is_null,
    last,
    lit,
    live,
    max_,
    min_,
    query,
    selected,
)
from stateschema import Entity, StateSchema
from stateschema.streamdb import StreamDB


class Wire(BaseModel):
    """Python names in Python, camelCase on the wire."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True
    )


class Chunk(Wire):
    id: str
    message_id: str
    actor_id: str
    role: str
    chunk: str
    seq: int
    created_at: str


class Presence(Wire):
    actor_id: str
    device_id: str
    name: str
    status: Literal["online", "offline"]
    last_seen_at: str


class Message(Wire):
    id: str
    role: str
    content: str
    created_at: str
    channel_id: str = ""
    parent_id: str | None = None
    pending: bool = False


class Profile(Wire):
    id: str
    avatar_url: str | None = None


class UserCard(Wire):
    id: str
    avatar: str
    known: bool


class Chat(StateSchema):
    messages = Entity(Message, type="message", key="id")
    chunks = Entity(Chunk, type="chunk", key="id")
    presence = Entity(Presence, type="presence", key=lambda p: f"{p.actor_id}:{p.device_id}")


def materialized(chunks: Source[Chunk]) -> Query[Message]:
    """Token chunks as messages, in the order in which they were started."""
    chunk = chunks.alias("chunk")
    group = (
        query(chunk)
        .group_by(chunk.message_id)
        .select(
            id=chunk.message_id,
            rows=collect(chunk, order_by=chunk.seq),
            started_at=min_(chunk.created_at),
            n=count(),
        )
        .alias("group")
    )
    return query(group).order_by(group.started_at).map(materialize)


def materialize(row: Mapping[str, Any]) -> Message:
    """Join the chunks of one message."""
    rows: list[Chunk] = row["rows"]  # a fresh list: sorting or popping it is safe
    return Message(
        id=row["id"],
        role=rows[0].role,
        content="".join(c.chunk for c in rows),
        created_at=row["started_at"],
        pending=rows[-1].chunk.endswith("?"),
    )


def active_users(presence: Source[Presence], profiles: Source[Profile]) -> Query[UserCard]:
    """Devices that are online, with data of the app about their users."""
    device, profile = presence.alias("device"), profiles.alias("profile")
    return (
        query(device)
        .where(device.status == "online")
        .join(profile, on=device.actor_id == profile.id, how="left")
        .select(
            id=device.actor_id,
            avatar=coalesce(profile.avatar_url, lit("none")),
            known=~is_null(profile),
        )
        .into(UserCard)
    )


def actors(presence: Source[Presence]) -> Query[dict[str, Any]]:
    """Presence per actor rather than per device, the latest seen first."""
    device = presence.alias("device")
    return (
        query(device)
        .where(device.status == "online")
        .group_by(device.actor_id)
        .select(
            actor_id=device.actor_id,
            name=last(device.name, order_by=device.last_seen_at),
            devices=collect(device.device_id),
            seen=max_(device.last_seen_at),
        )
        .having(selected.seen > "2026-01-01")
        .order_by(selected.seen.desc())
    )


async def approvals(db: StreamDB[Chat], seen: list[tuple[str, Any, str]]) -> None:
    """Follow the messages that wait for an approval, until the db closes."""
    messages = live(materialized(db.collections.chunks), key="id")
    waiting = live(query(messages).filter(lambda m: m.pending))
    with waiting.subscribe(
        lambda changes: seen.extend((c.op, c.key, c.value.content) for c in changes)
    ):
        await db.wait_closed()


def worker(
    loop: asyncio.AbstractEventLoop, events: Collection[dict[str, Any]], lines: Iterable[str]
) -> None:
    """Read batches in a thread of its own; the thread of the loop applies them."""
    for line in lines:
        loop.call_soon_threadsafe(apply, events, json.loads(line))


def apply(events: Collection[dict[str, Any]], batch: list[dict[str, Any]]) -> None:
    """Write a batch as one epoch."""
    with events.sync() as write:
        for row in batch:
            write.upsert(row)


async def typed(db: StreamDB[Chat]) -> None:
    """Each line is inferred, without a cast."""
    assert_type(db.collections.messages, Collection[Message])
    message = db.collections.messages.alias("message")
    users = (
        query(message)
        .where(message.role == "user")
        .filter(lambda m: m.content != "")
        .order_by(message.created_at)
        .limit(9)
    )
    assert_type(users, Query[Message])
    assert_type(live(users).rows(), list[Message])
    assert_type(users.map(lambda m: m.content), Query[str])
    async with live(users).changes(initial=True) as epochs:
        async for changes in epochs:
            assert_type(changes, list[Change[Message]])
            assert_type(changes[0].value, Message)  # never None
            break
    Chat.messages.delete("m1", txid="t")
    Chat.messages.insert({"id": 1})  # type: ignore[arg-type]  # a dict is no Message
