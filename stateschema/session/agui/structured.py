"""Structured output: CUSTOM structured-output.start and .complete, and the deltas between.

Between the two, text deltas of the section grow the raw JSON of a structured-output part. A run
that ends in between leaves the part with an error.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stateschema.session.agui.fields import text_field
from stateschema.session.agui.state import AguiState, ensure_section
from stateschema.session.json_text import write_json
from stateschema.session.parts import UNSET, StructuredOutputPart
from stateschema.session.text import Text
from stateschema.session.transcript import EMPTY_TEXT


def structured_start(state: AguiState, value: Mapping[str, Any]) -> AguiState:
    """Send the text of a section to its structured output from now on."""
    state, number = ensure_section(state, text_field(value, "messageId"))
    if number in state.structured:
        return state
    return state._replace(structured=(*state.structured, number))


def append_structured(state: AguiState, number: int, delta: str) -> AguiState:
    """Append a delta to the raw JSON of a section's structured output."""
    old = _part(state, number)
    raw = (old.raw if old else EMPTY_TEXT).append(delta)
    reasoning = old.reasoning if old else None
    return _put(
        state, number, StructuredOutputPart(status="streaming", raw=raw, reasoning=reasoning)
    )


def structured_complete(state: AguiState, value: Mapping[str, Any]) -> AguiState:
    """Complete a structured output with its checked value."""
    state, number = ensure_section(state, text_field(value, "messageId"))
    old = _part(state, number)
    data = value.get("object", UNSET)
    raw = Text(text_field(value, "raw") or "") or (old.raw if old else EMPTY_TEXT)
    if not raw and data is not UNSET:
        raw = Text(write_json(data))
    part = StructuredOutputPart(
        status="complete", raw=raw, data=data, reasoning=text_field(value, "reasoning")
    )
    return _close(_put(state, number, part), number)


def structured_error(state: AguiState, number: int, message: str) -> AguiState:
    """End a structured output that is not complete with an error."""
    if number not in state.structured:
        return state
    old = _part(state, number)
    if old is None:
        old = StructuredOutputPart(status="error", raw=EMPTY_TEXT)
    if old.status != "complete":
        state = _put(state, number, replace(old, status="error", error_message=message))
    return _close(state, number)


def _part(state: AguiState, number: int) -> StructuredOutputPart | None:
    place = state.transcript.places.get(("structured-output", number))
    part = None if place is None else state.transcript.parts[place]
    return part if isinstance(part, StructuredOutputPart) else None


def _put(state: AguiState, number: int, part: StructuredOutputPart) -> AguiState:
    place = state.transcript.places.get(("structured-output", number))
    transcript = state.transcript
    transcript = transcript.add(number, part) if place is None else transcript.put(place, part)
    return state._replace(transcript=transcript)


def _close(state: AguiState, number: int) -> AguiState:
    return state._replace(structured=tuple(n for n in state.structured if n != number))
