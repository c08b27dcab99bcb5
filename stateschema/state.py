"""The plain fold of a state stream: a map from (type, key) to the latest wire value.

No schema and no queries: the smallest way to consume events. Insert, update and upsert all store
the value as it is, so an update replaces and a replay is idempotent; a delete removes.

Control    `reset` drops everything. `snapshot-start` .. `snapshot-end` enclose a complete dump:
           at its end all rows the dump did not hold are dropped, of every type. A second start
           begins the dump anew, a reset abandons it, an end without a start means nothing.
Cost       O(1) per change event, O(rows) per snapshot end. No history is kept.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from stateschema.events import ChangeEvent, ControlEvent, Event


class MaterializedState:
    """What a sequence of events adds up to.

    >>> from stateschema.events import parse_event
    >>> state = MaterializedState()
    >>> insert = {"type": "user", "key": "1", "value": "Ann", "headers": {"operation": "insert"}}
    >>> state.apply(parse_event(insert))
    >>> state.get("user", "1")
    'Ann'
    """

    __slots__ = ("_dumped", "_rows")

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Any]] = {}
        self._dumped: set[tuple[str, str]] | None = None

    def apply(self, event: Event) -> None:
        """Apply one event."""
        if isinstance(event, ControlEvent):
            self._control(event)
        elif event.headers.operation == "delete":
            self._delete(event.type, event.key)
        else:
            self._store(event)

    def apply_batch(self, events: Iterable[Event]) -> None:
        """Apply events in order."""
        for event in events:
            self.apply(event)

    def get(self, type: str, key: str) -> Any:  # noqa: A002 - the word of the wire
        """Return the value of a row, None when there is none."""
        return self.get_type(type).get(key)

    def get_type(self, type: str) -> Mapping[str, Any]:  # noqa: A002 - the word of the wire
        """Return all rows of a type, key -> value; read-only."""
        return MappingProxyType(self._rows.get(type, {}))

    @property
    def types(self) -> tuple[str, ...]:
        """The types that have rows, in the order they came."""
        return tuple(self._rows)

    @property
    def type_count(self) -> int:
        """How many types have rows."""
        return len(self._rows)

    def clear(self) -> None:
        """Drop all rows, and a snapshot that was under way."""
        self._rows.clear()
        self._dumped = None

    def _store(self, event: ChangeEvent) -> None:
        self._rows.setdefault(event.type, {})[event.key] = event.value
        if self._dumped is not None:
            self._dumped.add((event.type, event.key))

    def _delete(self, row_type: str, key: str) -> None:
        rows = self._rows.get(row_type, {})
        rows.pop(key, None)
        if not rows:
            self._rows.pop(row_type, None)

    def _control(self, event: ControlEvent) -> None:
        match event.headers.control:
            case "reset":
                self.clear()
            case "snapshot-start":
                self._dumped = set()
            case "snapshot-end":
                self._keep_only_dumped()

    def _keep_only_dumped(self) -> None:
        if self._dumped is None:
            return
        held = [(row_type, key) for row_type, rows in self._rows.items() for key in rows]
        for row_type, key in held:
            if (row_type, key) not in self._dumped:
                self._delete(row_type, key)
        self._dumped = None
