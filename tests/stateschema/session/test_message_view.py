"""Messages of a session through the engine: recorded traces, arrival orders, answers, user calls."""

import itertools
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dataflow.live.live import run
from stateschema.session import message_view
from stateschema.session.chunk import ParsedChunk, parse
from stateschema.session.fold import step
from stateschema.session.message_view import messages
from tests.stateschema.session.boards import Board, Json
from tests.stateschema.session.naive_session import naive_views

CASES = Path(__file__).parent / "cases"
TRACES = sorted([*CASES.glob("agui-*.json"), *CASES.glob("made-*.json")])

CALL: Json = {"toolCallId": "c1"}
START: Json = {"type": "TOOL_CALL_START", "toolCallName": "deploy", **CALL}
ARGS: Json = {"type": "TOOL_CALL_ARGS", "delta": '{"env":"prod"}', **CALL}
END: Json = {"type": "TOOL_CALL_END", **CALL}
ASK: Json = {
    "type": "CUSTOM", "name": "approval-requested", "value": {**CALL, "approval": {"id": "ap1"}},
}  # fmt: skip
FINISHED: Json = {"type": "RUN_FINISHED", "runId": "r"}
CALL_PART: Json = {
    "type": "tool-call", "id": "c1", "name": "deploy", "arguments": '{"env":"prod"}',
    "input": {"env": "prod"},
}  # fmt: skip


def row(key: str, event: Json, *, role: str = "assistant", at: str = "t0") -> Json:
    message_id, _, seq = key.rpartition(":")
    return {
        "id": key, "messageId": message_id, "actorId": "kermit", "role": role,
        "chunk": json.dumps(event), "seq": int(seq), "createdAt": at,
    }  # fmt: skip


def approve(key: str, approved: bool, *, target: str = "ap1", at: str = "t5") -> Json:
    event = {"type": "approval-response", "approvalId": target, "approved": approved}
    return row(key, event, role="user", at=at)


def deliver(key: str, output: Any, *, target: str = "c1", at: str = "t6") -> Json:
    event = {"type": "tool-result", "toolCallId": target, "output": output}
    return row(key, event, role="user", at=at)


ASKING = [row(f"m:{seq}", event) for seq, event in enumerate([START, ARGS, END, ASK, FINISHED])]
APPROVED: Json = {
    **CALL_PART, "state": "approval-responded",
    "approval": {"id": "ap1", "needsApproval": True, "approved": True},
}  # fmt: skip


def parts(board: Board) -> list[Json]:
    (message,) = board.shown()["messages"]
    found: list[Json] = message["parts"]
    return found


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_a_recorded_trace_shows_the_expected_messages_after_every_row(path: Path) -> None:
    trace = json.loads(path.read_text(encoding="utf-8"))
    wanted = trace.get("intended") or {"prefixes": trace["prefixes"], **trace["expected"]}
    states = {prefix["after"]: prefix["messages"] for prefix in wanted["prefixes"]}
    board = Board()
    for after, wire in enumerate(trace["rows"], start=1):
        board.put(wire)
        if after in states:
            assert board.shown()["messages"] == states[after]
    assert board.shown()["messages"] == wanted["final"]
    if "derived" in trace["expected"]:
        assert derived(board) == trace["expected"]["derived"]


def derived(board: Board) -> Json:
    """Return the views of messages in the form of the traces: ids of messages, a session of no id."""
    shown = board.shown()
    ids = {
        name: [message["id"] for message in shown[name]]
        for name in ("toolCalls", "toolResults", "pendingApprovals")
    }
    stats = {name: value for name, value in shown["sessionStats"].items() if name != "sessionId"}
    whole = {name: shown[name] for name in ("activeGenerations", "modelMessages")}
    return {**ids, **whole, "sessionStats": stats}


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_the_order_in_which_rows_arrive_does_not_matter(path: Path) -> None:
    trace = json.loads(path.read_text(encoding="utf-8"))
    wanted = trace.get("intended") or trace["expected"]
    rows = list({wire["id"]: wire for wire in trace["rows"]}.values())
    for seed in range(5):
        Random(seed).shuffle(rows)
        board = Board()
        for wire in rows:
            board.put(wire)
        assert board.shown()["messages"] == wanted["final"]


def test_rows_written_at_once_show_the_same() -> None:
    trace = json.loads((CASES / "made-tool-turns.json").read_text(encoding="utf-8"))
    board = Board()
    board.put(*trace["rows"])
    assert board.shown()["messages"] == trace["expected"]["final"]
    assert run(messages(board.collections.chunks)) == board.views.messages.rows()


ANSWERED = [*ASKING, approve("y:0", True), deliver("z:0", "done")]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3, len(ANSWERED)))))
def test_answers_settle_their_call_in_whatever_order_they_come(order: tuple[int, ...]) -> None:
    board = Board()
    board.put(*ANSWERED[:3])
    for n in order:
        board.put(ANSWERED[n])
    approval = {"id": "ap1", "needsApproval": True, "approved": True}
    assert parts(board) == [
        {**CALL_PART, "state": "complete", "approval": approval, "output": "done"},
        {"type": "tool-result", "toolCallId": "c1", "content": "done", "state": "complete"},
    ]
    shown = board.shown()
    assert (shown["pendingApprovals"], shown["activeGenerations"]) == ([], [])
    assert shown["sessionStats"]["messageCount"] == 1


