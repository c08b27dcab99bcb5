"""Settings of a StreamDB: how it connects and what it decides, whatever its schema and its stream.

A fork is made with the settings of what it was forked from.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from stateschema.errors import EventError
from stateschema.stream.client.dynamic import Dynamic
from stateschema.stream.client.retry import Retry
from stateschema.stream.client.transport import Timeouts
from stateschema.streamdb.arguments import check_choice, check_function
from stateschema.streamdb.bad_events import Policies
from stateschema.streamdb.conflicts import Conflict, Conflicts
from stateschema.streamdb.feed import Follow
from stateschema.streamdb.router import Committed


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Arguments of a StreamDB, under their names there.

    Raises:
        TypeError: A callback is no function.
        ValueError: There is no such policy about conflicts.
    """

    headers: Dynamic
    params: Dynamic
    retry: Retry | None
    timeouts: Timeouts | None
    live: Follow
    preload: bool
    on_error: Policies
    on_skip: Callable[[EventError], object] | None
    conflicts: Conflicts
    on_conflict: Callable[[Conflict], object] | None
    on_commit: Callable[[Committed], object] | None

    def __post_init__(self) -> None:
        check_choice(self.conflicts, ("ignore", "report", "refuse"), "conflicts")
        check_function(self.on_conflict, "on_conflict")
        check_function(self.on_commit, "on_commit")

    def arguments(self) -> dict[str, Any]:
        """Return all of them, for another StreamDB."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def of_client(self) -> dict[str, Any]:
        """Return those of the client of a URL."""
        return self._named("headers", "params", "retry", "timeouts")

    def of_router(self) -> dict[str, Any]:
        """Return what is decided about events."""
        return self._named("on_error", "on_skip", "conflicts", "on_conflict")

    def _named(self, *names: str) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names}
