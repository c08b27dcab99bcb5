"""Record a session that never was: three people and three agents open a café.

Every event a real session would have, in the order of its timestamps: devices come and go, people
ask, agents think, call tools, ask for approval, are refused, fail, and stream their answers side by
side, a word per chunk. The same seed gives the same bytes.

    python -m examples.record_session --seed 7 > examples/session.jsonl
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, TypeAlias

from examples.session_script import (
    AGENTS,
    FAILURE,
    REFUSALS,
    REFUSED,
    RETRY,
    SHELF_ASK,
    SHELF_QUESTION,
    SHELF_REPORT,
    THANKS,
    TOPICS,
    USERS,
    WORDS,
    Topic,
)
from stateschema.session.schema import Agent, Chunk, Presence, Session, chunk_id, presence_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Literal

    from stateschema.events import ChangeEvent

Event: TypeAlias = dict[str, Any]

START = datetime(2026, 3, 4, 17, 2, tzinfo=UTC)
ROUNDS = 27
SHELF_ROUNDS = {4, 13, 22}
BROKEN_ROUNDS = {8, 21}
REFUSED_ROUNDS = {7, 15}
LATE_ROUNDS = {1, 2, 3, 19, 20, 25}  # the answer to an approval comes while others talk on
WORD = re.compile(r"\s*\S+")


@dataclass(slots=True)
class Recording:
    """Events with the time they happen at, in seconds from the start; sorted in the end."""

    random: Random
    events: list[tuple[float, int, ChangeEvent]] = field(default_factory=list)
    messages: int = 0
    phones: set[str] = field(default_factory=set)

    def add(self, at: float, event: ChangeEvent) -> None:
        """Take an event, in any order of time."""
        self.events.append((at, len(self.events), event))

    def name_message(self, actor: str) -> str:
        """Return a new message id."""
        self.messages += 1
        return f"{actor}-{self.messages:03}"

    @property
    def end(self) -> float:
        """When the last event so far happens."""
        return max(at for at, _, _ in self.events)

    def lines(self) -> Iterator[str]:
        """Yield the wire text of each event, by time."""
        for _, _, event in sorted(self.events, key=lambda entry: entry[:2]):
            yield event.to_json()

    def device(self, at: float, user: str, device: str, status: str, name: str = "") -> None:
        """Let a device come or go; one that goes does not repeat the name."""
        value = {
            "actorId": user, "deviceId": device, "actorType": "user", "status": status,
            "lastSeenAt": clock(at), **({"name": name} if name else {}),
        }  # fmt: skip
        row = Presence.model_validate({"id": presence_id(user, device), **value})
        self.add(at, Session.presence.upsert(row))

    def say(self, at: float, user: str, text: str) -> None:
        """Let a user write a message, whole as users' messages are."""
        message_id = self.name_message(user)
        message = {
            "id": message_id, "role": "user", "parts": [{"type": "text", "content": text}],
            "createdAt": clock(at),
        }  # fmt: skip
        self.control(at, user, {"type": "whole-message", "message": message}, message_id)

    def control(self, at: float, user: str, event: Event, message_id: str = "") -> None:
        """Let a user's client write one row of its own, with a transaction id."""
        message_id = message_id or self.name_message("answer")
        row = chunk_row(message_id, 0, user, "user", event, at)
        self.add(at, Session.chunks.insert(row, txid=f"tx-{message_id}"))