def test_an_answer_before_its_request_waits_for_it() -> None:
    board = Board()
    board.put(approve("y:0", True))
    assert board.shown()["messages"] == []
    for asking in ASKING[:3]:
        board.put(asking)
    assert parts(board) == [{**CALL_PART, "state": "input-complete"}]
    board.put(ASKING[3])
    assert parts(board) == [APPROVED]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_of_several_answers_the_earliest_counts_in_any_order(order: tuple[int, ...]) -> None:
    answers = [
        approve("y:0", True, at="t1"),
        approve("z:0", False, at="t1"),
        approve("a:0", False, at="t2"),
    ]
    board = Board()
    board.put(*ASKING)
    for n in order:
        board.put(answers[n])
    assert parts(board) == [APPROVED]
    board.delete("y:0", "z:0")
    assert parts(board)[0]["approval"]["approved"] is False
    board.delete("a:0")
    assert [m["id"] for m in board.shown()["pendingApprovals"]] == ["m"]


def test_an_answer_to_something_unknown_changes_nothing() -> None:
    board = Board()
    board.put(*ASKING)
    before, seen = board.shown(), list[Any]()
    with board.views.messages.subscribe(seen.append):
        board.put(approve("y:0", True, target="ap2"))
        board.put(deliver("z:0", "done", target="c2"))
        board.put(row("w:0", {"type": "approval-response", "approvalId": "ap1"}, role="user"))
    assert (board.shown(), seen) == (before, [])


def test_an_agent_cannot_approve_its_own_call() -> None:
    event: Json = {"type": "approval-response", "approvalId": "ap1", "approved": True}
    board = Board()
    board.put(*ASKING, row("y:0", event, role="assistant"))
    shown = board.shown()
    assert [m["id"] for m in shown["pendingApprovals"]] == ["m"]
    assert [m["id"] for m in shown["messages"]] == ["m", "y"]


def test_an_answer_is_an_update_of_the_message_that_asked() -> None:
    board = Board()
    board.put(*ASKING)
    seen: list[list[Any]] = []
    with board.views.messages.subscribe(seen.append):
        board.put(approve("y:0", True))
    ((change,),) = seen
    assert (change.op, change.key) == ("update", "m")
    assert change.old is not None
    assert change.old.has_pending_approval
    assert change.value.to_json()["parts"] == [APPROVED]


def test_requests_made_at_once_are_answered_one_by_one() -> None:
    calls = [{**CALL_PART, "id": f"c{n}", "state": "approval-requested"} for n in (1, 2)]
    asked: list[Json] = [
        {**c, "approval": {"id": f"ap-{c['id']}", "needsApproval": True}} for c in calls
    ]
    whole = {"id": "m", "role": "assistant", "parts": asked, "createdAt": "t0"}
    board = Board()
    board.put(row("m:0", {"type": "whole-message", "message": whole}))
    board.put(approve("y:0", False, target="ap-c2"))
    denied = {**asked[1]["approval"], "approved": False}
    assert parts(board) == [
        asked[0],
        {**asked[1], "state": "approval-responded", "approval": denied},
    ]
    assert board.shown()["sessionStats"]["approvalCount"] == 1
    board.put(approve("z:0", True, target="ap-c1"))
    assert board.shown()["pendingApprovals"] == []


def test_what_two_messages_ask_for_is_answered_in_both() -> None:
    again = [row(f"n:{seq}", event, at="t1") for seq, event in enumerate([START, ARGS, END, ASK])]
    board = Board()
    board.put(*ASKING, *again, approve("y:0", True))
    assert [m["parts"] for m in board.shown()["messages"]] == [[APPROVED], [APPROVED]]


def test_two_whole_messages_of_one_inner_id_are_two_rows() -> None:
    whole = {"id": "same", "role": "user", "parts": [], "createdAt": "t0"}
    board = Board()
    for key in ("a:0", "b:0"):
        board.put(row(key, {"type": "whole-message", "message": whole}, role="user"))
    assert list(board.views.messages) == ["a", "b"]
    assert [m["id"] for m in board.shown()["messages"]] == ["same", "same"]


def test_an_unreadable_first_chunk_hides_no_other_message() -> None:
    board = Board()
    board.put({**row("a:0", {}), "chunk": "{oops"}, *ASKING)
    assert [m["id"] for m in board.shown()["messages"]] == ["a", "m"]
    assert board.shown()["messages"][0] == {"id": "a", "error": "first-chunk-unparsable"}
    assert board.shown()["modelMessages"] == [{"id": "m", "role": "assistant", "content": ""}]


def test_the_json_of_a_chunk_is_read_once_and_folded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    steps: list[str] = []

    def counting_parse(chunk: Any) -> ParsedChunk:
        read.append(chunk.id)
        return parse(chunk)

    def counting_step(state: Any, chunk: ParsedChunk) -> Any:
        steps.append(chunk.id)
        return step(state, chunk)

    monkeypatch.setattr(message_view, "parse", counting_parse)
    monkeypatch.setattr(message_view, "step", counting_step)
    board = Board()
    rows = [*ASKING, approve("y:0", True)]
    for wire in rows:
        board.put(wire)
    assert read == [wire["id"] for wire in rows]
    assert steps == [wire["id"] for wire in ASKING]
    assert board.shown()["messages"] == naive_views(rows)["messages"]
