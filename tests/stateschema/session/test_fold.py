"""The message fold: recorded traces, and agreement with the slow oracle on random histories."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from stateschema.session.fold import EMPTY, finish, materialize
from stateschema.session.parts import TextPart, ThinkingPart, ToolCallPart
from stateschema.session.text import Text
from tests.stateschema.session.histories import history
from tests.stateschema.session.naive import naive_message, naive_usage
from tests.stateschema.session.replay import Replay

CASES = Path(__file__).parent / "cases"
TRACES = sorted([*CASES.glob("agui-*.json"), *CASES.glob("made-*.json")])
Json = dict[str, Any]


def wire_messages(replays: dict[str, Replay]) -> list[Json]:
    full = [replay for replay in replays.values() if replay.chunks]
    full.sort(key=lambda replay: min(chunk.created_at for chunk in replay.chunks))
    return [replay.message().to_json() for replay in full]


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_a_recorded_trace_gives_the_expected_messages_after_every_row(path: Path) -> None:
    trace = json.loads(path.read_text(encoding="utf-8"))
    wanted = trace.get("intended") or {"prefixes": trace["prefixes"], **trace["expected"]}
    states = {prefix["after"]: prefix["messages"] for prefix in wanted["prefixes"]}
    replays: dict[str, Replay] = {}
    for after, row in enumerate(trace["rows"], start=1):
        replays.setdefault(row["messageId"], Replay()).put(row)
        if after in states:
            assert wire_messages(replays) == states[after]
    assert wire_messages(replays) == wanted["final"]


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_the_order_in_which_rows_arrive_does_not_matter(path: Path) -> None:
    trace = json.loads(path.read_text(encoding="utf-8"))
    replays: dict[str, Replay] = {}
    for row in reversed(list({row["id"]: row for row in trace["rows"]}.values())):
        replays.setdefault(row["messageId"], Replay()).put(row)
    wanted = trace.get("intended") or trace["expected"]
    assert wire_messages(replays) == wanted["final"]


def check_history(seed: int) -> None:
    """Compare fold and oracle after every arrival of one history."""
    rows: dict[str, dict[str, Json]] = {}
    replays: dict[str, Replay] = {}
    for op, row in history(Random(seed)):
        message_id = row["messageId"]
        replay, group = replays.setdefault(message_id, Replay()), rows.setdefault(message_id, {})
        if op == "put":
            group[row["id"]] = row
            replay.put(row)
        else:
            group.pop(row["id"], None)
            replay.delete(row)
        if group:
            check_message(replay, list(group.values()))


def without_partials(message: Json) -> Json:
    for part in message.get("parts", []):
        if part["type"] == "structured-output" and part["status"] != "complete":
            part.pop("partial", None)
    return message


def check_message(replay: Replay, rows: list[Json]) -> None:
    message, wanted = replay.message(), naive_message(rows)
    assert without_partials(message.to_json()) == wanted
    assert tuple(message.usage) == naive_usage(rows)
    newest = max(rows, key=lambda row: (row["seq"], row["id"]))
    assert (message.last_seq, message.last_chunk_at) == (newest["seq"], newest["createdAt"])
    parts = wanted.get("parts", [])
    calls = [part for part in parts if part["type"] == "tool-call"]
    pending = [call["id"] for call in calls if "approval" in call]
    assert message.text == "".join(p["content"] for p in parts if p["type"] == "text")
    assert message.has_tool_result == any(part["type"] == "tool-result" for part in parts)
    assert message.has_tool_call == bool(calls)
    assert [call.id for call in message.pending_approvals()] == pending
    assert message.has_pending_approval == bool(pending)
    for call in calls:
        found = message.tool_call(call["id"])
        assert found is not None
        assert found.to_json() == call
    for part in message.parts:
        match part:
            case TextPart(content=text) | ThinkingPart(content=text) | ToolCallPart(arguments=text):
                text._check()
            case _:
                pass
    message.parts._check()


def test_the_fold_agrees_with_the_oracle_on_random_histories() -> None:
    for seed in range(400):
        check_history(seed)


@pytest.mark.soak
def test_the_fold_agrees_with_the_oracle_on_ten_thousand_histories() -> None:
    for seed in range(1_000, 11_000):
        check_history(seed)


def test_a_section_that_was_renamed_is_not_found_under_its_old_name() -> None:
    messages = [{"id": "m", "role": "assistant", "content": ""}]
    events: list[Json] = [
        {"type": "MESSAGES_SNAPSHOT", "messages": messages},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "n", "delta": "one"},
        {"type": "TEXT_MESSAGE_START", "messageId": "m", "role": "assistant"},
        {"type": "TEXT_MESSAGE_START", "messageId": "n", "role": "assistant"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "n", "delta": "two"},
    ]
    replay = Replay()
    for seq, event in enumerate(events):
        replay.put(row(seq, event))
    parts = replay.message().to_json()["parts"]
    assert [part["content"] for part in parts] == ["one", "two"]


def test_growing_text_hands_out_what_was_appended() -> None:
    trace = json.loads((CASES / "made-split-surrogates.json").read_text(encoding="utf-8"))
    replay, printed, shown = Replay(), "", Text()
    for row in trace["rows"]:
        replay.put(row)
        content = [p.content for p in replay.message().parts if isinstance(p, TextPart)]
        if content:
            printed += content[0].appended_since(shown) or ""
            shown = content[0]
    assert printed == "\U0001f600 ok \U0001f44b"


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"type": "RUN_ERROR", "message": "boom"}, "boom"),
        ({"type": "RUN_ERROR", "error": {"message": "deep"}}, "deep"),
        ({"type": "error", "error": "503"}, "503"),
        ({"type": "error"}, "An error occurred"),
        ({"type": "stop", "reason": "aborted"}, None),
    ],
)
def test_the_text_of_an_error_is_kept_although_no_part_shows_it(event: Json, error: str) -> None:
    replay = Replay()
    replay.put(row(0, event))
    message = replay.message()
    assert (message.error, message.is_complete, list(message.parts)) == (error, True, [])


def test_an_unreadable_first_chunk_is_an_error_and_stays_one() -> None:
    replay = Replay()
    replay.put({**row(0, {}), "chunk": "{oops"})
    replay.put(row(1, {"type": "TEXT_MESSAGE_CONTENT", "delta": "lost", "usage": {}}))
    message = replay.message()
    assert message.to_json() == {"id": "m", "error": "first-chunk-unparsable"}
    assert (message.readable, message.is_complete) == (False, True)


def test_a_fold_that_saw_no_chunk_has_no_message() -> None:
    with pytest.raises(ValueError, match="message fold has seen no chunk"):
        finish(EMPTY)
    with pytest.raises(ValueError, match="message fold has seen no chunk"):
        materialize([])


def test_equal_chunks_give_equal_messages_without_sharing() -> None:
    trace = json.loads((CASES / "made-tool-turns.json").read_text(encoding="utf-8"))
    one, other = Replay(), Replay()
    for wire in trace["rows"]:
        one.put(wire)
        other.put(wire)
    assert one.message() == other.message()
    other.put(row(99, {"type": "unknown"}))
    assert one.message() != other.message()


def row(seq: int, event: Json) -> Json:
    return {
        "id": f"m:{seq}", "messageId": "m", "actorId": "kermit", "role": "assistant",
        "chunk": json.dumps(event), "seq": seq, "createdAt": "2026-01-15T10:00:00.000Z",
    }  # fmt: skip
