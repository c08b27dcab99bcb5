"""A session under test: collections, all views over them, and what the views show as JSON."""

from typing import Any

from pydantic.alias_generators import to_camel

from stateschema.session.schema import Chunk
from stateschema.session.session_views import SessionViews, session_collections

Json = dict[str, Any]
OF_MESSAGES = (
    "messages", "tool_calls", "tool_results", "pending_approvals", "latest_approvals",
    "active_generations", "model_messages", "session_stats",
)  # fmt: skip


class Board:
    """Chunk rows go in one by one; after each the views of messages can be looked at."""

    def __init__(self) -> None:
        self.collections = session_collections()
        self.views = SessionViews(self.collections, session_id="s1")

    def put(self, *rows: Json) -> None:
        with self.collections.chunks.sync() as write:
            for row in rows:
                write.upsert(Chunk.model_validate(row))

    def delete(self, *keys: str) -> None:
        with self.collections.chunks.sync() as write:
            for key in keys:
                write.delete(key)

    def clear(self) -> None:
        with self.collections.chunks.sync() as write:
            write.truncate()

    def shown(self) -> Json:
        """Return what the views of messages show, by wire name; the figures as the one row they are."""
        views = self.views.named()
        assert {name: view.status for name, view in views.items()} == dict.fromkeys(views, "ready")
        shown: Json = {
            to_camel(name): [row.to_json() for row in views[name].rows()] for name in OF_MESSAGES
        }
        (shown["sessionStats"],) = shown["sessionStats"]
        return shown
