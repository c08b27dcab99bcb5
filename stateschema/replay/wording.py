"""Wording: how the rows of a session are put for people, free of any terminal library.

What a stream holds is not to be trusted: control characters, which could steer a terminal, never
get through; long values are cut.
"""

import json
import re
from typing import Any, Literal, NamedTuple, TypeAlias, assert_never

from stateschema.replay.player import Summary
from stateschema.session.message import Message
from stateschema.session.parts import (
    UNSET,
    MediaPart,
    OtherPart,
    Part,
    StructuredOutputPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
    UiResourcePart,
)
from stateschema.session.view_rows import Actor

Kind: TypeAlias = Literal["text", "thinking", "call", "question", "result", "other", "error"]

MAX_VALUE = 60  # characters of a tool's arguments or result
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Phrase(NamedTuple):
    """One thing a message says, and of what kind it is."""

    kind: Kind
    text: str


def phrases(message: Message) -> list[Phrase]:
    """Return what a message says, part by part, empty parts left out."""
    said = [_phrase(part) for part in message.parts]
    if message.error is not None:
        said.append(Phrase("error", f"! {one_line(message.error)}"))
    return [phrase for phrase in said if phrase.text.strip()]


def speaker(message: Message) -> str:
    """Return who a message is from."""
    return one_line(message.actor_id if message.readable else message.id)


def time_of_day(stamp: str) -> str:
    """Return the time of an ISO 8601 stamp, to the second.

    >>> time_of_day("2026-01-01T10:20:30.456Z")
    '10:20:30'
    """
    return clean(stamp.partition("T")[2][:8])


def actor_name(actor: Actor) -> str:
    """Return the name of somebody who is there, with the number of devices if there are several."""
    name = one_line(actor.name or actor.actor_id)
    return f"{name} ×{actor.device_count}" if actor.device_count > 1 else name


def question(call: ToolCallPart) -> str:
    """Return what somebody has to approve."""
    return f"{one_line(call.name)}({one_line(call.arguments.value)})"


def summary_rows(summary: Summary, *, skipped: int) -> list[tuple[str, str]]:
    """Return the lines of the closing table: what, and how much.

    Args:
        summary: The figures.
        skipped: Bad lines and events that were left out.
    """
    rows = [
        ("events", f"{summary.events:,}"),
        ("epochs", f"{summary.epochs:,}"),
        ("rows touched", f"{summary.rows_touched:,}"),
        ("µs per event, p50", f"{summary.p50:,.0f}"),
        ("µs per event, p99", f"{summary.p99:,.0f}"),
    ]
    left_out = [("of unknown type", summary.ignored), ("bad, skipped", skipped)]
    return rows + [(label, f"{number:,}") for label, number in left_out if number]


def clean(text: str) -> str:
    """Return a text without control characters; newlines stay."""
    return _CONTROLS.sub("�", text.replace("\r\n", "\n").replace("\t", "    "))


def one_line(value: Any) -> str:
    """Return a value on one line, cut where it gets long.

    >>> one_line({"city": "Oslo"}), one_line("a\\n b")
    ('{"city": "Oslo"}', 'a b')
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(clean(text[: 4 * MAX_VALUE]).split())
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"


def _phrase(part: Part) -> Phrase:
    match part:
        case TextPart():
            return Phrase("text", clean(part.content.value))
        case ThinkingPart():
            return Phrase("thinking", clean(part.content.value))
        case ToolCallPart():
            return _call(part)
        case ToolResultPart():
            shown = part.error if part.content is UNSET else part.content
            return Phrase("result", f"↳ {one_line(shown)}")
        case StructuredOutputPart():
            return Phrase("text", clean(part.raw.value))
        case MediaPart():
            return Phrase("other", f"[{part.kind}]")
        case UiResourcePart():
            return Phrase("other", "[user interface]")
        case OtherPart():
            return Phrase("other", f"[{one_line(part.json)}]")
        case _:
            assert_never(part)


def _call(part: ToolCallPart) -> Phrase:
    approval = part.approval
    if approval is not None and approval.is_pending:
        return Phrase("question", f"? {question(part)} needs approval")
    answer = ""
    if approval is not None and approval.approved is not None:
        answer = ", approved" if approval.approved else ", denied"
    return Phrase("call", f"⚙ {question(part)} {part.state}{answer}")
