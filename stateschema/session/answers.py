"""Answers folded into the message that asked.

Law        apply_answers(message, answers) depends on the set of answers, not on their order
Cost       O(answers · log parts); without answers, or with none that says something new, the result
           is the message itself
Edges      several answers to one target: the first by (created_at, row id) counts, the others do
           not. An answer to something the message does not have, or not yet, has no effect: it takes
           effect once the request is there. What the stream itself says about the same thing (a
           result, a settled approval) stands
"""

from collections.abc import Iterable
from dataclasses import replace

from stateschema.session.agui.tools import put_result
from stateschema.session.control import Answer, Target
from stateschema.session.json_text import write_json
from stateschema.session.message import Message
from stateschema.session.parts import UNSET, ToolCallPart, ToolResultPart
from stateschema.session.transcript import Section, Transcript
from stateschema.session.vector import Vector

_SETTLED = {"complete", "error"}


def apply_answers(message: Message, answers: Iterable[Answer]) -> Message:
    """Return the message with the answers to its approvals and tool calls in place."""
    first: dict[Target, Answer] = {}
    for answer in sorted(answers, key=lambda answer: (answer.created_at, answer.row_id)):
        first.setdefault(answer.target, answer)
    before = transcript = _transcript(message)
    for answer in first.values():
        if answer.target.kind == "approval":
            transcript = _approve(transcript, answer)
        else:
            transcript = _deliver(transcript, answer)
    if transcript is before:
        return message
    return replace(
        message, parts=transcript.parts, places=transcript.places, tally=transcript.tally
    )


def _transcript(message: Message) -> Transcript:
    section = Section(id=message.id, role=message.role, start=0, end=len(message.parts))
    return Transcript(
        parts=message.parts,
        sections=Vector([section]),
        places=message.places,
        tally=message.tally,
    )


def _approve(transcript: Transcript, answer: Answer) -> Transcript:
    place = transcript.places.get(("approval", answer.target.id))
    call = None if place is None else transcript.parts[place]
    if place is None or not isinstance(call, ToolCallPart) or call.approval is None:
        return transcript
    if call.approval.id != answer.target.id or call.approval.approved is not None:
        return transcript
    approval = replace(call.approval, approved=answer.approved)
    state = call.state if call.state in _SETTLED else "approval-responded"
    return transcript.put(place, replace(call, approval=approval, state=state))


def _deliver(transcript: Transcript, answer: Answer) -> Transcript:
    found = transcript.tool_call(answer.target.id)
    if found is None or found[1].output is not UNSET or found[1].state in _SETTLED:
        return transcript
    result = ToolResultPart(
        tool_call_id=answer.target.id,
        content=_as_text(answer.output),
        state="error" if answer.error else "complete",
        error=answer.error,
    )
    output = {"error": answer.error} if answer.error else answer.output
    return put_result(transcript, result, output, section=0)


def _as_text(output: object) -> object:
    """Return an output as the model will read it: text stays, other values become JSON text."""
    return output if isinstance(output, str) or output is UNSET else write_json(output)
