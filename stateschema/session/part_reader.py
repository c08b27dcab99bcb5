"""Reading parts from wire values, without loss.

Law        part_from_json(json).to_json() == json, for every JSON value
Edges      a field a part class does not know goes to its `extra`; a value that cannot be kept exactly
           by the class of its type, or has no known type, is an `OtherPart`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from stateschema.session.parts import (
    UNSET,
    Approval,
    MediaKind,
    MediaPart,
    OtherPart,
    Part,
    StructuredOutputPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
    UiResourcePart,
)
from stateschema.session.text import Text


def part_from_json(json: Any) -> Part:
    """Return the part a wire value stands for; its `to_json()` equals `json`."""
    kind = json.get("type") if isinstance(json, Mapping) else None
    if not isinstance(kind, str) or kind not in _READERS:
        return OtherPart(json=json)
    try:
        part = _READERS[kind]({k: v for k, v in json.items() if k != "type"}, kind)
    except (KeyError, TypeError):
        return OtherPart(json=json)
    return part if part.to_json() == json else OtherPart(json=json)


def _text_of(fields: dict[str, Any], name: str) -> Text:
    value = fields.pop(name)
    if not isinstance(value, str):
        raise TypeError(f"part field {name!r} is not a string")
    return Text(value)


def _read_approval(json: Any) -> Approval | None:
    if json is None:
        return None
    return Approval(
        id=json["id"], needs_approval=json["needsApproval"], approved=json.get("approved")
    )


def _read_text(fields: dict[str, Any], _: str) -> Part:
    return TextPart(content=_text_of(fields, "content"), extra=fields or None)


def _read_thinking(fields: dict[str, Any], _: str) -> Part:
    return ThinkingPart(
        content=_text_of(fields, "content"),
        step_id=fields.pop("stepId", None),
        signature=fields.pop("signature", None),
        extra=fields or None,
    )


def _read_tool_call(fields: dict[str, Any], _: str) -> Part:
    return ToolCallPart(
        id=fields.pop("id"),
        name=fields.pop("name"),
        arguments=_text_of(fields, "arguments"),
        state=fields.pop("state"),
        approval=_read_approval(fields.pop("approval", None)),
        input=fields.pop("input", UNSET),
        output=fields.pop("output", UNSET),
        metadata=fields.pop("metadata", None),
        extra=fields or None,
    )


def _read_tool_result(fields: dict[str, Any], _: str) -> Part:
    return ToolResultPart(
        tool_call_id=fields.pop("toolCallId"),
        content=fields.pop("content", UNSET),
        state=fields.pop("state"),
        error=fields.pop("error", None),
        extra=fields or None,
    )


def _read_structured(fields: dict[str, Any], _: str) -> Part:
    return StructuredOutputPart(
        status=fields.pop("status"),
        raw=_text_of(fields, "raw"),
        data=fields.pop("data", UNSET),
        reasoning=fields.pop("reasoning", None),
        error_message=fields.pop("errorMessage", None),
        extra=fields or None,
    )


def _read_ui_resource(fields: dict[str, Any], _: str) -> Part:
    return UiResourcePart(
        resource=fields.pop("resource", UNSET),
        tool_call_id=fields.pop("toolCallId", None),
        tool_name=fields.pop("toolName", None),
        server_id=fields.pop("serverId", None),
        meta=fields.pop("meta", None),
        extra=fields or None,
    )


def _read_media(fields: dict[str, Any], kind: Any) -> Part:
    return MediaPart(
        kind=kind,
        source=fields.pop("source", UNSET),
        metadata=fields.pop("metadata", None),
        extra=fields or None,
    )


_READERS: Mapping[str, Callable[[dict[str, Any], str], Part]] = {
    "text": _read_text,
    "thinking": _read_thinking,
    "tool-call": _read_tool_call,
    "tool-result": _read_tool_result,
    "structured-output": _read_structured,
    "ui-resource": _read_ui_resource,
    **dict.fromkeys(get_args(MediaKind), _read_media),
}
