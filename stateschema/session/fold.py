"""The message fold: the chunks of one message, in order of `seq`, to the message.

Made for an engine's `fold(of, initial, step, finish=, order_by=)`: `step` once per chunk appended,
replayed from an older state when a chunk before the last is inserted, replaced or deleted.

Law        finish(step(… step(EMPTY, c0) …, cn)) is a function of the chunks alone; no step changes
           the state it is given, so every older state stays good for replay
State      who and when (from the first chunk and the last), totals, and the state of the dialect
Cost       step and finish: O(chunk + log parts), whatever the length of the message. Exceptions are
           those of `agui.apply`, and: between a `stop`, `error` or `done` chunk and the end of a tool
           call it cut off, every further chunk reads that call's arguments again
Edges      the first chunk decides: `whole-message` is taken as it stands and nothing after it counts
           but usage; one that cannot be read makes the message unreadable. Later chunks that cannot
           be read, and unknown types, are skipped. Complete is complete: late chunks still extend
           the parts
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from stateschema.session.agui.apply import apply
from stateschema.session.agui.fields import object_field, text_field
from stateschema.session.agui.runs import finalize
from stateschema.session.agui.state import AguiState, begin
from stateschema.session.chunk import ParsedChunk
from stateschema.session.message import FIRST_CHUNK_UNPARSABLE, NO_USAGE, Message, Usage
from stateschema.session.part_reader import part_from_json
from stateschema.session.transcript import Transcript

_COMPLETING = {"done", "RUN_FINISHED", "RUN_ERROR", "error", "stop", "message-end"}


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A message between two chunks. `head` is None before the first chunk.

    `stream` is None when chunks after the first do not matter: `head` is the message then.
    """

    head: Message | None = None
    stream: AguiState | None = None
    is_complete: bool = False
    error: str | None = None
    usage: Usage = NO_USAGE
    last_seq: int = -1
    last_chunk_at: str = ""


EMPTY = State()


def step(state: State, chunk: ParsedChunk) -> State:
    """Return the state after one more chunk; `state` is not changed."""
    kind = chunk.type
    state = _first(chunk) if state.head is None else state
    stream = state.stream
    is_complete, error = state.is_complete, state.error
    if stream is not None and kind is not None and chunk.event is not None:
        stream = apply(stream, kind, chunk.event)
        is_complete = is_complete or kind in _COMPLETING
        if kind in {"RUN_ERROR", "error"}:
            error = _error_text(chunk.event)
    return State(
        head=state.head,
        stream=stream,
        is_complete=is_complete,
        error=error,
        usage=_with_usage(state.usage, chunk.event),
        last_seq=chunk.seq,
        last_chunk_at=chunk.created_at,
    )


def finish(state: State) -> Message:
    """Return the message a state stands for.

    Raises:
        ValueError: the state is `EMPTY`: a message has at least one chunk.
    """
    if state.head is None:
        raise ValueError("message fold has seen no chunk")
    transcript = Transcript(
        parts=state.head.parts, places=state.head.places, tally=state.head.tally
    )
    if state.stream is not None:
        stream = finalize(state.stream) if state.is_complete else state.stream
        transcript = stream.transcript
    return Message(
        id=state.head.id,
        role=state.head.role,
        actor_id=state.head.actor_id,
        is_complete=state.is_complete,
        created_at=state.head.created_at,
        last_seq=state.last_seq,
        last_chunk_at=state.last_chunk_at,
        error=state.error,
        readable=state.head.readable,
        usage=state.usage,
        tally=transcript.tally,
        parts=transcript.parts,
        places=transcript.places,
    )


def materialize(chunks: Iterable[ParsedChunk]) -> Message:
    """Return the message of chunks that all belong to it, in any order.

    Raises:
        ValueError: there is no chunk.
    """
    state = EMPTY
    for chunk in sorted(chunks, key=lambda chunk: (chunk.seq, chunk.id)):
        state = step(state, chunk)
    return finish(state)


def _first(chunk: ParsedChunk) -> State:
    head = Message(
        id=chunk.message_id,
        role=chunk.role,
        actor_id=chunk.actor_id,
        is_complete=False,
        created_at=chunk.created_at,
        last_seq=chunk.seq,
        last_chunk_at=chunk.created_at,
    )
    if chunk.event is None:
        error = FIRST_CHUNK_UNPARSABLE
        return State(head=replace(head, readable=False), is_complete=True, error=error)
    whole = object_field(chunk.event, "message") if chunk.type == "whole-message" else None
    if whole is not None:
        return State(head=_whole(head, whole), is_complete=True)
    return State(head=head, stream=begin())


def _whole(head: Message, message: Mapping[str, Any]) -> Message:
    parts = message.get("parts")
    transcript = Transcript().open(None, head.role)
    for part in parts if isinstance(parts, list) else []:
        transcript = transcript.add(0, part_from_json(part))
    return replace(
        head,
        id=text_field(message, "id") or head.id,
        role=text_field(message, "role") or head.role,
        created_at=text_field(message, "createdAt") or head.created_at,
        tally=transcript.tally,
        parts=transcript.parts,
        places=transcript.places,
    )


def _error_text(event: Mapping[str, Any]) -> str:
    error = event.get("error")
    said = text_field(event, "message") or (error if isinstance(error, str) else None)
    return said or text_field(error, "message") or "An error occurred"


def _with_usage(usage: Usage, event: Mapping[str, Any] | None) -> Usage:
    reported = object_field(event, "usage")
    if reported is None:
        return usage

    def tokens(camel: str, snake: str) -> int:
        value = reported.get(camel)
        value = reported.get(snake) if value is None else value
        return value if isinstance(value, int) else 0

    return usage.plus(
        Usage(
            tokens("totalTokens", "total_tokens"),
            tokens("promptTokens", "prompt_tokens"),
            tokens("completionTokens", "completion_tokens"),
        )
    )
