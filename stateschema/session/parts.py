"""The parts of a message, as immutable values.

One class per part type of the wire, a closed union `Part`. `to_json()` gives the wire object, with
absent fields left out; `part_from_json()` reads one. What a class does not know is kept in `extra`,
so that a part somebody else wrote goes out as it came in; what cannot be read as its type at all is
an `OtherPart`. JSON values (inputs, outputs, metadata) are the parsed objects themselves: never
change them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from stateschema.session.partial_json import read_partial
from stateschema.session.text import Text

Json = Mapping[str, Any]
ToolCallState = Literal[
    "awaiting-input",
    "input-streaming",
    "input-complete",
    "approval-requested",
    "approval-responded",
    "complete",
    "error",
]
MediaKind = Literal["image", "audio", "video", "document"]

_LONGEST_SCALAR = 64


class _Unset:
    """The type of `UNSET`: a JSON field that is absent, which null is not."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = _Unset()


def _present(fields: dict[str, Any], extra: Json | None = None) -> dict[str, Any]:
    return {
        **{k: v for k, v in fields.items() if v is not None and v is not UNSET},
        **(extra or {}),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """Text shown to the reader."""

    content: Text
    extra: Json | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the wire object. Complexity: O(content)."""
        return {"type": "text", "content": self.content.value, **(self.extra or {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingPart:
    """Reasoning of one thinking step; `signature` is the provider's seal on it."""

    content: Text
    step_id: str | None = None
    signature: str | None = None
    extra: Json | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the wire object. Complexity: O(content)."""
        fields = {"stepId": self.step_id, "signature": self.signature}
        return {"type": "thinking", "content": self.content.value, **_present(fields, self.extra)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Whether a tool call may run: `approved` is None until somebody answered."""

    id: str
    needs_approval: bool = True
    approved: bool | None = None

    @property
    def is_pending(self) -> bool:
        """Whether an answer is still missing."""
        return self.needs_approval and self.approved is None

    def to_json(self) -> dict[str, Any]:
        """Return the wire object."""
        fields = {"id": self.id, "needsApproval": self.needs_approval, "approved": self.approved}
        return _present(fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallPart:
    """A call of a tool: `arguments` grow as text, `input` is their value once complete."""

    state: ToolCallState
    id: str
    name: str
    arguments: Text
    approval: Approval | None = None
    input: Any = UNSET
    output: Any = UNSET
    metadata: Any = None
    extra: Json | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the wire object. Complexity: O(arguments)."""
        fields = {
            "type": "tool-call",
            "id": self.id,
            "name": self.name,
            "arguments": self.arguments.value,
            "state": self.state,
            "input": self.input,
            "approval": self.approval.to_json() if self.approval else None,
            "metadata": self.metadata,
        }
        # a null result is a result
        output = {} if self.output is UNSET else {"output": self.output}
        return _present(fields, {**output, **(self.extra or {})})


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResultPart:
    """What a tool answered, as the model will read it."""

    tool_call_id: str
    state: Literal["streaming", "complete", "error"]
    content: Any = UNSET
    error: str | None = None
    extra: Json | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the wire object."""
        fields = {
            "type": "tool-result",
            "toolCallId": self.tool_call_id,
            "content": self.content,
            "state": self.state,
            "error": self.error,
        }
        return _present(fields, self.extra)


@dataclass(frozen=True, slots=True, kw_only=True)
class StructuredOutputPart:
    """An answer in JSON: `raw` grows as text, `data` is the checked value at the end."""

    status: Literal["streaming", "complete", "error"]
    raw: Text
    data: Any = UNSET
    reasoning: str | None = None
    error_message: str | None = None
    extra: Json | None = None
    _partial: Any = field(default=UNSET, init=False, compare=False, repr=False)

    @property
    def partial(self) -> Any:
        """The value so far: `data` when complete, else what `raw` can be read as, or None.

        Complexity: O(raw) at the first look, then O(1).
        """
        if self.status == "complete":
            return None if self.data is UNSET else self.data
        if self._partial is UNSET:
            value = read_partial(self.raw.value)
            found = _last_readable(self.raw) if value is None else value
            object.__setattr__(self, "_partial", found)  # a cache of a pure function
        return self._partial

    def to_json(self) -> dict[str, Any]:
        """Return the wire object. Complexity: O(raw)."""
        fields = {
            "type": "structured-output",
            "status": self.status,
            "raw": self.raw.value,
            "partial": self.partial,
            "data": self.data,
            "reasoning": self.reasoning,
            "errorMessage": self.error_message,
        }
        return _present(fields, self.extra)


def _last_readable(raw: Text) -> Any:
    """Return the value before `raw` stopped being readable: a display keeps what it showed.

    Only scalars can stop: an object, a list or a string stays readable however it goes on.
    """
    text, last = "", None
    for piece in raw.pieces:
        text += piece
        if len(text) > _LONGEST_SCALAR:
            break
        value = read_partial(text)
        last = last if value is None else value
    return last


@dataclass(frozen=True, slots=True, kw_only=True)
class UiResourcePart:
    """A piece of user interface a tool delivered."""

    resource: Any = UNSET
    tool_call_id: str | None = None
    tool_name: str | None = None
    server_id: str | None = None
    meta: Any = None
    extra: Json | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the wire object."""
        fields = {
            "type": "ui-resource",
            "resource": self.resource,
            "toolCallId": self.tool_call_id,
            "toolName": self.tool_name,
            "serverId": self.server_id,
            "meta": self.meta,
        }
        return _present(fields, self.extra)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaPart:
    """An image, a sound, a video or a document; `source` is `{type: url | data, value, …}`."""

    kind: MediaKind
    source: Any = UNSET
    metadata: Any = None
    extra: Json | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the wire object."""
        fields = {"type": self.kind, "source": self.source, "metadata": self.metadata}
        return _present(fields, self.extra)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPart:
    """A part of a type this library does not know, kept as it came."""

    json: Any

    def to_json(self) -> Any:
        """Return the wire value."""
        return self.json


Part = (
    TextPart
    | ThinkingPart
    | ToolCallPart
    | ToolResultPart
    | StructuredOutputPart
    | UiResourcePart
    | MediaPart
    | OtherPart
)
