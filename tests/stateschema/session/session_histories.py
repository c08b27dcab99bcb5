"""Random histories of whole sessions: messages as in `histories`, and answers to what they ask."""

import json
from random import Random
from typing import Any

from tests.stateschema.session.histories import Action, Json, history

CALLS = ["c1", "c2", "c3"]
APPROVALS = ["ap-c1", "ap-c2", "ap-c3", "ap9", "ap-unknown"]
TIMES = [f"2026-01-15T10:00:{n:02}.000Z" for n in (0, 3, 3, 7, 20)]


def session_history(random: Random) -> list[Action]:
    """Return arrivals: chunks of messages, some of which ask several things, and control rows."""
    actions = [Action(op, _asking(random, row)) for op, row in history(random)]
    controls: list[Json] = []
    for n in range(random.randint(0, 6)):
        controls.append(_control(random, n))
        row = random.choice(controls)
        place = random.randint(0, len(actions))
        actions.insert(place, Action("put", controls[-1]))
        chance = random.random()
        if chance < 0.15:  # answers otherwise after all
            changed = {**row, "chunk": _control(random, 0)["chunk"]}
            actions.insert(random.randint(0, len(actions)), Action("put", changed))
        elif chance < 0.25:
            actions.insert(random.randint(0, len(actions)), Action("delete", row))
        elif chance < 0.3:  # is no answer any more
            actions.insert(random.randint(0, len(actions)), Action("put", {**row, "chunk": "{}"}))
    return actions


def _asking(random: Random, row: Json) -> Json:
    """Let approvals of different calls have different ids, and some chunks ask more than one thing."""
    if random.random() < 0.04:
        return {**row, "chunk": json.dumps(random.choice([_interrupts, _whole, _snapshot])())}
    try:
        event = json.loads(row["chunk"])
    except ValueError:
        return row
    if isinstance(event, dict) and event.get("name") == "approval-requested":
        event["value"]["approval"]["id"] = f"ap-{event['value']['toolCallId']}"
        return {**row, "chunk": json.dumps(event)}
    return row


def _interrupts() -> Json:
    asked = [
        {"id": f"ap-{call}", "reason": "approval_required", "toolCallId": call} for call in CALLS
    ]
    outcome = {"type": "interrupt", "interrupts": asked}
    return {"type": "RUN_FINISHED", "runId": "r1", "finishReason": "stop", "outcome": outcome}


def _whole() -> Json:
    parts: list[Any] = [
        {
            "type": "tool-call", "id": call, "name": "search", "arguments": "{}",
            "state": "approval-requested", "approval": {"id": f"ap-{call}", "needsApproval": True},
        }
        for call in CALLS
    ]  # fmt: skip
    message = {"id": "w", "role": "assistant", "parts": parts, "createdAt": TIMES[1]}
    return {"type": "whole-message", "message": message}


def _snapshot() -> Json:
    function = {"name": "search", "arguments": "{}"}
    calls = [{"id": call, "function": function} for call in CALLS]
    said = {"id": "u", "role": "user", "content": "hi"}
    message = {"id": "m", "role": "assistant", "content": "", "toolCalls": calls}
    return {"type": "MESSAGES_SNAPSHOT", "messages": [said, message]}


def _control(random: Random, n: int) -> Json:
    approved = random.choice([True, False])
    approval: Json = {"approvalId": random.choice(APPROVALS), "approved": approved}
    result: Json = {"toolCallId": random.choice(CALLS)}
    output: Json = random.choice([{"output": "warm"}, {"output": 7}, {"output": None}, {}])
    event = random.choice(
        [
            {"type": "approval-response", **approval},
            {"type": "approval-response", **approval},
            {"type": "tool-result", **result, **output},
            {"type": "tool-result", **result, **output, "error": random.choice(["denied", ""])},
            {"type": "approval-response", "approvalId": "ap-c1"},
        ]
    )
    message_id, seq = random.choice([(f"answer{n}", 0), ("msg0", 200 + n)])
    return {
        "id": f"{message_id}:{seq}", "messageId": message_id, "actorId": "ada",
        "role": random.choice(["user", "user", "user", "assistant"]),
        "chunk": json.dumps(event), "seq": seq, "createdAt": random.choice(TIMES),
    }  # fmt: skip
