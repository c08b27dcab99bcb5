"""A chunk row with its JSON read.

The session stream stores each chunk as JSON text in a row. `parse` reads it, once; everything after
it (the message fold, the control rows) works on `ParsedChunk`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from stateschema.session.json_text import read_json


class ChunkRow(Protocol):
    """What a stored chunk row offers, whatever its class."""

    @property
    def id(self) -> str:
        """`message_id:seq`."""

    @property
    def message_id(self) -> str:
        """The message the chunk belongs to."""

    @property
    def actor_id(self) -> str:
        """Who wrote it."""

    @property
    def role(self) -> str:
        """user, assistant or system."""

    @property
    def chunk(self) -> str:
        """The chunk as JSON text."""

    @property
    def seq(self) -> int:
        """Its place in the message, from 0."""

    @property
    def created_at(self) -> str:
        """When it was written, as ISO 8601 text."""


@dataclass(frozen=True, slots=True)
class ParsedChunk:
    """A chunk row whose JSON is read: `event` is the JSON object, None if there is none to read.

    JSON that is a value but no object is an empty event: an event of no type, which is skipped.
    """

    id: str
    message_id: str
    actor_id: str
    role: str
    seq: int
    created_at: str
    event: Mapping[str, Any] | None

    @property
    def type(self) -> str | None:
        """The type of the event, if it has one."""
        kind = self.event.get("type") if self.event else None
        return kind if isinstance(kind, str) else None


def parse(row: ChunkRow) -> ParsedChunk:
    """Read the JSON of a chunk row. Never raises: unreadable JSON gives an `event` of None.

    Complexity: O(chunk).
    """
    event = _read_event(row.chunk)
    return ParsedChunk(
        row.id, row.message_id, row.actor_id, row.role, row.seq, row.created_at, event
    )


def _read_event(text: str) -> Mapping[str, Any] | None:
    try:
        value = read_json(text)
    except ValueError:
        return None
    if isinstance(value, dict):
        return value
    # null, false, 0 and "" are nothing at all; a list, even an empty one, is something unknown
    return {} if value or isinstance(value, list) else None
