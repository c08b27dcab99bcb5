"""The message of a list of chunk rows, computed the slow and obvious way.

The oracle of the fold: every call sorts all rows and replays them with plain dicts, lists and
`str +=`. It shares no code with the package. Parts are kept per section and joined at the end;
whatever is looked for is searched for. The readable value of
unfinished JSON (`partial`) is left out: it depends on the raw text alone and is tested as such.
"""

import json
from typing import Any

Json = dict[str, Any]
COMPLETING = ["done", "RUN_FINISHED", "RUN_ERROR", "error", "stop", "message-end"]
NOTHING = object()


def naive_message(rows: list[Json]) -> Json:
    """Return the wire form of the message that `rows` (dicts in wire form) make up."""
    rows = sorted(rows, key=lambda row: (row["seq"], row["id"]))
    first = rows[0]
    event = loads(first["chunk"])
    if event is NOTHING or event in (None, 0, "", False):
        return {"id": first["messageId"], "error": "first-chunk-unparsable"}
    head = {"id": first["messageId"], "role": first["role"], "actorId": first["actorId"]}
    if isinstance(event, dict) and event.get("type") == "whole-message":
        whole = event["message"]
        head |= {"id": whole.get("id", head["id"]), "role": whole.get("role", head["role"])}
        created = whole.get("createdAt", first["createdAt"])
        return {**head, "parts": whole["parts"], "isComplete": True, "createdAt": created}
    player, complete = Player(), False
    for row in rows:
        event = loads(row["chunk"])
        if isinstance(event, dict):
            player.play(event)
            complete = complete or event.get("type") in COMPLETING
    if complete:
        player.finalize()
    parts = [fixed(part) for section in player.sections for part in section["parts"]]
    return {**head, "parts": parts, "isComplete": complete, "createdAt": first["createdAt"]}


def naive_usage(rows: list[Json]) -> tuple[int, int, int]:
    totals = [0, 0, 0]
    for row in rows:
        event = loads(row["chunk"])
        usage = event.get("usage") if isinstance(event, dict) else None
        for n, names in enumerate(
            [
                ("totalTokens", "total_tokens"),
                ("promptTokens", "prompt_tokens"),
                ("completionTokens", "completion_tokens"),
            ]
        ):
            found = [usage[name] for name in names if name in usage] if usage else []
            totals[n] += found[0] if found else 0
    return (totals[0], totals[1], totals[2])


def loads(text: Any) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError):
        return NOTHING


