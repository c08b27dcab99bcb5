"""Reasoning events: STEP_*, REASONING_MESSAGE_CONTENT, REASONING_ENCRYPTED_VALUE.

Each thinking step has one part, wherever it stands; its text grows there. Without a step the
event's message id names it.
"""

from collections.abc import Mapping
from typing import Any

from stateschema.session.agui.fields import text_field
from stateschema.session.agui.state import AguiState, Step, ensure_section
from stateschema.session.agui.tools import sign_call
from stateschema.session.parts import ThinkingPart


def step_started(state: AguiState, event: Mapping[str, Any]) -> AguiState:
    """Name the step that thinking belongs to from now on."""
    step = text_field(event, "stepName") or f"step-{len(state.steps) + 1}"
    number = state.in_use
    if number is None:
        return state._replace(waiting_step=step)
    return _enter_step(state, number, step)._replace(waiting_step=None)


def step_finished(state: AguiState, event: Mapping[str, Any]) -> AguiState:
    """Keep the signature some providers send only here."""
    signature = text_field(event, "signature")
    if not signature:
        return state
    state, number = ensure_section(state, None)
    step = state.section(number).step or text_field(event, "stepId")
    if (number, step) not in state.steps:
        return state
    return _put(state, number, step, state.steps[number, step]._replace(signature=signature))


def reasoning_content(state: AguiState, event: Mapping[str, Any]) -> AguiState:
    """Append a delta to the thinking of the current step."""
    state, number = ensure_section(state, None)
    if state.waiting_step:
        state = _enter_step(state, number, state.waiting_step)._replace(waiting_step=None)
    step = state.section(number).step or text_field(event, "messageId")
    if (number, step) not in state.steps:
        state = _enter_step(state, number, step)
    old = state.steps[number, step]
    content = old.content.append(text_field(event, "delta") or "")
    return _put(state, number, step, old._replace(content=content))


def reasoning_signature(state: AguiState, event: Mapping[str, Any]) -> AguiState:
    """Keep the provider's seal on a thinking step or on a tool call."""
    signature, entity = text_field(event, "encryptedValue"), text_field(event, "entityId")
    if not signature:
        return state
    if event.get("subtype") == "tool-call":
        return state if entity is None else sign_call(state, entity, signature)
    state, number = ensure_section(state, None)
    step = state.section(number).step or entity
    old = state.steps.get((number, step), Step())
    return _put(state, number, step, old._replace(signature=signature))


def _enter_step(state: AguiState, number: int, step: str | None) -> AguiState:
    state = state.change(number, state.section(number)._replace(step=step))
    if (number, step) in state.steps:
        return state
    return state._replace(steps=state.steps.set((number, step), Step()))


def _put(state: AguiState, number: int, step_id: str | None, step: Step) -> AguiState:
    part = ThinkingPart(content=step.content, step_id=step_id, signature=step.signature)
    transcript = state.transcript
    place = transcript.places.get(("thinking", number, step_id))
    transcript = transcript.add(number, part) if place is None else transcript.put(place, part)
    return state._replace(transcript=transcript, steps=state.steps.set((number, step_id), step))
