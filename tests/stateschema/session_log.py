"""A small recorded session in wire form: two people, an agent, a tool that needs approval."""

import json
from collections.abc import Sequence
from typing import Any

WORDS = ["The", "harbour", "is", "calm", "today", "and", "the", "ferry", "leaves", "at", "noon"]


def chunk(
    message_id: str, seq: int, event: dict[str, Any], *, actor: str, role: str = "assistant"
) -> dict[str, Any]:
    value = {
        "messageId": message_id,
        "actorId": actor,
        "role": role,
        "chunk": json.dumps(event),
        "seq": seq,
        "createdAt": f"2026-01-01T10:{message_id[-1]}0:{seq:02}Z",
    }
    key = f"{message_id}:{seq}"
    return {"type": "chunk", "key": key, "value": value, "headers": {"operation": "insert"}}


def said(message_id: str, text: str, *, actor: str) -> dict[str, Any]:
    whole = {
        "id": message_id,
        "role": "user",
        "parts": [{"type": "text", "content": text}],
        "createdAt": f"2026-01-01T10:{message_id[-1]}0:00Z",
    }
    event = {"type": "whole-message", "message": whole}
    return chunk(message_id, 0, event, actor=actor, role="user")


def device(actor: str, status: str, *, kind: str = "user") -> dict[str, Any]:
    value = {
        "actorId": actor,
        "deviceId": "d",
        "actorType": kind,
        "name": actor.title(),
        "status": status,
        "lastSeenAt": "2026-01-01T10:00:00Z",
    }
    headers = {"operation": "upsert"}
    return {"type": "presence", "key": f"{actor}:d", "value": value, "headers": headers}


def answer() -> list[dict[str, Any]]:
    """An answer of the agent: words, a tool call that asks for approval, the approval, the end."""
    call = {"toolCallId": "c1", "toolCallName": "book_ferry"}
    approval = {"toolCallId": "c1", "toolName": "book_ferry", "input": {"to": "Oslo"}}
    events: list[dict[str, Any]] = [
        {"type": "RUN_STARTED", "runId": "r", "threadId": "t"},
        {"type": "TEXT_MESSAGE_START", "messageId": "m2", "role": "assistant"},
        *(
            {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m2", "delta": f"{word} "}
            for word in WORDS
        ),
        {"type": "TEXT_MESSAGE_END", "messageId": "m2"},
        {"type": "TOOL_CALL_START", **call},
        {"type": "TOOL_CALL_ARGS", "toolCallId": "c1", "delta": '{"to": '},
        {"type": "TOOL_CALL_ARGS", "toolCallId": "c1", "delta": '"Oslo"}'},
        {"type": "TOOL_CALL_END", "toolCallId": "c1"},
        {
            "type": "CUSTOM",
            "name": "approval-requested",
            "value": {**approval, "approval": {"id": "a1", "needsApproval": True}},
        },
        {"type": "RUN_FINISHED", "runId": "r", "threadId": "t", "finishReason": "stop"},
    ]
    return [chunk("m2", seq, event, actor="guide") for seq, event in enumerate(events)]


def session() -> list[dict[str, Any]]:
    """The events of the session, in order."""
    approve = {"type": "approval-response", "approvalId": "a1", "approved": True}
    return [
        device("ada", "online"),
        device("guide", "online", kind="agent"),
        said("m1", "When does the ferry leave?", actor="ada"),
        *answer(),
        device("bob", "online"),
        chunk("m3", 0, approve, actor="bob", role="user"),
        device("bob", "offline"),
        said("m4", "Thank you", actor="ada"),
    ]


def lines(events: Sequence[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(event)}\n" for event in events)
