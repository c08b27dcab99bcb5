"""Durable AI sessions: token chunks become messages, tool calls and approvals.

`Session` is the schema of the stream; `SessionViews` shows everything that is in it, live. The views
are queries, functions of the source they read: `messages(chunks)` and those over messages.

Below them chunk rows are read by `parse`, told apart by `is_control`, folded into a `Message` one by one
(`EMPTY`, `step`, `finish` of `stateschema.session.fold`) or at once (`materialize`), and answered by
`apply_answers`.
"""

from stateschema.session.answers import apply_answers
from stateschema.session.chunk import ChunkRow, ParsedChunk, parse
from stateschema.session.control import Answer, Target, control_of, is_control, requests_of
from stateschema.session.fold import materialize
from stateschema.session.message import Message, Usage
from stateschema.session.message_view import messages
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
from stateschema.session.schema import Agent, Chunk, Presence, Session, chunk_id, presence_id
from stateschema.session.session_views import (
    Meta,
    SessionCollections,
    SessionSources,
    SessionViews,
    session_collections,
)
from stateschema.session.text import Text
from stateschema.session.view_rows import (
    ActiveGeneration,
    Actor,
    MetaError,
    ModelMessage,
    SessionMeta,
    SessionStats,
)
from stateschema.session.views import (
    active_generations,
    actors,
    latest_approvals,
    model_messages,
    pending_approvals,
    session_stats,
    tool_calls,
    tool_results,
)

__all__ = [
    "ActiveGeneration",
    "Actor",
    "Agent",
    "Answer",
    "Approval",
    "Chunk",
    "ChunkRow",
    "MediaPart",
    "Message",
    "Meta",
    "MetaError",
    "ModelMessage",
    "OtherPart",
    "ParsedChunk",
    "Part",
    "Presence",
    "Session",
    "SessionCollections",
    "SessionMeta",
    "SessionSources",
    "SessionStats",
    "SessionViews",
    "StructuredOutputPart",
    "Target",
    "Text",
    "TextPart",
    "ThinkingPart",
    "ToolCallPart",
    "ToolResultPart",
    "UiResourcePart",
    "Usage",
    "active_generations",
    "actors",
    "apply_answers",
    "chunk_id",
    "control_of",
    "is_control",
    "latest_approvals",
    "materialize",
    "messages",
    "model_messages",
    "parse",
    "pending_approvals",
    "presence_id",
    "requests_of",
    "session_collections",
    "session_stats",
    "tool_calls",
    "tool_results",
]
