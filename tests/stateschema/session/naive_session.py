"""What a session shows, computed anew from all its chunk rows: the oracle of the views.

Rows are dicts in wire form. Nothing is kept, joined or counted on the way: every question is a loop
over everything. It shares no code with the package; messages come from `naive`.
"""

from typing import Any

from tests.stateschema.session.naive import Json, loads, naive_message, naive_usage

CONTROL = ("approval-response", "tool-result")


def naive_views(rows: list[Json]) -> Json:
    """Return every view of messages, by wire name, as JSON."""
    controls = [row for row in rows if is_control(row)]
    groups: dict[str, list[Json]] = {}
    for row in rows:
        if not is_control(row):
            groups.setdefault(row["messageId"], []).append(row)
    messages = [naive_answered(group, controls) for group in groups.values()]
    messages.sort(key=lambda message: (message["startedAt"], message["key"]))
    by_creation = sorted(messages, key=lambda message: (message["createdAt"], message["key"]))
    pending = [m for m in by_creation if count_pending(m)]
    latest = sorted(pending, key=lambda message: message["createdAt"], reverse=True)  # stable
    running = [m for m in by_creation if not m["isComplete"]]
    return {
        "messages": [m["json"] for m in messages],
        "toolCalls": [m["json"] for m in by_creation if parts_of(m, "tool-call")],
        "toolResults": [m["json"] for m in by_creation if parts_of(m, "tool-result")],
        "pendingApprovals": [m["json"] for m in pending],
        "latestApprovals": [m["json"] for m in latest[:3]],
        "activeGenerations": [
            {
                "messageId": m["json"]["id"], "actorId": m["json"]["actorId"],
                "startedAt": m["createdAt"], "lastChunkSeq": m["last"]["seq"],
                "lastChunkAt": m["last"]["createdAt"],
            }
            for m in running
        ],
        "modelMessages": [
            {"id": m["json"]["id"], "role": m["role"], "content": text_of(m)}
            for m in by_creation
            if m["isComplete"] and "error" not in m["json"]
        ],
        "sessionStats": naive_stats(messages),
    }  # fmt: skip


def naive_stats(messages: list[Json]) -> Json:
    total, prompt, completion = (sum(m["usage"][n] for m in messages) for n in range(3))
    created = [m["createdAt"] for m in messages]
    return {
        "sessionId": "s1",
        "messageCount": len(messages),
        "userMessageCount": sum(m["role"] == "user" for m in messages),
        "assistantMessageCount": sum(m["role"] == "assistant" for m in messages),
        "toolCallCount": sum(len(parts_of(m, "tool-call")) for m in messages),
        "approvalCount": sum(count_pending(m) for m in messages),
        "totalTokens": total,
        "promptTokens": prompt,
        "completionTokens": completion,
        "activeGenerationCount": sum(not m["isComplete"] for m in messages),
        "firstMessageAt": min(created, default=None),
        "lastMessageAt": max(created, default=None),
    }


def naive_answered(group: list[Json], controls: list[Json]) -> Json:
    """Return a message with its answers, and beside it what its wire form may leave out."""
    ordered = sorted(group, key=lambda row: (row["seq"], row["id"]))
    json = naive_message(group)
    answered: set[tuple[Any, Any, Any]] = set()
    for control in sorted(controls, key=lambda row: (row["createdAt"], row["id"])):
        event = loads(control["chunk"])
        target = (event["type"], event.get("approvalId"), event.get("toolCallId"))
        if is_answer(event) and target not in answered:
            answered.add(target)
            answer(json.get("parts", []), event)
    return {
        "key": ordered[0]["messageId"],
        "json": json,
        "role": json.get("role", ordered[0]["role"]),
        "isComplete": json.get("isComplete", True),
        "startedAt": min(row["createdAt"] for row in group),
        "createdAt": json.get("createdAt", ordered[0]["createdAt"]),
        "last": ordered[-1],
        "usage": naive_usage(group),
    }


def answer(parts: list[Json], event: Json) -> None:
    """Change the parts of a message to what they are after an answer."""
    calls = [part for part in parts if part["type"] == "tool-call"]
    if event["type"] == "approval-response":
        for call in calls:
            approval = call.get("approval", {})
            if approval.get("id") == event["approvalId"] and "approved" not in approval:
                call["approval"] = {**approval, "approved": event["approved"]}
                if call["state"] not in ("complete", "error"):
                    call["state"] = "approval-responded"
        return
    called = [call for call in calls if call["id"] == event["toolCallId"]]
    if not called or "output" in called[0] or called[0]["state"] in ("complete", "error"):
        return
    call = called[0]
    error = event.get("error")
    call["state"] = "error" if error else "complete"
    result = {"type": "tool-result", "toolCallId": call["id"], "state": call["state"]}
    if "output" in event:
        call["output"] = event["output"]
        result["content"] = as_text(event["output"])
    if error:
        call["output"] = {"error": error}
        result["error"] = error
    known = [p for p in parts if p["type"] == "tool-result" and p["toolCallId"] == call["id"]]
    if known:
        known[0].clear()
        known[0] |= result
    else:
        parts.append(result)


def as_text(output: Any) -> Any:
    """Return an output as text; histories use only values whose JSON text is easy to say."""
    return output if isinstance(output, str) else {None: "null", 7: "7"}[output]


def is_control(row: Json) -> bool:
    event = loads(row["chunk"])
    return row["role"] == "user" and isinstance(event, dict) and event.get("type") in CONTROL


def is_answer(event: Json) -> bool:
    if event["type"] == "approval-response":
        return "approvalId" in event and event.get("approved") in (True, False)
    return "toolCallId" in event


def parts_of(message: Json, kind: str) -> list[Json]:
    return [part for part in message["json"].get("parts", []) if part["type"] == kind]


def count_pending(message: Json) -> int:
    approvals = [call.get("approval") for call in parts_of(message, "tool-call")]
    return sum(a is not None and a["needsApproval"] and "approved" not in a for a in approvals)


def text_of(message: Json) -> str:
    return "".join(part["content"] for part in parts_of(message, "text"))
