"""Random chunk histories: what agents write, and what networks and bugs make of it."""

import json
from random import Random
from typing import Any, Literal, NamedTuple

Json = dict[str, Any]
TEXTS = ["a", "bc", " ", "", "\n", "é", "x y", "\ud83d", "\ude00"]
ARGUMENTS = ['{"a"', ":1}", "{}", "", "[1,", "2]", "nope", '"\ud83d', '\ude00"', "null"]
STRUCTURED = ['{"a"', ":[1", ",2", "]}"]
SECTIONS = ["m", "m", "m", "n"]


class Action(NamedTuple):
    """One arrival at a client: a row is written (again), or goes away."""

    op: Literal["put", "delete"]
    row: Json


def history(random: Random) -> list[Action]:
    """Return the arrivals of one to three messages, interleaved, some in the wrong order."""
    rows = [row for n in range(random.randint(1, 3)) for row in _rows(random, f"msg{n}")]
    if random.random() < 0.5:
        random.shuffle(rows)
    else:  # in order within a message, as a network mostly delivers
        order = sorted(random.sample(range(1000), len(rows)))
        queues: dict[str, list[Json]] = {}
        for row in rows:
            queues.setdefault(row["messageId"], []).append(row)
        rows = [queue.pop(0) for _ in order for queue in [random.choice(_waiting(queues))]]
    actions: list[Action] = []
    for row in rows:
        actions.append(Action("put", row))
        seen = random.choice(actions).row
        chance = random.random()
        if chance < 0.08:
            actions.append(Action("put", seen))
        elif chance < 0.16:
            actions.append(Action("put", {**seen, "chunk": _chunk(random)}))
        elif chance < 0.22:
            actions.append(Action("delete", seen))
    return actions


def _waiting(queues: dict[str, list[Json]]) -> list[list[Json]]:
    return [queue for queue in queues.values() if queue]


def _rows(random: Random, message_id: str) -> list[Json]:
    seqs = sorted(random.sample(range(100), random.randint(1, 16)))
    actor, role = random.choice([("kermit", "assistant"), ("ada", "user")])
    return [
        {
            "id": f"{message_id}:{seq}", "messageId": message_id, "actorId": actor, "role": role,
            "chunk": _first_chunk(random) if n == 0 else _chunk(random), "seq": seq,
            "createdAt": f"2026-01-15T10:00:{n:02}.000Z",
        }
        for n, seq in enumerate(seqs)
    ]  # fmt: skip


def _first_chunk(random: Random) -> str:
    if random.random() < 0.9:
        return _chunk(random)
    parts = [{"type": "text", "content": "hi"}, {"type": "image", "source": {"value": "u"}}]
    whole = {"id": "w", "role": "user", "parts": parts, "createdAt": "2026-01-15T09:00:00.000Z"}
    return json.dumps({"type": "whole-message", "message": whole})


def _chunk(random: Random) -> str:
    if random.random() < 0.03:
        return random.choice(["{", "", "null", "0", "[]", "[1]", '"text"', "42", "NaN"[:2]])
    kind = random.choice([_text, _text, _text, _tool, _tool, _run, _thought, _custom, _other])
    return json.dumps(kind(random))


def _text(random: Random) -> Json:
    start = {"type": "TEXT_MESSAGE_START", "role": random.choice(["assistant", "tool", "user"])}
    content = {"type": "TEXT_MESSAGE_CONTENT", "delta": random.choice(TEXTS)}
    structured = {"type": "TEXT_MESSAGE_CONTENT", "delta": random.choice(STRUCTURED)}
    event = random.choice([start, content, content, content, structured])
    return {**event, "messageId": random.choice(SECTIONS)}


