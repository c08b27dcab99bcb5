"""What one more chunk costs: measured, not claimed, for messages of 10 to 20,000 chunks.

Per appended chunk everything a subscriber causes is measured: the step, finishing, the engine's
comparison of the old and the new message, and reading what was appended. Three measures that cannot
be argued with: function calls seen by the interpreter's profiler, objects (and their bytes) of the
new state and message that the old ones did not hold, and the peak of memory while it happens.
"""

import gc
import statistics
import sys
import tracemalloc
from collections.abc import Callable
from functools import partial
from types import FrameType, ModuleType
from typing import Any, NamedTuple

import pytest

from dataflow.values.equality import equal
from stateschema.session.chunk import ParsedChunk
from stateschema.session.fold import EMPTY, State, finish, step
from stateschema.session.message import Message
from stateschema.session.parts import (
    Part,
    StructuredOutputPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
)
from stateschema.session.text import Text

SIZES = [10, 1_000, 20_000]
Event = dict[str, Any]


class Work(NamedTuple):
    """What one chunk made the interpreter do."""

    calls: int
    objects: int
    bytes_new: int
    parts: int
    copied_pieces: int


def text_delta(n: int) -> Event:
    return {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": f"{n % 10}"}


def argument_delta(n: int) -> Event:
    return {"type": "TOOL_CALL_ARGS", "toolCallId": "c1", "delta": f"{n % 10}"}


def reasoning_delta(n: int) -> Event:
    return {"type": "REASONING_MESSAGE_CONTENT", "messageId": "rs", "delta": f"{n % 10}"}


def call_named(name: str, _n: int) -> Event:
    return {**CALL, "toolCallId": name}


CALL = {"type": "TOOL_CALL_START", "toolCallId": "c1", "toolCallName": "search"}
STRUCTURED = {"type": "CUSTOM", "name": "structured-output.start", "value": {"messageId": "m"}}
STREAMS: dict[str, tuple[list[Event], Callable[[int], Event]]] = {
    "text": ([], text_delta),
    "late text": ([text_delta(0), {"type": "RUN_FINISHED", "runId": "r"}], text_delta),
    "tool arguments": ([CALL], argument_delta),
    "reasoning": ([], reasoning_delta),
    "structured output": ([STRUCTURED], text_delta),
    "unknown": ([], lambda _: {"type": "STATE_DELTA"}),
}


def chunk_of(seq: int, event: Event) -> ParsedChunk:
    return ParsedChunk(f"m:{seq}", "m", "kermit", "assistant", seq, "2026-01-15T10:00:00Z", event)


def fold_of(events: list[Event]) -> State:
    state = EMPTY
    for seq, event in enumerate(events):
        state = step(state, chunk_of(seq, event))
    return state


def stream(kind: str, size: int) -> tuple[State, Callable[[int], Event]]:
    before, delta = STREAMS[kind]
    return fold_of([*before, *(delta(n) for n in range(size))]), delta


def growing(part: Part) -> Text:
    match part:
        case TextPart(content=text) | ThinkingPart(content=text) | ToolCallPart(arguments=text):
            return text
        case StructuredOutputPart(raw=text):
            return text
        case _:
            raise AssertionError(part)


def one_more(state: State, old: Message, chunk: ParsedChunk) -> tuple[State, Message, str | None]:
    """Do what the engine and a printing subscriber do for an appended chunk."""
    new_state = step(state, chunk)
    new = finish(new_state)
    assert new != old
    assert not equal(new, old)  # the engine's comparison
    appended = growing(new.parts[-1]).appended_since(growing(old.parts[-1])) if new.parts else ""
    return new_state, new, appended


def count_calls(run: Callable[[], object]) -> int:
    calls = 0

    def profile(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    gc.disable()  # what is told of collections, or dies in one, is not called by the chunk
    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(None)
        gc.enable()
    return calls


def reachable(*roots: object) -> dict[int, object]:
    """Return every object that can be reached, but for classes, code and numbers."""
    found: dict[int, object] = {}
    waiting: list[object] = list(roots)
    while waiting:
        value = waiting.pop()
        skip = isinstance(value, (type, int, ModuleType)) or callable(value)
        if id(value) not in found and not skip:
            found[id(value)] = value
            waiting += gc.get_referents(value)
    return found


def work(state: State, delta: Callable[[int], Event]) -> Work:
    chunk = chunk_of(state.last_seq + 1, delta(state.last_seq + 1))
    old = finish(state)
    held = reachable(state, old, chunk)
    new_state, new, _ = one_more(state, old, chunk)
    fresh = [v for key, v in reachable(new_state, new).items() if key not in held]
    fresh_parts = [v for v in fresh if isinstance(v, Part)]
    texts = [growing(part) for part in new.parts]
    return Work(
        calls=count_calls(lambda: one_more(new_state, new, chunk_of(chunk.seq + 1, delta(0)))),
        objects=len(fresh),
        bytes_new=sum(map(sys.getsizeof, fresh)),
        parts=len(fresh_parts),
        copied_pieces=sum(text.copied_pieces for text in texts),
    )


@pytest.mark.parametrize("kind", STREAMS)
def test_one_more_chunk_costs_the_same_whatever_came_before(kind: str) -> None:
    short, middle, long = (work(*stream(kind, size)) for size in SIZES)
    assert short == middle == long
    assert (short.parts, short.copied_pieces) == (0 if kind == "unknown" else 1, 0)


@pytest.mark.parametrize("kind", STREAMS)
def test_no_chunk_needs_memory_that_grows_with_the_message(kind: str) -> None:
    state, delta = stream(kind, 20_000)
    old, peaks = finish(state), []
    tracemalloc.start()
    try:
        for n in range(20_010, 20_041):
            chunk = chunk_of(n, delta(n))
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            state, old, _ = one_more(state, old, chunk)
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    # The list of pieces grows in leaps; all other chunks must be cheap.
    assert sorted(peaks)[-2] < 6_000


def test_a_message_of_many_parts_pays_for_the_depth_of_its_trees_only() -> None:
    def calls(size: int) -> State:
        started = [{**CALL, "toolCallId": f"c{n}"} for n in range(size)]
        ended = [{"type": "TOOL_CALL_END", "toolCallId": f"c{n}"} for n in range(size)]
        return fold_of([event for pair in zip(started, ended, strict=True) for event in pair])

    # A leaf of the tree that is full is split: one call in eight pays for that, so the middle one of
    # many is what a call costs, whatever the hashes of the names are.
    def usual(state: State) -> Work:
        names = (f"next{n}" for n in range(15))
        done = [work(state, partial(call_named, name)) for name in names]
        return Work(*(statistics.median_low(column) for column in zip(*done, strict=True)))

    short, long = usual(calls(10)), usual(calls(10_000))
    assert (short.parts, long.parts) == (1, 1)
    assert long.calls <= 1.5 * short.calls
    assert long.objects <= short.objects + 20
    assert long.bytes_new <= short.bytes_new + 5_000


def test_a_replay_copies_the_pieces_before_the_edit_once() -> None:
    _, delta = STREAMS["text"]
    states = [EMPTY]
    for n in range(1_000):
        states.append(step(states[-1], chunk_of(n, delta(n))))
    state = states[500]
    for n in range(500, 1_000):
        state = step(state, chunk_of(n, delta(n + 1)))
    replayed, kept = finish(state), finish(states[-1])
    assert growing(replayed.parts[0]).copied_pieces == 500
    assert growing(kept.parts[0]).copied_pieces == 0
    assert kept.text == "".join(f"{n % 10}" for n in range(1_000))
    assert replayed.text == kept.text[:500] + "".join(f"{n % 10}" for n in range(501, 1_001))