@dataclass(slots=True)
class Writer:
    """One agent writing one message, chunk by chunk; `at` moves on with each."""

    recording: Recording
    agent: str
    at: float
    message_id: str = ""
    seq: int = 0
    runs: int = 0
    words: int = 0

    def __post_init__(self) -> None:
        self.message_id = self.recording.name_message(self.agent)

    def emit(self, event: Event, *, pause: float = 0.0) -> None:
        """Write one chunk, a moment later."""
        self.at += pause + self.recording.random.uniform(0.02, 0.09)
        row = chunk_row(self.message_id, self.seq, self.agent, "assistant", event, self.at)
        self.recording.add(self.at, Session.chunks.insert(row))
        self.seq += 1

    def stream(self, text: str, event: Event) -> None:
        """Emit one event per word of a text."""
        for word in WORD.findall(text):
            self.emit({**event, "delta": word})
            self.words += 1

    def begin(self) -> None:
        """Begin a run."""
        self.runs += 1
        self.emit({"type": "RUN_STARTED", "runId": self._run}, pause=0.3)

    def think(self, text: str) -> None:
        """Stream reasoning."""
        self.emit({"type": "STEP_STARTED", "stepName": "thinking"})
        self.stream(text, {"type": "REASONING_MESSAGE_CONTENT", "messageId": "thinking"})
        self.emit({"type": "STEP_FINISHED", "stepName": "thinking"})

    def write(self, text: str) -> None:
        """Stream text."""
        self.emit({"type": "TEXT_MESSAGE_START", "messageId": self.message_id, "role": "assistant"})
        self.stream(text, {"type": "TEXT_MESSAGE_CONTENT", "messageId": self.message_id})
        self.emit({"type": "TEXT_MESSAGE_END", "messageId": self.message_id})

    def call(self, tool: str, arguments: Event) -> str:
        """Call a tool, its arguments streaming; return the id of the call."""
        call_id = f"call-{self.message_id}-{self.seq}"
        self.emit({"type": "TOOL_CALL_START", "toolCallId": call_id, "toolCallName": tool})
        self.stream(
            json.dumps(arguments, ensure_ascii=False),
            {"type": "TOOL_CALL_ARGS", "toolCallId": call_id},
        )
        self.emit({"type": "TOOL_CALL_END", "toolCallId": call_id})
        return call_id

    def result(self, call_id: str, output: Event) -> None:
        """Wait for a tool of one's own and write what it returned."""
        content = json.dumps(output, ensure_ascii=False)
        event = {"type": "TOOL_CALL_RESULT", "toolCallId": call_id, "content": content}
        self.emit(event, pause=self.recording.random.uniform(0.4, 1.2))

    def ask(self, call_id: str) -> str:
        """Ask for an approval of a call; return its id."""
        approval_id = f"approval-{call_id}"
        value = {"toolCallId": call_id, "approval": {"id": approval_id, "needsApproval": True}}
        self.emit({"type": "CUSTOM", "name": "approval-requested", "value": value})
        return approval_id

    def end(self, reason: str = "stop") -> None:
        """End the run, and say how many tokens it took."""
        prompt = 180 + 3 * self.words
        usage = {
            "promptTokens": prompt, "completionTokens": self.words,
            "totalTokens": prompt + self.words,
        }  # fmt: skip
        event = {"type": "RUN_FINISHED", "runId": self._run, "finishReason": reason, "usage": usage}
        self.emit(event)
        self.words = 0

    def fail(self, message: str) -> None:
        """End the run with an error."""
        self.emit({"type": "RUN_ERROR", "runId": self._run, "message": message}, pause=2.0)

    @property
    def _run(self) -> str:
        return f"run-{self.message_id}-{self.runs}"


def chunk_row(
    message_id: str,
    seq: int,
    actor: str,
    role: Literal["user", "assistant"],
    event: Event,
    at: float,
) -> Chunk:
    """Return the row of a chunk."""
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return Chunk(
        id=chunk_id(message_id, seq), message_id=message_id, actor_id=actor, role=role, chunk=text,
        seq=seq, created_at=clock(at),
    )  # fmt: skip


def clock(at: float) -> str:
    """Return a moment of the recording as ISO 8601 text."""
    moment = START + timedelta(milliseconds=round(at * 1000))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def record(seed: int) -> list[str]:
    """Return the lines of the recording."""
    recording = Recording(Random(seed))
    for agent, (name, purpose) in AGENTS.items():
        row = Agent(
            agent_id=agent, name=f"{name}, who {purpose}", triggers="user-messages",
            endpoint=f"https://agents.example.com/{agent}",
        )  # fmt: skip
        recording.add(0.0, Session.agents.upsert(row))
    at = 2.0
    for user, name in USERS.items():
        recording.device(at, user, "laptop", "online", name)
        at += recording.random.uniform(1, 4)
    for number in range(ROUNDS):
        at = play_round(recording, number, at) + recording.random.uniform(2, 5)
    at = recording.end + 2
    for user, device in [
        *((u, "phone") for u in sorted(recording.phones)),
        *((u, "laptop") for u in USERS),
    ]:
        recording.device(at, user, device, "offline")
        at += recording.random.uniform(1, 4)
    recording.add(at, Session.agents.delete("quill"))
    return list(recording.lines())


def play_round(recording: Recording, number: int, at: float) -> float:
    """Play one question with its answers; return when the last of them is over."""
    random = recording.random
    user, other = random.sample(sorted(USERS), 2)
    move_devices(recording, number, at, user, other)
    if number in SHELF_ROUNDS:
        return count_shelf(recording, at, user, other)
    topic, words = TOPICS[number % len(TOPICS)], draw(random)
    recording.say(at, user, topic.question.format(**words))
    ends = [look_up(recording, topic, words, at + 0.4)]
    ends.append(draft(recording, topic, words, at + random.uniform(0.5, 2.0)))
    if number in BROKEN_ROUNDS:
        ends.append(break_off(recording, topic, words, at + 0.7))
        recording.say(ends[-1] + 3, user, RETRY)
        ends[-1] += 4
    if topic.order:
        ends.append(buy(recording, topic, words, max(ends), other, number))
    recording.say(max(ends) + 2, user, random.choice(THANKS))
    return max(ends) + 2


