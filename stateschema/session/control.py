"""Control rows: answers to a running message, written as rows of their own.

A person's approval and a client's tool result reach the stream as user rows with a message id of
their own: `{type: approval-response, approvalId, approved}` and `{type: tool-result, toolCallId,
output, error?}`. They are no messages: they belong to the tool call that asked. `is_control` tells
them apart, `control_of` reads one, `requests_of` says what a chunk asks for.

Edges      only rows of role user count: an agent's stream cannot approve its own calls. A control row
           that cannot be read is still no message, and no answer
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from stateschema.session.agui.custom import requested_approval
from stateschema.session.agui.fields import object_field, text_field
from stateschema.session.agui.runs import approvals_of
from stateschema.session.chunk import ParsedChunk
from stateschema.session.parts import UNSET

_CONTROL_TYPES = {"approval-response", "tool-result"}


class Target(NamedTuple):
    """What an answer is about: the id of a tool call, or of an approval."""

    kind: Literal["tool-call", "approval"]
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer: `approved` for an approval; `output` and `error` for a tool call.

    `row_id` and `created_at` order answers to the same target; `actor_id` says who answered.
    """

    target: Target
    row_id: str
    created_at: str
    actor_id: str
    approved: bool | None = None
    output: Any = UNSET
    error: str | None = None


def is_control(chunk: ParsedChunk) -> bool:
    """Whether a row is a control row, which belongs to no message of its own."""
    return chunk.role == "user" and chunk.type in _CONTROL_TYPES


def control_of(chunk: ParsedChunk) -> Answer | None:
    """Return the answer a control row holds; None for any other row or an unreadable one."""
    event = chunk.event
    if event is None or not is_control(chunk):
        return None
    if chunk.type == "approval-response":
        approval_id, approved = text_field(event, "approvalId"), event.get("approved")
        if approval_id is None or not isinstance(approved, bool):
            return None
        return _answer(chunk, Target("approval", approval_id), approved=approved)
    call_id, error = text_field(event, "toolCallId"), text_field(event, "error") or None
    if call_id is None:
        return None
    target = Target("tool-call", call_id)
    return _answer(chunk, target, output=event.get("output", UNSET), error=error)


def _answer(chunk: ParsedChunk, target: Target, **said: Any) -> Answer:
    return Answer(
        target=target,
        row_id=chunk.id,
        created_at=chunk.created_at,
        actor_id=chunk.actor_id,
        **said,
    )


def requests_of(chunk: ParsedChunk) -> tuple[Target, ...]:
    """Return what a chunk announces that can be answered: its tool calls and approvals.

    Complexity: O(1) for a streamed event, O(message) for whole messages and snapshots.
    """
    event = chunk.event
    if event is None:
        return ()
    match chunk.type:
        case "TOOL_CALL_START":
            call_id = text_field(event, "toolCallId")
            return () if call_id is None else (Target("tool-call", call_id),)
        case "CUSTOM" if event.get("name") == "approval-requested":
            requested = requested_approval(event)
            return () if requested is None else (Target("approval", requested[1]),)
        case "RUN_FINISHED":
            return tuple(Target("approval", approval) for _, approval in approvals_of(event))
        case "whole-message":
            return _requests_in(event.get("message"))
        case "MESSAGES_SNAPSHOT":
            messages = event.get("messages")
            messages = messages if isinstance(messages, list) else []
            return tuple(request for message in messages for request in _requests_in(message))
        case _:
            return ()


def _requests_in(message: Any) -> tuple[Target, ...]:
    """Return the requests of a message in either wire shape, with `parts` or with `toolCalls`."""
    requests: list[Target] = []
    calls = [part for part in _list(message, "parts") if text_field(part, "type") == "tool-call"]
    for call in [*calls, *_list(message, "toolCalls")]:
        call_id = text_field(call, "id")
        approval_id = text_field(object_field(call, "approval"), "id")
        requests += [Target("tool-call", call_id)] if call_id is not None else []
        requests += [Target("approval", approval_id)] if approval_id is not None else []
    return tuple(requests)


def _list(message: Any, name: str) -> list[Any]:
    value = message.get(name) if isinstance(message, Mapping) else None
    return value if isinstance(value, list) else []
