"""A message of a session, as readers see it.

Scalars are declared before `parts`, so that comparing two versions of a growing message stops at
`last_seq`. What views need about the parts (how many calls, results, pending approvals) is counted
while the message is built: no view has to walk the parts, or the chunks.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from stateschema.session.mapping import Map
from stateschema.session.parts import Part, TextPart, ToolCallPart
from stateschema.session.transcript import NO_PARTS, Tally
from stateschema.session.vector import Vector

FIRST_CHUNK_UNPARSABLE = "first-chunk-unparsable"


class Usage(NamedTuple):
    """Tokens, summed over the chunks that report usage. Addition of tuples would join them: `plus`."""

    total: int = 0
    prompt: int = 0
    completion: int = 0

    def plus(self, other: "Usage") -> "Usage":
        """Return the sum, field by field."""
        return Usage(*(a + b for a, b in zip(self, other, strict=True)))


NO_USAGE = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What the chunks of one message amount to.

    `id`, `role`, `actor_id` and `created_at` come from the chunk with the lowest `seq`; `last_seq`
    and `last_chunk_at` from the one with the highest. `error` is the text of the last error the
    stream reported. A message whose first chunk cannot be read is not `readable`: it is complete,
    has no parts, and its error is "first-chunk-unparsable".
    """

    id: str
    role: str
    actor_id: str
    is_complete: bool
    created_at: str
    last_seq: int
    last_chunk_at: str
    error: str | None = None
    readable: bool = True
    usage: Usage = NO_USAGE
    tally: Tally = NO_PARTS
    parts: Vector[Part] = field(default_factory=Vector)
    places: Map[Any, int] = field(default_factory=Map, compare=False, repr=False)
    _text: str | None = field(default=None, init=False, compare=False, repr=False)

    @property
    def text(self) -> str:
        """The text parts, joined. Complexity: O(parts + text) at the first look, then O(1)."""
        if self._text is None:
            pieces = [part.content.value for part in self.parts if isinstance(part, TextPart)]
            object.__setattr__(self, "_text", "".join(pieces))  # a cache of a pure function
        return self._text or ""

    @property
    def has_tool_call(self) -> bool:
        """Whether a part is a tool call. Complexity: O(1)."""
        return self.tally.tool_calls > 0

    @property
    def has_tool_result(self) -> bool:
        """Whether a part is a tool result. Complexity: O(1)."""
        return self.tally.tool_results > 0

    @property
    def has_pending_approval(self) -> bool:
        """Whether a tool call waits for an approval. Complexity: O(1)."""
        return self.tally.pending_approvals > 0

    def tool_call(self, call_id: str) -> ToolCallPart | None:
        """Return the part of a tool call. Complexity: O(log parts)."""
        place = self.places.get(("tool-call", call_id))
        part = None if place is None else self.parts[place]
        return part if isinstance(part, ToolCallPart) else None

    def pending_approvals(self) -> list[ToolCallPart]:
        """Return the calls that wait for an approval. Complexity: O(parts), O(1) if there is none."""
        if not self.has_pending_approval:
            return []
        calls = (part for part in self.parts if isinstance(part, ToolCallPart))
        return [call for call in calls if call.approval and call.approval.is_pending]

    def to_json(self) -> dict[str, Any]:
        """Return the wire object. Complexity: O(parts and their text)."""
        if not self.readable:
            return {"id": self.id, "error": self.error}
        return {
            "id": self.id,
            "role": self.role,
            "actorId": self.actor_id,
            "parts": [part.to_json() for part in self.parts],
            "isComplete": self.is_complete,
            "createdAt": self.created_at,
        }