def look_up(recording: Recording, topic: Topic, words: dict[str, str], at: float) -> float:
    """Let Scout think, call a tool, and report."""
    scout = Writer(recording, "scout", at)
    scout.begin()
    scout.think(topic.thought.format(**words))
    call_id = scout.call(topic.tool, {"query": topic.query.format(**words)})
    scout.result(call_id, {"found": topic.found.format(**words)})
    scout.write(topic.report.format(**words))
    scout.end()
    return scout.at


def draft(recording: Recording, topic: Topic, words: dict[str, str], at: float) -> float:
    """Let Quill write."""
    quill = Writer(recording, "quill", at)
    quill.begin()
    quill.write(topic.draft.format(**words))
    quill.end()
    return quill.at


def break_off(recording: Recording, topic: Topic, words: dict[str, str], at: float) -> float:
    """Let Till begin and fail in the middle of a call."""
    till = Writer(recording, "till", at)
    till.begin()
    till.write("One moment, I ask what is in stock.")
    till.call("check_stock", {"query": topic.query.format(**words)})
    till.fail(FAILURE)
    return till.at


def buy(
    recording: Recording,
    topic: Topic,
    words: dict[str, str],
    at: float,
    user: str,
    number: int,
) -> float:
    """Let Till ask whether to buy, a user answer, and Till go on in the same message.

    Returns when the others can go on, which may be before the answer comes.
    """
    refused, late = number in REFUSED_ROUNDS, number in LATE_ROUNDS
    till = Writer(recording, "till", at + 0.8)
    item, supplier = topic.order.format(**words), topic.supplier.format(**words)
    till.begin()
    till.write(f"I can order {item} from {supplier} for {words['price']} euros. May I?")
    call_id = till.call(
        "place_order", {"item": item, "supplier": supplier, "euros": int(words["price"])}
    )
    approval_id = till.ask(call_id)
    till.end("tool_calls")
    asked = till.at
    answered = asked + recording.random.uniform(*(60, 75) if late else (3, 8))
    if refused:
        recording.say(answered - 1, user, recording.random.choice(REFUSALS))
    answer = {"type": "approval-response", "approvalId": approval_id, "approved": not refused}
    recording.control(answered, user, answer)
    till.at = answered + 0.5
    till.begin()
    if refused:
        till.write(REFUSED)
    else:
        till.result(call_id, {"order": f"{till.message_id}-{words['kilos']}", "status": "placed"})
        till.write(topic.done.format(**words))
    till.end()
    return asked if late else till.at


def count_shelf(recording: Recording, at: float, user: str, other: str) -> float:
    """Let Scout call a tool that runs on somebody's phone, which answers."""
    random = recording.random
    recording.say(at, user, SHELF_QUESTION)
    scout = Writer(recording, "scout", at + 0.5)
    scout.begin()
    scout.write(SHELF_ASK)
    call_id = scout.call("count_on_phone", {"shelf": "cellar", "asked": USERS[other]})
    scout.end("tool_calls")
    counted = {"cups": random.randint(70, 120), "jars": random.randint(4, 9), "oat": 3}
    answered = scout.at + random.uniform(6, 12)
    recording.control(
        answered, other, {"type": "tool-result", "toolCallId": call_id, "output": counted}
    )
    after = Writer(recording, "scout", answered + 0.5)
    after.begin()
    after.write(SHELF_REPORT.format(**counted))
    after.end()
    return after.at


def move_devices(recording: Recording, number: int, at: float, user: str, other: str) -> None:
    """Let phones come and go between the questions, and somebody change the name."""
    phones = recording.phones
    if number % 3 == 1 and other not in phones:
        phones.add(other)
        recording.device(at - 1.5, other, "phone", "online", USERS[other])
    if number % 3 == 0 and user in phones:
        phones.remove(user)
        recording.device(at - 1.0, user, "phone", "offline")
    if number == ROUNDS // 2:
        recording.device(at - 0.5, "ben", "laptop", "online", "Ben, at the quay")


def draw(random: Random) -> dict[str, str]:
    """Draw a word of each list."""
    return {name: random.choice(words) for name, words in WORDS.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a recording to the standard output."""
    parser = argparse.ArgumentParser(prog="record_session", description="Record a made-up session.")
    parser.add_argument("--seed", type=int, default=7)
    seed: int = parser.parse_args(arguments).seed
    write(record(seed))


def write(lines: Iterable[str]) -> None:
    """Write lines as UTF-8, ended as on every system the same."""
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode())


if __name__ == "__main__":
    main()
