"""Durable AI sessions: token chunks become messages, tool calls and approvals.

Chunk rows are read by `parse`, told apart by `is_control`, folded into a `Message` one by one
(`EMPTY`, `step`, `finish` of `stateschema.session.fold`) or at once (`materialize`), and answered by
`apply_answers`. None of it needs the engine.
"""

from stateschema.session.answers import apply_answers
from stateschema.session.chunk import ChunkRow, ParsedChunk, parse
from stateschema.session.control import Answer, Target, control_of, is_control, requests_of
from stateschema.session.fold import materialize
from stateschema.session.message import Message, Usage
from stateschema.session.parts import (
    Approval,
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
from stateschema.session.text import Text

__all__ = [
    "Answer",
    "Approval",
    "ChunkRow",
    "MediaPart",
    "Message",
    "OtherPart",
    "ParsedChunk",
    "Part",
    "StructuredOutputPart",
    "Target",
    "Text",
    "TextPart",
    "ThinkingPart",
    "ToolCallPart",
    "ToolResultPart",
    "UiResourcePart",
    "Usage",
    "apply_answers",
    "control_of",
    "is_control",
    "materialize",
    "parse",
    "requests_of",
]
