"""Tool events: TOOL_CALL_START, _ARGS, _END, _RESULT, and what closes calls left open.

A call has a phase in the stream (are its arguments complete?) beside the state of its part, which
approvals and results change too. Ids are unique in a message: a second start of a call is ignored.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from stateschema.session.agui.fields import side_field, text_field
from stateschema.session.agui.state import AguiState, Call, OpenCalls, Phase, ensure_section
from stateschema.session.json_text import read_json, write_json
from stateschema.session.parts import UNSET, Approval, ToolCallPart, ToolResultPart
from stateschema.session.text import Text
from stateschema.session.transcript import EMPTY_TEXT, Transcript


def call_start(state: AguiState, event: Mapping[str, Any]) -> AguiState:
    """Add a tool call to its section."""
    state, number = ensure_section(state, text_field(event, "parentMessageId"))
    state = state.change(number, state.section(number)._replace(called_tool=True))
    call_id = text_field(event, "toolCallId")
    if call_id is None:
        return state
    found = state.transcript.tool_call(call_id)
    if found is not None and _phase(state, call_id) is not None:
        return state
    part = ToolCallPart(
        id=call_id,
        name=text_field(event, "toolCallName") or "",
        arguments=EMPTY_TEXT,
        state="awaiting-input",
        metadata=event.get("metadata"),
    )
    if found is None:
        transcript = state.transcript.add(number, part)
    else:  # a snapshot brought it: what the call was about stays
        place, old = found
        part = replace(part, approval=old.approval, input=old.input, output=old.output)
        part = part if part.metadata is not None else replace(part, metadata=old.metadata)
        transcript = state.transcript.put(place, part)
    return state._replace(
        transcript=transcript,
        calls=state.calls.set(call_id, Call(number, "awaiting-input")),
        open_calls=OpenCalls(call_id, state.open_calls),
    )


def call_args(state: AguiState, event: Mapping[str, Any]) -> AguiState:
    """Append a delta to the arguments of a call; a call that never started is ignored."""
    found = _streaming(state, event)
    if found is None:
        return state
    phase, place, part = found
    delta = text_field(event, "delta") or ""
    if phase == "awaiting-input" and delta:
        phase = "input-streaming"
        state = _set_phase(state, part.id, phase)
    part = replace(part, arguments=part.arguments.append(delta), state=phase)
    return state._replace(transcript=state.transcript.put(place, part))


def call_end(state: AguiState, event: Mapping[str, Any]) -> AguiState:
    """Complete the arguments of a call; the input the event brings wins over the parsed one."""
    found = _streaming(state, event)
    if found is None or found[0] == "input-complete":
        return state
    _, place, part = found
    given = side_field(event, "input")
    if given is not UNSET and not part.arguments:
        part = replace(part, arguments=Text(write_json(given)))
        state = state._replace(transcript=state.transcript.put(place, part))
    state = _complete(state, part.id)
    if given is not UNSET:
        part = _call_part(state, place)
        value = part.input if given is None else given
        part = replace(part, state="input-complete", input=value)
        state = state._replace(transcript=state.transcript.put(place, part))
    return state


def call_result(state: AguiState, event: Mapping[str, Any]) -> AguiState:
    """Store the result of a call, in the call and as a part of its own."""
    call_id = text_field(event, "toolCallId")
    if call_id is None or state.transcript.tool_call(call_id) is None:
        return state
    failed = side_field(event, "state") == "output-error"
    content = event.get("content", UNSET)
    output = _value_of(content)
    transcript = put_result(
        state.transcript,
        ToolResultPart(
            tool_call_id=call_id,
            content=content,
            state="error" if failed else "complete",
            error=_error_text(output) if failed else None,
        ),
        output,
        section=state.calls[call_id].section,
    )
    return state._replace(transcript=transcript)


def put_result(
    transcript: Transcript, result: ToolResultPart, output: Any, *, section: int
) -> Transcript:
    """Set the output of a call and add, or replace, its tool-result part."""
    found = transcript.tool_call(result.tool_call_id)
    if found is not None:
        place, call = found
        done: Literal["error", "complete"] = "error" if result.state == "error" else "complete"
        transcript = transcript.put(place, replace(call, output=output, state=done))
    known = transcript.places.get(("tool-result", result.tool_call_id))
    return transcript.add(section, result) if known is None else transcript.put(known, result)


def request_approval(state: AguiState, call_id: str, approval_id: str) -> AguiState:
    """Let a call wait for an approval."""
    found = state.transcript.tool_call(call_id)
    if found is None:
        return state
    place, part = found
    part = replace(part, state="approval-requested", approval=Approval(id=approval_id))
    return state._replace(transcript=state.transcript.put(place, part))


def sign_call(state: AguiState, call_id: str, signature: str) -> AguiState:
    """Keep the provider's seal on a call in its metadata."""
    found = state.transcript.tool_call(call_id)
    if found is None:
        return state
    place, part = found
    old = part.metadata if isinstance(part.metadata, Mapping) else {}
    part = replace(part, metadata={**old, "thoughtSignature": signature})
    return state._replace(transcript=state.transcript.put(place, part))


def close_calls(state: AguiState) -> AguiState:
    """Complete the arguments of every call that is still open."""
    calls, state = state.open_calls, state._replace(open_calls=None)
    while calls is not None:
        if _phase(state, calls.call_id) != "input-complete":
            state = _complete(state, calls.call_id)
        calls = calls.older
    return state


def _complete(state: AguiState, call_id: str) -> AguiState:
    """Complete a call; one that failed or waits for a person keeps the state it shows."""
    state = _set_phase(state, call_id, "input-complete")
    while state.open_calls and _phase(state, state.open_calls.call_id) == "input-complete":
        state = state._replace(open_calls=state.open_calls.older)
    found = state.transcript.tool_call(call_id)
    if found is None or found[1].state in {"error", "approval-requested", "approval-responded"}:
        return state
    place, part = found
    value = _parsed(part.arguments.value)
    part = replace(part, state="input-complete", input=part.input if value is None else value)
    return state._replace(transcript=state.transcript.put(place, part))


def _phase(state: AguiState, call_id: str) -> Phase | None:
    call = state.calls.get(call_id)
    return None if call is None else call.phase


def _set_phase(state: AguiState, call_id: str, phase: Phase) -> AguiState:
    call = state.calls[call_id]._replace(phase=phase)
    return state._replace(calls=state.calls.set(call_id, call))


def _streaming(
    state: AguiState, event: Mapping[str, Any]
) -> tuple[Phase, int, ToolCallPart] | None:
    """Return phase, place and part of the call an event is about, if it was started."""
    call_id = text_field(event, "toolCallId")
    if call_id is None:
        return None
    phase, found = _phase(state, call_id), state.transcript.tool_call(call_id)
    return None if phase is None or found is None else (phase, *found)


def _call_part(state: AguiState, place: int) -> ToolCallPart:
    part = state.transcript.parts[place]
    assert isinstance(part, ToolCallPart)
    return part


def _parsed(text: str) -> Any:
    """Return the value of whole JSON text, None (which is no input either) if it is not."""
    try:
        return read_json(text)
    except ValueError:
        return None


def _value_of(content: Any) -> Any:
    if not isinstance(content, str):
        return content
    try:
        return read_json(content)
    except ValueError:
        return content


def _error_text(output: Any) -> str:
    error = text_field(output, "error")
    if error is not None:
        return error
    return output if isinstance(output, str) else "Tool execution failed"
