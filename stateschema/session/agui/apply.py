"""The AG-UI dialect as one step: state and event to state.

Law        `apply` never changes its arguments, never raises for any JSON object, and for an event it
           does not know returns the state itself
Cost       O(event) plus O(log n) for the structures; exceptions: a snapshot is O(snapshot), the end
           of a call reads its arguments once, the end of a run completes what is open
Source     AG-UI events as consumed by @tanstack/ai 0.58; the dialect is pinned to that version,
           because its output changed between versions
"""

from collections.abc import Callable, Mapping
from typing import Any

from stateschema.session.agui.custom import custom
from stateschema.session.agui.reasoning import (
    reasoning_content,
    reasoning_signature,
    step_finished,
    step_started,
)
from stateschema.session.agui.runs import run_failed, run_finished, run_started
from stateschema.session.agui.snapshot import messages_snapshot
from stateschema.session.agui.state import AguiState
from stateschema.session.agui.text import text_content, text_start
from stateschema.session.agui.tools import call_args, call_end, call_result, call_start

_EVENTS: Mapping[str, Callable[[AguiState, Mapping[str, Any]], AguiState]] = {
    "RUN_STARTED": run_started,
    "RUN_FINISHED": run_finished,
    "RUN_ERROR": run_failed,
    "TEXT_MESSAGE_START": text_start,
    "TEXT_MESSAGE_CONTENT": text_content,
    "TOOL_CALL_START": call_start,
    "TOOL_CALL_ARGS": call_args,
    "TOOL_CALL_END": call_end,
    "TOOL_CALL_RESULT": call_result,
    "STEP_STARTED": step_started,
    "STEP_FINISHED": step_finished,
    "REASONING_MESSAGE_CONTENT": reasoning_content,
    "REASONING_ENCRYPTED_VALUE": reasoning_signature,
    "CUSTOM": custom,
    "MESSAGES_SNAPSHOT": messages_snapshot,
}


def apply(state: AguiState, kind: str, event: Mapping[str, Any]) -> AguiState:
    """Return the state after an event of type `kind`."""
    handle = _EVENTS.get(kind)
    return state if handle is None else handle(state, event)
