"""Text events: TEXT_MESSAGE_START, TEXT_MESSAGE_CONTENT.

A text delta grows the section's segment, and the segment is the content of the last part: replaced
if that is text, else added. After a tool call a new segment begins. (A part that interrupts the
text without being a tool call does not begin a new one, so the text after it repeats the text
before it: the dialect's published behaviour, kept.)
"""

from collections.abc import Mapping
from typing import Any

from stateschema.session.agui.fields import text_field
from stateschema.session.agui.state import (
    ASSISTANT,
    AguiState,
    activate,
    created,
    ensure_section,
    open_section,
)
from stateschema.session.agui.structured import append_structured
from stateschema.session.parts import TextPart
from stateschema.session.transcript import EMPTY_TEXT


def text_start(state: AguiState, event: Mapping[str, Any]) -> AguiState:
    """Name the section that waits for an id, go on with a known one, or open one."""
    section_id = text_field(event, "messageId")
    role = text_field(event, "role")
    role = role if role in {"user", "system"} else ASSISTANT
    if state.unnamed is not None:
        number = state.unnamed
        ids = state.ids if section_id is None else state.ids.set(section_id, number)
        state = state._replace(unnamed=None, ids=ids)
        state = state.change(number, state.section(number)._replace(id=section_id))
        return _new_segment(activate(state, number), number)
    known = state.known(section_id)
    if known is None or state.section(known).dropped:
        return open_section(state, section_id, role)[0]
    if state.section(known).is_live:
        return _new_segment(activate(state, known), known)
    section = state.section(known)._replace(is_live=True, role=role)
    return activate(created(state.change(known, section), known), known)


def _new_segment(state: AguiState, number: int) -> AguiState:
    section = state.section(number)
    if not section.called_tool:
        return state
    return state.change(number, section._replace(segment=EMPTY_TEXT, called_tool=False))


def text_content(state: AguiState, event: Mapping[str, Any]) -> AguiState:
    """Append a delta to the text, or to the structured output, of its section."""
    delta = text_field(event, "delta") or ""
    state, number = ensure_section(state, text_field(event, "messageId"))
    if number in state.structured:
        return append_structured(state, number, delta) if delta else state
    section = state.section(number)
    segment = EMPTY_TEXT if section.called_tool else section.segment
    segment = segment.append(delta)
    transcript = state.transcript
    if segment is not section.segment or section.called_tool:
        transcript = transcript.change(number, section._replace(segment=segment, called_tool=False))
    if delta and not section.dropped:
        part = TextPart(content=segment)
        end = section.end
        if isinstance(transcript.last_part(number), TextPart):
            transcript = transcript.put(end - 1, part)
        else:
            transcript = transcript.add(number, part)
    return state._replace(transcript=transcript)
