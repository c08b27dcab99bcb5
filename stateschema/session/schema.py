"""The schema of a durable AI session: what its stream carries.

One stream per session, three entities. Chunks are only ever added, each under a key of its own, so
any number of agents can stream into one session at once. Presence and agents are merged: what an
event does not mention stays as it was, so a device that goes offline keeps the name it came with.

entity     type       key                   written by
chunks     chunk      message_id:seq        whoever writes a message, one event per token or batch of them
presence   presence   actor_id:device_id    each device, when it comes and goes
agents     agent      agent_id              whoever registers an agent

Names are Python's in Python and camelCase on the wire. A value on the wire need not repeat its key:
`id` and `agent_id` are filled in from the key of the event.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from stateschema.schema.entity import Entity, StateSchema


class WireModel(BaseModel):
    """A row of the session's stream: immutable, camelCase on the wire."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True
    )

    def to_json(self) -> dict[str, Any]:
        """Return the wire object; fields that are None are left out."""
        return self.model_dump(by_alias=True, exclude_none=True)


class Chunk(WireModel):
    """A piece of a message as its writer emitted it.

    Attributes:
        id: `message_id:seq`; see `chunk_id`.
        message_id: The message it belongs to.
        actor_id: Who wrote it.
        role: Whose part in the conversation it is.
        chunk: An event of a chunk dialect, as JSON text.
        seq: Its place in the message, from 0.
        created_at: When it was written, as ISO 8601 text.
    """

    id: str
    message_id: str
    actor_id: str
    role: Literal["user", "assistant", "system"]
    chunk: str
    seq: int
    created_at: str


class Presence(WireModel):
    """One device of one actor, and whether it is there.

    Attributes:
        id: `actor_id:device_id`; see `presence_id`.
        actor_id: Whose device it is.
        device_id: The device; a browser tab is one, too.
        actor_type: A person or an agent. The two do not share their ids.
        name: What to call the actor.
        status: Whether the device is there.
        last_seen_at: When that was known, as ISO 8601 text.
    """

    id: str
    actor_id: str
    device_id: str
    actor_type: Literal["user", "agent"]
    name: str | None = None
    status: Literal["online", "offline", "away"]
    last_seen_at: str


class Agent(WireModel):
    """An agent registered in the session.

    Attributes:
        agent_id: Its id; the actor of what it writes.
        name: What to call it.
        endpoint: The URL to call.
        triggers: Which messages it is called for; None means those of users.
    """

    agent_id: str
    name: str | None = None
    endpoint: str
    triggers: Literal["all", "user-messages"] | None = None


class Session(StateSchema):
    """The schema of a session: `StreamDB(Session, url=...)`."""

    chunks = Entity(Chunk, type="chunk", key="id")
    presence = Entity(Presence, type="presence", key="id", merge=True)
    agents = Entity(Agent, type="agent", key="agent_id", merge=True)


def chunk_id(message_id: str, seq: int) -> str:
    """Return the key of a chunk.

    >>> chunk_id("m1", 0)
    'm1:0'
    """
    return f"{message_id}:{seq}"


def presence_id(actor_id: str, device_id: str) -> str:
    """Return the key of a device.

    >>> presence_id("ada", "phone")
    'ada:phone'
    """
    return f"{actor_id}:{device_id}"