def _tool(random: Random) -> Json:
    call = {"toolCallId": random.choice(["c1", "c2"])}
    start: Json = {"type": "TOOL_CALL_START", "toolCallName": "search"}
    content = random.choice(['{"ok":1}', "plain", "null", '{"error":"bad"}', "3"])
    return call | random.choice(
        [
            start,
            start | {"parentMessageId": random.choice(SECTIONS), "metadata": {"k": 1}},
            {"type": "TOOL_CALL_ARGS", "delta": random.choice(ARGUMENTS)},
            {"type": "TOOL_CALL_ARGS", "delta": random.choice(ARGUMENTS)},
            {"type": "TOOL_CALL_END"},
            {"type": "TOOL_CALL_END", "input": random.choice([{"z": "é"}, None, []])},
            {"type": "TOOL_CALL_RESULT", "content": content},
            {"type": "TOOL_CALL_RESULT", "content": content, "state": "output-error"},
        ]
    )


def _run(random: Random) -> Json:
    run = {"runId": random.choice(["r1", "r2"])}
    usage = random.choice([{"totalTokens": 3, "promptTokens": 2}, {"completion_tokens": 1}])
    interrupt = {"id": "ap9", "reason": "approval_required", "toolCallId": "c1"}
    outcome = {"type": "interrupt", "interrupts": [interrupt]}
    finished: Json = {"type": "RUN_FINISHED", "finishReason": "stop", "usage": usage}
    return random.choice(
        [
            run | {"type": "RUN_STARTED"},
            run | finished,
            run | finished | {"finishReason": "tool_calls"},
            run | finished | {"finishReason": "tool_calls", "outcome": outcome},
            run | {"type": "RUN_ERROR", "message": "boom"},
            {"type": "RUN_ERROR"},
        ]
    )


def _thought(random: Random) -> Json:
    delta, reasoning = random.choice(TEXTS), random.choice(["rs1", "rs2"])
    sealed = {"type": "REASONING_ENCRYPTED_VALUE", "encryptedValue": "sealed"}
    return random.choice(
        [
            {"type": "REASONING_MESSAGE_CONTENT", "messageId": reasoning, "delta": delta},
            {"type": "REASONING_MESSAGE_CONTENT", "messageId": reasoning, "delta": delta},
            {"type": "STEP_STARTED", "stepName": random.choice(["s1", "s2"])},
            {"type": "STEP_FINISHED", "stepId": "s1", "signature": random.choice(["sig", ""])},
            sealed | {"subtype": "message", "entityId": reasoning},
            sealed | {"subtype": "tool-call", "entityId": "c1"},
        ]
    )


def _custom(random: Random) -> Json:
    call_id, section = random.choice(["c1", "c2"]), random.choice(SECTIONS)
    values = {
        "approval-requested": {"toolCallId": call_id, "approval": {"id": "ap1"}},
        "ui-resource": {"toolCallId": call_id, "toolName": "t", "resource": {"uri": "ui://x"}},
        "structured-output.start": {"messageId": section},
        "structured-output.complete": {"messageId": section, "object": {"a": [1, 2]}},
        "something-else": {"x": 1},
    }
    name = random.choice(list(values))
    return {"type": "CUSTOM", "name": name, "value": values[name]}


def _other(random: Random) -> Json:
    function = {"name": "search", "arguments": random.choice(['{"q":1}', "bad"])}
    answer: Json = {"id": "m", "role": "assistant", "content": random.choice(["ans", ""])}
    answer["toolCalls"] = random.choice([[], [{"id": "c1", "function": function}]])
    messages = [{"id": "u", "role": "user", "content": "hi"}, answer]
    if random.random() < 0.5:
        result = {"id": "t", "role": "tool", "toolCallId": random.choice(["c1", "c2"])}
        messages.append(result | {"content": random.choice(['{"r":2}', "plain"])})
    kinds = ["done", "stop", "error", "message-start", "message-end", "STATE_DELTA", "unheard-of"]
    snapshot = {"type": "MESSAGES_SNAPSHOT", "messages": messages}
    return random.choice([snapshot, {"type": random.choice(kinds)}, {"type": random.choice(kinds)}])
