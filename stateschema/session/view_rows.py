"""The rows of the views: what the queries over a session show beside messages.

Frozen dataclasses with Python names; `to_json()` gives the wire object in camelCase, where optional
fields are left out when they are None.
"""

from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar, Literal

from pydantic.alias_generators import to_camel


@dataclass(frozen=True, slots=True)
class ViewRow:
    """What all rows of views share: their wire form."""

    _optional: ClassVar[frozenset[str]] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """Return the wire object. Values are shared: do not change them."""
        wire: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None or field.name not in self._optional:
                wire[_wire_name(field.name)] = (
                    value.to_json() if isinstance(value, ViewRow) else value
                )
        return wire


_wire_name = cache(to_camel)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveGeneration(ViewRow):
    """A message that is still being written.

    `last_chunk_seq` and `last_chunk_at` are those of its newest chunk, so that one that has stalled
    can be told from one that runs.
    """

    message_id: str
    actor_id: str
    started_at: str
    last_chunk_seq: int
    last_chunk_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMessage(ViewRow):
    """A complete message as a language model is told about it: its text alone."""

    id: str
    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor(ViewRow):
    """Somebody who is in the session, on one or more devices; `device_ids` are sorted."""

    _optional: ClassVar[frozenset[str]] = frozenset({"name"})

    actor_id: str
    actor_type: Literal["user", "agent"]
    name: str | None
    device_ids: list[str]
    device_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStats(ViewRow):
    """Figures of a whole session.

    `tool_call_count` and `approval_count` (the pending ones) count calls, not the messages they are
    in; tokens are those that streams report as usage.
    """

    session_id: str
    message_count: int
    user_message_count: int
    assistant_message_count: int
    tool_call_count: int
    approval_count: int
    total_tokens: int
    prompt_tokens: int
    completion_tokens: int
    active_generation_count: int
    first_message_at: str | None
    last_message_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaError(ViewRow):
    """Why a connection failed."""

    _optional: ClassVar[frozenset[str]] = frozenset({"code"})

    message: str
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionMeta(ViewRow):
    """How this process is connected to a session: local, never on the stream.

    `last_offset` is where the stream goes on after what was applied; `last_synced_tx_id` the last
    transaction seen in it, at `last_synced_at`.
    """

    session_id: str
    connection_status: Literal["disconnected", "connecting", "connected", "error"] = "disconnected"
    last_offset: str | None = None
    last_synced_tx_id: str | None = None
    last_synced_at: str | None = None
    error: MetaError | None = None
