"""MESSAGES_SNAPSHOT: the conversation so far replaces what was streamed.

The snapshot holds the whole conversation. What belongs to the message being built is its last
message, with the assistant messages right before it; those become the sections. Rows of the wire
are first brought together: reasoning with the answer it led to, tool results with their calls. What
the stream knew about a call and the snapshot does not say is kept.

Complexity: O(snapshot).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stateschema.session.agui.fields import text_field
from stateschema.session.agui.snapshot_message import SnapshotMessage, read_message
from stateschema.session.agui.state import ASSISTANT, AguiState, Call
from stateschema.session.json_text import read_json
from stateschema.session.parts import (
    UNSET,
    Part,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from stateschema.session.transcript import Transcript

_KNOWS_RESULT = {"complete", "error"}
_OPEN = {"awaiting-input", "input-streaming", "input-complete"}


def messages_snapshot(state: AguiState, event: Mapping[str, Any]) -> AguiState:
    """Replace everything by the snapshot's messages; streams begin anew."""
    wire = event.get("messages")
    if not isinstance(wire, list):
        return state
    old = {p.id: p for p in state.transcript.parts if isinstance(p, ToolCallPart)}
    messages = [read_message(message) for message in wire if isinstance(message, Mapping)]
    messages = _gather(_join_results(_join_reasoning(messages), old), old)
    new = AguiState(transcript=Transcript())
    for number, message in enumerate(_tail(messages)):
        transcript = new.transcript.open(message.id, message.role, is_live=False)
        calls = new.calls
        for part in message.parts:
            transcript = transcript.add(number, part)
            if isinstance(part, ToolCallPart) and part.id not in calls:
                calls = calls.set(part.id, Call(number, None))
        ids = new.ids if message.id is None else new.ids.set(message.id, number)
        new = new._replace(transcript=transcript, calls=calls, ids=ids)
    return new


def _tail(messages: list[SnapshotMessage]) -> list[SnapshotMessage]:
    start = len(messages) - 1
    while start > 0 and messages[start].role == messages[start - 1].role == ASSISTANT:
        start -= 1
    return messages[max(start, 0) :]


def _join_reasoning(messages: list[SnapshotMessage]) -> list[SnapshotMessage]:
    """Put thinking that stands alone in front of the answer that follows it."""
    joined: list[SnapshotMessage] = []
    thinking: list[SnapshotMessage] = []
    for message in messages:
        if message.role == ASSISTANT and message.consists_of(ThinkingPart):
            thinking.append(message)
        elif message.role == ASSISTANT and message.result() is None:
            before = [part for thought in thinking for part in thought.parts]
            joined.append(replace(message, parts=[*before, *message.parts]))
            thinking = []
        else:
            joined += [*thinking, message]
            thinking = []
    return [*joined, *thinking]


def _join_results(
    messages: list[SnapshotMessage], old: Mapping[str, ToolCallPart]
) -> list[SnapshotMessage]:
    """Move each tool result that stands alone to its call, or to the answer before it."""
    present = {p.id for m in messages for p in m.parts if isinstance(p, ToolCallPart)}
    joined: list[SnapshotMessage] = []
    for message in messages:
        result = message.result()
        place = None if result is None else _owner(joined, result.tool_call_id)
        if result is None or place is None:
            joined.append(message)
            continue
        parts = list(joined[place].parts)
        if result.tool_call_id not in present and result.tool_call_id in old:
            parts.append(old[result.tool_call_id])
            present.add(result.tool_call_id)
        joined[place] = replace(joined[place], parts=[*parts, *message.parts])
    return joined


def _owner(messages: list[SnapshotMessage], call_id: str) -> int | None:
    def last(wanted: list[bool]) -> int | None:
        return max((n for n, is_wanted in enumerate(wanted) if is_wanted), default=None)

    with_call = last([message.has_call(call_id) for message in messages])
    if with_call is not None:
        return with_call
    return last(
        [
            m.role == ASSISTANT
            and not (len(m.parts) == 1 and isinstance(m.parts[0], ToolResultPart))
            for m in messages
        ]
    )


def _gather(
    messages: list[SnapshotMessage], old: Mapping[str, ToolCallPart]
) -> list[SnapshotMessage]:
    """Bring each call what the stream knew about it, and the result the snapshot has for it."""
    results = {
        p.tool_call_id: p for m in messages for p in m.parts if isinstance(p, ToolResultPart)
    }

    def complete(part: Part) -> Part:
        if not isinstance(part, ToolCallPart):
            return part
        return _with_result(_with_memory(part, old.get(part.id)), results.get(part.id))

    return [replace(m, parts=[complete(part) for part in m.parts]) for m in messages]


def _with_memory(part: ToolCallPart, old: ToolCallPart | None) -> ToolCallPart:
    if old is None or (old.output is UNSET and old.state not in _KNOWS_RESULT):
        return part
    if part.output is not UNSET and part.state not in _OPEN:
        return part
    return replace(
        part,
        output=part.output if old.output is UNSET else old.output,
        state=old.state,
        approval=old.approval or part.approval,
        metadata=part.metadata if old.metadata is None else old.metadata,
    )


def _with_result(part: ToolCallPart, result: ToolResultPart | None) -> ToolCallPart:
    if result is None or part.output is not UNSET:
        return part
    output = result.content
    if isinstance(output, str):
        try:
            output = read_json(output)
        except ValueError:
            output = result.content
    if result.state != "error":
        return replace(part, output=output, state="complete")
    text = text_field(output, "error") or (output if isinstance(output, str) else None)
    return replace(part, output={"error": text or "Tool execution failed"}, state="error")
