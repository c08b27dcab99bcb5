"""A whole session, live: every view over the collections of one stream.

```python
async with StreamDB(Session, url=...) as db:
    views = SessionViews(db.collections, session_id="s1")
    views.pending_approvals.subscribe(print)
```

The views share what they have in common: each chunk is read and folded once, whatever is attached.
They stay attached as long as the object lives, or until `close()`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Never, Protocol

from dataflow.closing import Closing
from dataflow.collection.collection import Collection
from dataflow.live.live import LiveQuery, live
from dataflow.query.source import Source
from stateschema.session.message_view import messages
from stateschema.session.schema import Agent, Chunk, Presence
from stateschema.session.view_rows import SessionMeta
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


class SessionSources(Protocol):
    """What the views read: the `collections` of a StreamDB, or plain collections."""

    @property
    def chunks(self) -> Source[Chunk]:
        """The chunks of all messages."""

    @property
    def presence(self) -> Source[Presence]:
        """The devices of all actors."""

    @property
    def agents(self) -> Source[Agent]:
        """The agents that are registered."""


@dataclass(frozen=True, slots=True)
class SessionCollections:
    """Plain collections of a session, to be written by hand."""

    chunks: Collection[Chunk]
    presence: Collection[Presence]
    agents: Collection[Agent]


def session_collections(*sources: Never) -> SessionCollections:
    """Return new, empty collections for a session, to be written by hand.

    Raises:
        TypeError: Something is given: a stream has collections of its own.
    """
    if sources:
        error = TypeError(
            f"session_collections makes new collections and takes no source, not {sources[0]!r}"
        )
        error.add_note("the views of a stream: SessionViews(db.collections)")
        raise error
    return SessionCollections(
        Collection("chunks", key="id", row=Chunk),
        Collection("presence", key="id", row=Presence),
        Collection("agents", key="agent_id", row=Agent),
    )


class Meta:
    """What is known about the connection of a session: a local collection of one row.

    Whoever follows the stream writes it; readers see a view like any other.
    """

    def __init__(self, session_id: str) -> None:
        self.rows = Collection("session_meta", key="session_id", row=SessionMeta)
        self._row = SessionMeta(session_id=session_id)
        self._write()

    @property
    def row(self) -> SessionMeta:
        """What is known now."""
        return self._row

    def update(self, **changes: Any) -> None:
        """Change fields of the row; one epoch, none if nothing is new.

        Raises:
            TypeError: There is no such field.
        """
        self._row = replace(self._row, **changes)
        self._write()

    def _write(self) -> None:
        with self.rows.sync() as write:
            write.upsert(self._row)


class SessionViews(Closing):
    """All views of a session, kept up to date.

    Args:
        sources: The collections of the session.
        session_id: Shown in `session_stats` and `session_meta`.
        meta: The state of the connection; by default that of one that never was.

    Attributes:
        messages: By message id, in order of the earliest chunk.
        tool_calls, tool_results, pending_approvals, latest_approvals: Messages with such parts.
        active_generations: What is being written.
        model_messages: What a language model is told.
        presence: Who is online, by (actor id, actor type).
        agents: By agent id.
        session_stats: One row, under the key `()`.
        session_meta: One row, by session id.
    """

    def __init__(
        self, sources: SessionSources, *, session_id: str = "", meta: Meta | None = None
    ) -> None:
        self.meta = Meta(session_id) if meta is None else meta
        self.messages = live(messages(sources.chunks), name="messages")
        said = self.messages
        self.tool_calls = live(tool_calls(said), name="tool_calls")
        self.tool_results = live(tool_results(said), name="tool_results")
        self.pending_approvals = live(pending_approvals(said), name="pending_approvals")
        self.latest_approvals = live(latest_approvals(said), name="latest_approvals")
        self.active_generations = live(active_generations(said), name="active_generations")
        self.model_messages = live(model_messages(said), name="model_messages")
        self.presence = live(actors(sources.presence), name="presence")
        self.agents = live(sources.agents, name="agents")
        self.session_stats = live(session_stats(said, session_id), name="session_stats")
        self.session_meta = live(self.meta.rows, name="session_meta")

    def named(self) -> Mapping[str, LiveQuery[Any]]:
        """Return the views by name. Every row has `to_json()`, the object of the wire."""
        return {name: view for name, view in vars(self).items() if isinstance(view, LiveQuery)}

    def close(self) -> None:
        """Let all views go; allowed twice."""
        for view in reversed([*self.named().values()]):
            view.close()

    def __repr__(self) -> str:
        status = self.messages.status
        size = "" if status == "closed" else f", {len(self.messages)} messages"
        return f"<SessionViews {self.meta.row.session_id!r} {status}{size}>"
