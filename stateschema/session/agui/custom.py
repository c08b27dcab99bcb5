"""CUSTOM events the dialect gives a meaning: structured output, approvals, user interface."""

from collections.abc import Mapping
from typing import Any

from stateschema.session.agui.fields import object_field, text_field
from stateschema.session.agui.state import AguiState
from stateschema.session.agui.structured import structured_complete, structured_start
from stateschema.session.agui.tools import request_approval
from stateschema.session.parts import UNSET, UiResourcePart


def custom(state: AguiState, event: Mapping[str, Any]) -> AguiState:
    """Apply a custom event; one of another name, or without an object as value, is ignored."""
    value = object_field(event, "value")
    if value is None:
        return state
    match event.get("name"):
        case "structured-output.start":
            return structured_start(state, value)
        case "structured-output.complete":
            return structured_complete(state, value)
        case "approval-requested":
            requested = requested_approval(event)
            return state if requested is None else request_approval(state, *requested)
        case "ui-resource":
            return _ui_resource(state, value)
        case _:
            return state


def requested_approval(event: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return (tool call id, approval id) of an approval-requested event."""
    value = object_field(event, "value")
    call_id = text_field(value, "toolCallId")
    approval_id = text_field(object_field(value, "approval"), "id")
    return None if call_id is None or approval_id is None else (call_id, approval_id)


def _ui_resource(state: AguiState, value: Mapping[str, Any]) -> AguiState:
    """Add the resource next to the call it belongs to, else to the section in use."""
    call_id = text_field(value, "toolCallId")
    call = None if call_id is None else state.calls.get(call_id)
    number = state.in_use if call is None else call.section
    if number is None:
        return state
    part = UiResourcePart(
        resource=value.get("resource", UNSET),
        tool_call_id=call_id,
        tool_name=text_field(value, "toolName"),
        server_id=text_field(value, "serverId"),
        meta=value.get("meta"),
    )
    return state._replace(transcript=state.transcript.add(number, part))
