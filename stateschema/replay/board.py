"""The board: what a display shows, kept from change lists alone.

A display never looks at a collection. It folds what its subscriptions bring, as any front end in
another process would have to.
"""

from collections.abc import Iterable, Sequence
from heapq import nlargest
from typing import Any

from dataflow.collection.changes import Change
from stateschema.session.message import Message
from stateschema.session.parts import ToolCallPart
from stateschema.session.view_rows import Actor, SessionStats

SHOWN_VIEWS = ("messages", "pending_approvals", "presence", "session_stats")


class Board:
    """The rows of the views that are shown, folded from their changes."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[Any, Any]] = {view: {} for view in SHOWN_VIEWS}

    def changed(self, view: str, changes: Sequence[Change[Any]]) -> None:
        """Take in the changes of a view. O(changes)."""
        rows = self._rows[view]
        for change in changes:
            if change.op == "delete":
                del rows[change.key]
            else:
                rows[change.key] = change.value

    def latest_messages(self, count: int) -> list[Message]:
        """Return the latest messages, oldest first. O(messages)."""
        messages: Iterable[Message] = self._rows["messages"].values()
        return nlargest(count, messages, key=lambda message: (message.created_at, message.id))[::-1]

    def questions(self) -> list[tuple[Message, ToolCallPart]]:
        """Return the tool calls that wait for an approval, and who asks."""
        asking: Iterable[Message] = self._rows["pending_approvals"].values()
        return [(message, call) for message in asking for call in message.pending_approvals()]

    def actors(self) -> list[Actor]:
        """Return who is online."""
        return list(self._rows["presence"].values())

    def stats(self) -> SessionStats | None:
        """Return the figures of the session."""
        return self._rows["session_stats"].get(())
