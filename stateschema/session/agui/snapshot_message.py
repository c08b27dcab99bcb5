"""One message of a snapshot, in either wire shape, as parts.

A message has `parts` already (a server echoing what it stores), or the model's shape: `content` as
text or list, `toolCalls`, and roles of their own for tool results and reasoning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stateschema.session.agui.fields import object_field, text_field
from stateschema.session.agui.state import ASSISTANT
from stateschema.session.json_text import read_json
from stateschema.session.part_reader import part_from_json
from stateschema.session.parts import (
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
    UiResourcePart,
)
from stateschema.session.text import Text


@dataclass(frozen=True, slots=True)
class SnapshotMessage:
    """Id, role (user, system or assistant) and parts of a message."""

    id: str | None
    role: str
    parts: list[Part]

    def consists_of(self, *kinds: type) -> bool:
        """Whether there are parts, and all are of these kinds."""
        return bool(self.parts) and all(isinstance(part, kinds) for part in self.parts)

    def has_call(self, call_id: str) -> bool:
        """Whether a part is the call of this id."""
        return any(isinstance(part, ToolCallPart) and part.id == call_id for part in self.parts)

    def result(self) -> ToolResultPart | None:
        """Return the tool result of an assistant message that is nothing else."""
        results = [part for part in self.parts if isinstance(part, ToolResultPart)]
        alone = len(results) == 1 and self.consists_of(ToolResultPart, UiResourcePart)
        return results[0] if alone and self.role == ASSISTANT else None


def read_message(message: Mapping[str, Any]) -> SnapshotMessage:
    """Return a message of a snapshot; what cannot be read is left out."""
    message_id = text_field(message, "id") or None
    role = text_field(message, "role")
    if isinstance(message.get("parts"), list):
        parts = [part_from_json(part) for part in message["parts"]]
    elif role == "tool":
        parts = _tool_result(message)
    elif role == "reasoning":
        parts = _reasoning(message)
    elif role == ASSISTANT:
        parts = [*_content(message.get("content")), *_tool_calls(message.get("toolCalls"))]
    elif role in {"user", "system", "developer"}:
        parts = _content(message.get("content"))
    else:
        parts = []
    role = "system" if role == "developer" else role
    return SnapshotMessage(message_id, role if role in {"user", "system"} else ASSISTANT, parts)


def _content(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [TextPart(content=Text(content))] if content else []
    if not isinstance(content, list):
        return []
    parts: list[Part] = []
    for part in content:
        text = text_field(part, "text")
        if text_field(part, "type") == "text" and text is not None:
            parts.append(TextPart(content=Text(text)))
        elif text_field(part, "type") != "binary":
            parts.append(part_from_json(part))
    return parts


def _tool_calls(calls: Any) -> list[Part]:
    parts: list[Part] = []
    for call in calls if isinstance(calls, list) else []:
        function = object_field(call, "function")
        call_id, name = text_field(call, "id"), text_field(function, "name")
        arguments = text_field(function, "arguments")
        if call_id is None or name is None or arguments is None:
            continue
        part = ToolCallPart(
            id=call_id,
            name=name,
            arguments=Text(arguments),
            state="input-complete",
            metadata=call.get("metadata"),
            input=_value_or_none(arguments),
        )
        parts.append(part)
    return parts


def _value_or_none(arguments: str) -> Any:
    try:
        return read_json(arguments)
    except ValueError:
        return None


def _tool_result(message: Mapping[str, Any]) -> list[Part]:
    call_id = text_field(message, "toolCallId")
    if not call_id:
        return []
    known = ("id", "name", "metadata")
    part = ToolResultPart(
        tool_call_id=call_id,
        content=message.get("content") or "",
        state="complete" if message.get("error") is None else "error",
        error=message.get("error"),
        extra={name: message[name] for name in known if message.get(name) is not None} or None,
    )
    return [part]


def _reasoning(message: Mapping[str, Any]) -> list[Part]:
    content = text_field(message, "content") or ""
    signature = text_field(message, "encryptedValue") or None
    if not content and signature is None:
        return []
    return [ThinkingPart(content=Text(content), signature=signature)]
