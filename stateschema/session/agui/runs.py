"""Run events: RUN_STARTED, RUN_FINISHED, RUN_ERROR, and finalizing.

When the last open run finishes, open tool calls are completed, and the stream is finalized unless
the model only paused to call tools. Finalizing also ends structured outputs that never completed
and removes the text of a message that is nothing but blank.
"""

from collections.abc import Mapping
from typing import Any

from stateschema.session.agui.fields import object_field, side_field, text_field
from stateschema.session.agui.state import AguiState, ensure_section
from stateschema.session.agui.structured import structured_error
from stateschema.session.agui.tools import close_calls, request_approval
from stateschema.session.parts import TextPart


def run_started(state: AguiState, event: Mapping[str, Any]) -> AguiState:
    """Remember the run as open."""
    return state._replace(runs=state.runs | {text_field(event, "runId") or ""})


def run_finished(state: AguiState, event: Mapping[str, Any]) -> AguiState:
    """Close the run, note approvals it waits for, and finalize when it was the last one."""
    state = state._replace(runs=state.runs - {text_field(event, "runId") or ""})
    outcome = object_field(event, "outcome") or {}
    interrupted = outcome.get("type") == "interrupt"
    for call_id, approval_id in approvals_of(event):
        state = request_approval(state, call_id, approval_id)
    if state.runs:
        return state
    state = close_calls(state)
    if side_field(event, "finishReason") == "tool_calls" and not interrupted:
        return state
    return finalize(state)


def run_failed(state: AguiState, event: Mapping[str, Any]) -> AguiState:
    """Close the run, or all, and end the structured output of the section in use with its error."""
    run_id = side_field(event, "runId")
    runs = state.runs - {run_id} if isinstance(run_id, str) and run_id else frozenset()
    state, number = ensure_section(state._replace(failed=True, runs=runs), None)
    return structured_error(state, number, text_field(event, "message") or "An error occurred")


def approvals_of(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (tool call id, approval id) of the approvals an interrupted run waits for."""
    outcome = object_field(event, "outcome") or {}
    interrupts = outcome.get("interrupts")
    if outcome.get("type") != "interrupt" or not isinstance(interrupts, list):
        return []
    found = []
    for interrupt in interrupts:
        kind = text_field(object_field(interrupt, "metadata"), "kind")
        call_id, approval_id = text_field(interrupt, "toolCallId"), text_field(interrupt, "id")
        is_approval = kind == "approval" or text_field(interrupt, "reason") == "approval_required"
        if is_approval and call_id and approval_id is not None:
            found.append((call_id, approval_id))
    return found


def finalize(state: AguiState) -> AguiState:
    """End the turn: complete what is open, remove text that is only blank.

    Complexity: O(what is open).
    """
    state = close_calls(state)
    last = state.active
    is_blank = last is not None and not state.failed and _is_blank(state, last)
    for number in state.structured:
        state = structured_error(state, number, "Stream ended without structured-output.complete")
    state = state._replace(active=None, turn=state.turn + 1)
    if last is None or not is_blank:
        return state
    return state._replace(transcript=state.transcript.drop(last))


def _is_blank(state: AguiState, number: int) -> bool:
    section, parts = state.section(number), state.transcript.parts
    return section.end > section.start and all(
        isinstance(part := parts[place], TextPart) and part.content.is_blank
        for place in range(section.start, section.end)
    )
