"""Control rows, what chunks ask for, and answers folded into the call that asked."""

import itertools
import json
from typing import Any

import pytest

from stateschema.session.answers import apply_answers
from stateschema.session.chunk import ParsedChunk, parse
from stateschema.session.control import Answer, Target, control_of, is_control, requests_of
from stateschema.session.fold import materialize
from stateschema.session.message import Message
from tests.stateschema.session.replay import Row

Event = dict[str, Any]
START = {"type": "TOOL_CALL_START", "toolCallId": "c1", "toolCallName": "deploy"}
ARGS = {"type": "TOOL_CALL_ARGS", "toolCallId": "c1", "delta": '{"env":"prod"}'}
END = {"type": "TOOL_CALL_END", "toolCallId": "c1"}
ASK = {
    "type": "CUSTOM",
    "name": "approval-requested",
    "value": {"toolCallId": "c1", "approval": {"id": "ap1", "needsApproval": True}},
}
RESULT = {"type": "TOOL_CALL_RESULT", "toolCallId": "c1", "content": '{"ok":1}'}
FINISHED = {"type": "RUN_FINISHED", "runId": "r", "finishReason": "stop"}
CALL = {
    "type": "tool-call", "id": "c1", "name": "deploy", "arguments": '{"env":"prod"}',
    "input": {"env": "prod"}, "state": "input-complete",
}  # fmt: skip
ASKED = {"id": "ap1", "needsApproval": True}


def chunk(event: Event, *, role: str = "user", seq: int = 0, at: str = "t1") -> ParsedChunk:
    return parse(Row(f"m:{seq}", "m", "ada", role, json.dumps(event), seq, at))


def message(*events: Event) -> Message:
    return materialize(chunk(event, role="assistant", seq=n) for n, event in enumerate(events))


def approval(*, approved: bool, at: str = "t1", row_id: str = "x:0", target: str = "ap1") -> Answer:
    return Answer(
        target=Target("approval", target), row_id=row_id, created_at=at, actor_id="ada",
        approved=approved,
    )  # fmt: skip


def result(output: Any, *, at: str = "t1", row_id: str = "y:0", error: str | None = None) -> Answer:
    return Answer(
        target=Target("tool-call", "c1"), row_id=row_id, created_at=at, actor_id="ada",
        output=output, error=error,
    )  # fmt: skip


def wire(answered: Message) -> list[Any]:
    parts: list[Any] = answered.to_json()["parts"]
    return parts


def test_control_rows_are_read_as_answers() -> None:
    approve = chunk({"type": "approval-response", "approvalId": "ap1", "approved": False})
    deliver = chunk({"type": "tool-result", "toolCallId": "c1", "output": [1], "error": None})
    assert control_of(approve) == approval(approved=False, row_id="m:0")
    assert control_of(deliver) == result([1], row_id="m:0")
    assert is_control(approve)
    assert is_control(deliver)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "approval-response", "approved": True},
        {"type": "approval-response", "approvalId": "ap1", "approved": "yes"},
        {"type": "tool-result", "output": 1},
    ],
)
def test_a_control_row_that_cannot_be_read_is_no_answer_and_no_message(event: Event) -> None:
    assert is_control(chunk(event))
    assert control_of(chunk(event)) is None


@pytest.mark.parametrize(
    "other",
    [
        chunk(
            {"type": "approval-response", "approvalId": "ap1", "approved": True}, role="assistant"
        ),
        chunk({"type": "whole-message", "message": {}}),
        parse(Row("m:0", "m", "ada", "user", "{", 0, "t1")),
    ],
)
def test_other_rows_are_no_control_rows(other: ParsedChunk) -> None:
    assert not is_control(other)
    assert control_of(other) is None


@pytest.mark.parametrize(
    ("event", "requests"),
    [
        (START, [("tool-call", "c1")]),
        (ASK, [("approval", "ap1")]),
        (
            {
                **FINISHED,
                "outcome": {
                    "type": "interrupt",
                    "interrupts": [
                        {"id": "i1", "reason": "approval_required", "toolCallId": "c1"},
                        {"id": "i2", "metadata": {"kind": "approval"}, "toolCallId": "c2"},
                        {"id": "i3", "reason": "client_tool_input", "toolCallId": "c3"},
                    ],
                },
            },
            [("approval", "i1"), ("approval", "i2")],
        ),
        (
            {"type": "whole-message", "message": {"parts": [{**CALL, "approval": ASKED}]}},
            [("tool-call", "c1"), ("approval", "ap1")],
        ),
        (
            {"type": "MESSAGES_SNAPSHOT", "messages": [{"toolCalls": [{"id": "c9"}]}, {}, 3]},
            [("tool-call", "c9")],
        ),
        (ARGS, []),
        (FINISHED, []),
        ({"type": "CUSTOM", "name": "approval-requested", "value": {}}, []),
        ({"type": "MESSAGES_SNAPSHOT"}, []),
    ],
)
def test_requests_of_says_what_can_be_answered(event: Event, requests: list[Any]) -> None:
    assert requests_of(chunk(event, role="assistant")) == tuple(requests)