def fixed(value: Any) -> Any:
    """Join split surrogate pairs in every string."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    if isinstance(value, dict):
        return {k: fixed(v) for k, v in value.items() if k != "hidden"}
    return [fixed(v) for v in value] if isinstance(value, list) else value


class Player:
    def __init__(self) -> None:
        self.sections: list[Json] = []
        self.active: list[Json] = []
        self.begun: list[Json] = []  # sections whose stream began, in that order
        self.runs: set[Any] = set()
        self.structured: list[Json] = []
        self.unnamed: Json | None = None
        self.waiting_step: str | None = None
        self.failed = False
        self.started: list[str] = []
        self.done: set[str] = set()
        self.streaming: set[str] = set()
        self.owner: dict[str, Json] = {}
        self.unnamed = self.open(None, "assistant")

    def play(self, event: Json) -> None:
        handler = getattr(self, "on_" + str(event.get("type", "")).lower(), None)
        if handler:
            handler(event)

    # sections

    def open(self, section_id: str | None, role: str, *, live: bool = True) -> Json:
        section: Json = {
            "id": section_id, "role": role, "parts": [], "live": live, "dropped": False,
            "text": "", "called": False, "step": None, "steps": {},
        }  # fmt: skip
        self.sections.append(section)
        if live:
            self.begun.append(section)
            self.use(section)
        return section

    def use(self, section: Json) -> None:
        if not any(section is other for other in self.active):
            self.active.append(section)

    def in_use(self) -> Json | None:
        streams = [s for s in self.active if s["role"] == "assistant"]
        streams = streams or [s for s in self.begun if s["role"] == "assistant"]
        return streams[-1] if streams else None

    def by_id(self, section_id: str | None) -> Json | None:
        found = [s for s in self.sections if s["id"] == section_id and section_id is not None]
        return found[-1] if found else None

    def ensure(self, section_id: str | None) -> Json:
        known, current = self.by_id(section_id), self.in_use()
        if known is not None and known["live"]:
            found = known
        elif current is not None:
            found = current
        elif known is not None:
            found = known
            found["live"] = True
            self.begun.append(found)
            last = found["parts"][-1] if found["parts"] else {}
            found["text"] = last["content"] if last.get("type") == "text" else ""
        else:
            found = self.unnamed = self.open(section_id, "assistant")
        self.use(found)
        return found

    def push(self, section: Json, part: Json) -> None:
        if not section["dropped"]:
            section["parts"].append(part)

    def all_parts(self) -> list[Json]:
        return [part for section in self.sections for part in section["parts"]]

    def call(self, call_id: Any) -> Json | None:
        calls = [p for p in self.all_parts() if p["type"] == "tool-call" and p["id"] == call_id]
        return calls[0] if calls else None

    # text

    def on_text_message_start(self, event: Json) -> None:
        role = event["role"] if event.get("role") in ("user", "system") else "assistant"
        known = self.by_id(event["messageId"])
        if self.unnamed is not None:
            known, self.unnamed = self.unnamed, None
            if known["id"] != event["messageId"]:
                for other in self.sections:
                    if other["id"] == event["messageId"]:
                        other["id"] = None
            known["id"] = event["messageId"]
        elif known is None or known["dropped"]:
            self.open(event["messageId"], role)
            return
        elif not known["live"]:
            known |= {"live": True, "role": role}
            self.begun.append(known)
        self.use(known)
        if known["called"]:
            known |= {"text": "", "called": False}

    def on_text_message_content(self, event: Json) -> None:
        section, delta = self.ensure(event.get("messageId")), event.get("delta", "")
        if any(section is other for other in self.structured):
            if delta:
                self.grow_structured(section, delta)
            return
        if section["called"]:
            section |= {"text": "", "called": False}
        if not delta:
            return
        section["text"] += delta
        parts = section["parts"]
        if parts and parts[-1]["type"] == "text":
            parts[-1]["content"] = section["text"]
        else:
            self.push(section, {"type": "text", "content": section["text"]})

    # tools

    def on_tool_call_start(self, event: Json) -> None:
        section, call_id = self.ensure(event.get("parentMessageId")), event["toolCallId"]
        section["called"] = True
        old = self.call(call_id)
        if call_id in self.started and old is not None:
            return
        self.started.append(call_id)
        self.done.discard(call_id)
        self.streaming.discard(call_id)
        self.owner[call_id] = section
        new = {
            "type": "tool-call", "id": call_id, "name": event["toolCallName"], "arguments": "",
            "state": "awaiting-input",
        }  # fmt: skip
        if "metadata" in event:
            new["metadata"] = event["metadata"]
        if old is None:
            self.push(section, new)
        else:
            old |= new

    def on_tool_call_args(self, event: Json) -> None:
        call = self.call(event["toolCallId"])
        if call is None or call["id"] not in self.started:
            return
        call["arguments"] += event.get("delta", "")
        if call["arguments"] and call["id"] not in self.done and event.get("delta"):
            self.streaming.add(call["id"])
        call["state"] = "awaiting-input"
        if call["id"] in self.streaming:
            call["state"] = "input-streaming"
        if call["id"] in self.done:
            call["state"] = "input-complete"

    def on_tool_call_end(self, event: Json) -> None:
        call = self.call(event["toolCallId"])
        if call is None or call["id"] not in self.started or call["id"] in self.done:
            return
        if "input" in event and not call["arguments"]:
            call["arguments"] = json.dumps(
                event["input"], separators=(",", ":"), ensure_ascii=False
            )
        self.complete(call)
        if "input" in event:
            call["state"] = "input-complete"
            if event["input"] is not None:
                call["input"] = event["input"]

    def complete(self, call: Json) -> None:
        self.done.add(call["id"])
        if call["state"] in ("error", "approval-requested", "approval-responded"):
            return
        call["state"] = "input-complete"
        value = loads(fixed(call["arguments"]))
        if value is not NOTHING and value is not None:
            call["input"] = value

    def close_calls(self) -> None:
        for call_id in self.started:
            call = self.call(call_id)
            if call is not None and call_id not in self.done:
                self.complete(call)

    def on_tool_call_result(self, event: Json) -> None:
        call = self.call(event["toolCallId"])
        if call is None:
            return
        output = loads(event["content"])
        call["output"] = event["content"] if output is NOTHING else output
        failed = event.get("state") == "output-error"
        call["state"] = "error" if failed else "complete"
        result = {
            "type": "tool-result", "toolCallId": call["id"], "content": event["content"],
            "state": call["state"],
        }  # fmt: skip
        if failed:
            result["error"] = error_text(call["output"])
        for part in self.all_parts():
            if part["type"] == "tool-result" and part["toolCallId"] == call["id"]:
                part.clear()
                part |= result
                return
        self.push(self.owner[call["id"]], result)

    def ask(self, call_id: str, approval_id: str) -> None:
        call = self.call(call_id)
        if call is not None:
            call["state"] = "approval-requested"
            call["approval"] = {"id": approval_id, "needsApproval": True}

    # runs

    def on_run_started(self, event: Json) -> None:
        self.runs.add(event["runId"])

    def on_run_finished(self, event: Json) -> None:
        self.runs.discard(event["runId"])
        interrupts = event.get("outcome", {}).get("interrupts", [])
        for interrupt in interrupts:
            if interrupt["reason"] == "approval_required":
                self.ask(interrupt["toolCallId"], interrupt["id"])
        if self.runs:
            return
        self.close_calls()
        if event.get("finishReason") != "tool_calls" or "outcome" in event:
            self.finalize()

    def on_run_error(self, event: Json) -> None:
        self.failed = True
        if "runId" in event:
            self.runs.discard(event["runId"])
        else:
            self.runs.clear()
        self.end_structured(self.ensure(None), event.get("message") or "An error occurred")

    def finalize(self) -> None:
        self.close_calls()
        assistants = [s for s in self.active if s["role"] == "assistant"]
        last = assistants[-1] if assistants else None
        texts = last["parts"] if last is not None else []
        blank = len(texts) > 0 and all(is_blank(part) for part in texts)
        for section in list(self.structured):
            self.end_structured(section, "Stream ended without structured-output.complete")
        self.active = []
        if last is not None and blank and not self.failed:
            last |= {"parts": [], "dropped": True}

    # reasoning

    def on_step_started(self, event: Json) -> None:
        section = self.in_use()
        if section is None:
            self.waiting_step = event["stepName"]
            return
        self.waiting_step = None
        section["step"] = event["stepName"]
        section["steps"].setdefault(event["stepName"], ["", None])

    def on_step_finished(self, event: Json) -> None:
        if event.get("signature"):
            section = self.ensure(None)
            step = section["step"] or event.get("stepId")
            if step in section["steps"]:
                section["steps"][step][1] = event["signature"]
                self.show_step(section, step)

    def on_reasoning_message_content(self, event: Json) -> None:
        section = self.ensure(None)
        if self.waiting_step:
            section["step"], self.waiting_step = self.waiting_step, None
            section["steps"].setdefault(section["step"], ["", None])
        step = section["step"] or event.get("messageId")
        if step not in section["steps"]:
            section["steps"][step] = ["", None]
            section["step"] = step
        section["steps"][step][0] += event.get("delta", "")
        self.show_step(section, step)

    def on_reasoning_encrypted_value(self, event: Json) -> None:
        if event["subtype"] == "tool-call":
            call = self.call(event["entityId"])
            if call is not None:
                signed = {"thoughtSignature": event["encryptedValue"]}
                call["metadata"] = {**call.get("metadata", {}), **signed}
            return
        section = self.ensure(None)
        step = section["step"] or event["entityId"]
        section["steps"].setdefault(step, ["", None])[1] = event["encryptedValue"]
        self.show_step(section, step)

    def show_step(self, section: Json, step: str | None) -> None:
        content, signature = section["steps"][step]
        part = {"type": "thinking", "content": content}
        part |= {"stepId": step} if step is not None else {}
        part |= {"signature": signature} if signature else {}
        for old in section["parts"]:
            if old["type"] == "thinking" and old.get("stepId") == step:
                old.clear()
                old |= part
                return
        self.push(section, part)

    # custom

    def on_custom(self, event: Json) -> None:
        name, value = event["name"], event["value"]
        if name == "approval-requested":
            self.ask(value["toolCallId"], value["approval"]["id"])
        elif name == "ui-resource":
            owner = self.owner.get(value["toolCallId"], self.in_use())
            if owner is not None:
                self.push(owner, {"type": "ui-resource", **value})
        elif name == "structured-output.start":
            section = self.ensure(value.get("messageId"))
            if not any(section is other for other in self.structured):
                self.structured.append(section)
        elif name == "structured-output.complete":
            section = self.ensure(value.get("messageId"))
            old = self.structured_part(section) or {}
            data = value["object"]
            raw = value.get("raw") or old.get("raw") or json.dumps(data, separators=(",", ":"))
            part = {"type": "structured-output", "status": "complete", "raw": raw}
            self.show_structured(section, {**part, "partial": data, "data": data})
            self.structured = [s for s in self.structured if s is not section]

    def structured_part(self, section: Json) -> Json | None:
        return next((p for p in section["parts"] if p["type"] == "structured-output"), None)

    def show_structured(self, section: Json, part: Json) -> None:
        old = self.structured_part(section)
        if old is None:
            self.push(section, part)
        else:
            old.clear()
            old |= part

    def grow_structured(self, section: Json, delta: str) -> None:
        raw = (self.structured_part(section) or {}).get("raw", "") + delta
        part = {"type": "structured-output", "status": "streaming", "raw": raw}
        self.show_structured(section, part)

    def end_structured(self, section: Json, message: str) -> None:
        if not any(section is other for other in self.structured):
            return
        self.structured = [s for s in self.structured if s is not section]
        old = self.structured_part(section) or {"type": "structured-output", "raw": ""}
        if old.get("status") != "complete":
            self.show_structured(section, {**old, "status": "error", "errorMessage": message})

    # snapshots

    def on_messages_snapshot(self, event: Json) -> None:
        known = {p["id"]: p for p in reversed(self.all_parts()) if p["type"] == "tool-call"}
        messages: list[Json] = []
        for wire in event["messages"]:
            parts: list[Json] = []
            if wire["role"] == "tool":
                result = {
                    "type": "tool-result", "toolCallId": wire["toolCallId"],
                    "content": wire["content"], "state": "complete", "id": wire["id"],
                }  # fmt: skip
                if wire["toolCallId"] not in [p["id"] for m in messages for p in calls_in(m)]:
                    carried = known.get(wire["toolCallId"])
                    messages[-1]["parts"] += [dict(carried)] if carried else []
                messages[-1]["parts"].append(result)
                continue
            if wire["content"]:
                parts.append({"type": "text", "content": wire["content"]})
            for call in wire.get("toolCalls", []):
                arguments = call["function"]["arguments"]
                part = {
                    "type": "tool-call", "id": call["id"], "name": call["function"]["name"],
                    "arguments": arguments, "state": "input-complete",
                }  # fmt: skip
                value = loads(arguments)
                parts.append(part | ({} if value is NOTHING else {"input": value}))
            messages.append({"id": wire["id"], "role": wire["role"], "parts": parts})
        self.__dict__ |= vars(Player()) | {
            "sections": [],
            "active": [],
            "begun": [],
            "unnamed": None,
        }
        for message in messages[1:]:  # the first is the user's
            section = self.open(message["id"], message["role"], live=False)
            section["parts"] = [
                remember(part, known, message["parts"]) if part["type"] == "tool-call" else part
                for part in message["parts"]
            ]
            for call in calls_in(section):
                self.owner.setdefault(call["id"], section)


def remember(part: Json, known: dict[str, Json], siblings: list[Json]) -> Json:
    old = known.get(part["id"], {})
    if "output" in old or old.get("state") in ("complete", "error"):
        part = part | {k: old[k] for k in ("output", "state", "approval", "metadata") if k in old}
    for result in siblings:
        is_its = result["type"] == "tool-result" and result["toolCallId"] == part["id"]
        if is_its and "output" not in part:
            value = loads(result["content"])
            output = result["content"] if value is NOTHING else value
            part = part | {"output": output, "state": "complete"}
    return part


def calls_in(message: Json) -> list[Json]:
    return [part for part in message["parts"] if part["type"] == "tool-call"]


def is_blank(part: Json) -> bool:
    return bool(part["type"] == "text" and part["content"].strip() == "")


def error_text(output: Any) -> str:
    if isinstance(output, dict) and isinstance(output.get("error"), str):
        return str(output["error"])
    return output if isinstance(output, str) else "Tool execution failed"