def test_no_answers_are_the_message_itself() -> None:
    asked = message(START, ARGS, END, ASK)
    assert apply_answers(asked, []) is asked


@pytest.mark.parametrize("approved", [True, False])
def test_an_approval_settles(approved: bool) -> None:
    asked = message(START, ARGS, END, ASK)
    answered = apply_answers(asked, [approval(approved=approved)])
    settled = {**CALL, "state": "approval-responded", "approval": {**ASKED, "approved": approved}}
    assert wire(answered) == [settled]
    assert (asked.has_pending_approval, answered.has_pending_approval) == (True, False)
    assert answered.pending_approvals() == []


def test_an_approval_after_the_result_leaves_the_state_alone() -> None:
    answered = apply_answers(message(START, ARGS, END, ASK, RESULT), [approval(approved=True)])
    assert wire(answered)[0] == {
        **CALL, "state": "complete", "output": {"ok": 1}, "approval": {**ASKED, "approved": True},
    }  # fmt: skip


def test_a_result_completes_the_call_and_adds_a_part() -> None:
    answered = apply_answers(message(START, ARGS, END), [result({"t": "warm é"})])
    assert wire(answered) == [
        {**CALL, "state": "complete", "output": {"t": "warm é"}},
        {
            "type": "tool-result", "toolCallId": "c1", "content": '{"t":"warm é"}',
            "state": "complete",
        },
    ]  # fmt: skip
    assert answered.has_tool_result


def test_a_text_result_stays_text() -> None:
    answered = apply_answers(message(START, ARGS, END), [result("42")])
    assert wire(answered) == [
        {**CALL, "state": "complete", "output": "42"},
        {"type": "tool-result", "toolCallId": "c1", "content": "42", "state": "complete"},
    ]


def test_a_failed_tool_gives_an_error_result() -> None:
    answered = apply_answers(message(START, ARGS, END), [result(None, error="denied")])
    assert wire(answered) == [
        {**CALL, "state": "error", "output": {"error": "denied"}},
        {
            "type": "tool-result", "toolCallId": "c1", "content": "null", "state": "error",
            "error": "denied",
        },
    ]  # fmt: skip


def test_a_result_of_the_stream_stands() -> None:
    done = message(START, ARGS, END, RESULT)
    assert apply_answers(done, [result("other")]) is done


def test_answered_twice_the_first_answer_counts_in_any_order() -> None:
    asked = message(START, ARGS, END, ASK)
    answers = [
        approval(approved=False, at="t2", row_id="a:0"),
        approval(approved=True, at="t1", row_id="c:0"),
        approval(approved=False, at="t1", row_id="d:0"),
        result("late", at="t2"),
        result("soon", at="t1"),
    ]
    expected = [
        {**CALL, "state": "complete", "output": "soon", "approval": {**ASKED, "approved": True}},
        {"type": "tool-result", "toolCallId": "c1", "content": "soon", "state": "complete"},
    ]
    for order in itertools.permutations(answers):
        assert wire(apply_answers(asked, order)) == expected


def test_an_answer_to_something_unknown_has_no_effect() -> None:
    asked = message(START, ARGS, END, ASK)
    assert apply_answers(asked, [approval(approved=True, target="ap2")]) is asked
    unread = parse(Row("m:0", "m", "ada", "user", "{", 0, "t1"))
    broken = materialize([unread])
    assert apply_answers(broken, [approval(approved=True)]) is broken


def test_an_early_answer_takes_effect_once_the_request_is_there() -> None:
    answers = [approval(approved=True)]
    early = message(START, ARGS, END)
    assert apply_answers(early, answers) is early
    assert wire(apply_answers(message(START, ARGS, END, ASK), answers)) == [
        {**CALL, "state": "approval-responded", "approval": {**ASKED, "approved": True}}
    ]


def test_an_answer_to_an_approval_that_was_asked_anew_under_another_id_is_void() -> None:
    again = {**ASK, "value": {"toolCallId": "c1", "approval": {"id": "ap2"}}}
    asked = message(START, ARGS, END, ASK, again)
    assert apply_answers(asked, [approval(approved=True)]) is asked
    assert apply_answers(asked, [approval(approved=True, target="ap2")]) is not asked


def test_answers_reach_the_calls_of_whole_messages() -> None:
    parts = [{"type": "text", "content": "?"}, {**CALL, "approval": ASKED}]
    whole = message({"type": "whole-message", "message": {"id": "w", "parts": parts}})
    answered = apply_answers(whole, [approval(approved=True)])
    settled = {**CALL, "state": "approval-responded", "approval": {**ASKED, "approved": True}}
    assert wire(answered) == [parts[0], settled]
    assert (whole.id, answered.is_complete) == ("w", True)
