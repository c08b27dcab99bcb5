"""Snapshots: the state that a stream of events adds up to, as events that say it anew.

Law        A reader of any state that the history led to, who then reads the snapshot, has that state
           still; one who begins with the snapshot has it as well
Merging    Readers differ: an update may replace a row, or be merged into it, which only their schema tells.
           So a row is followed in both ways. Where they come out alike, the snapshot inserts the row;
           where they differ, it inserts the merged one, then updates it with the last value: that replaces
           for those who replace, and changes nothing for those who merge.
Control    The snapshot stands between snapshot-start and snapshot-end. If the history stops in the middle
           of a snapshot, that is begun again behind ours, with the rows it held so far.
Lost       Txids, timestamps and old values of the events folded; and what was deleted.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic_core import to_json

from stateschema.errors import LocalProtocolError
from stateschema.events import ChangeEvent, ControlEvent, parse_events
from stateschema.stream.protocol.record import Record

RECORD_BYTES: Final = 1 << 18
"""About how much of a snapshot is one record, which is what one read gives at least."""

_Place = tuple[str, str]


class Fold:
    """What a history adds up to, whoever reads it."""

    def __init__(self) -> None:
        self._last: dict[_Place, Any] = {}
        self._merged: dict[_Place, Any] = {}
        self._dumped: dict[_Place, None] | None = None  # rows of a snapshot under way

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self._last)

    def read(self, data: Sequence[bytes]) -> None:
        """Take in records of a JSON stream.

        Raises:
            EventError: A message is no event.
            LocalProtocolError: A reset sends readers elsewhere, to what cannot be folded.
        """
        for event in parse_events(b"[%b]" % b",".join(data)):
            if isinstance(event, ControlEvent):
                self._control(event)
            elif event.headers.operation == "delete":
                self._forget((event.type, event.key))
            else:
                self._store(event)

    def records(self) -> list[Record]:
        """Return the snapshot, in pieces that are to be appended together."""
        found: list[Record] = []
        messages: list[bytes] = []
        size = 0
        for message in self._messages():
            messages.append(to_json(message))
            size += len(messages[-1])
            if size >= RECORD_BYTES:
                found.append(Record(b",".join(messages), len(messages)))
                messages, size = [], 0
        if messages:
            found.append(Record(b",".join(messages), len(messages)))
        return found

    def _messages(self) -> Iterator[dict[str, Any]]:
        yield {"headers": {"control": "snapshot-start"}}
        for place in self._last:
            yield from self._row(place)
        yield {"headers": {"control": "snapshot-end"}}
        if self._dumped is not None:
            yield {"headers": {"control": "snapshot-start"}}
            for place in self._dumped:
                yield from self._row(place)

    def _row(self, place: _Place) -> Iterator[dict[str, Any]]:
        merged, last = self._merged[place], self._last[place]
        yield _event("insert", place, merged)
        if merged != last:
            yield _event("update", place, last)

    def _store(self, event: ChangeEvent) -> None:
        place, value = (event.type, event.key), event.value
        present = self._merged.get(place)
        merges = event.headers.operation != "insert"
        if merges and isinstance(present, dict) and isinstance(value, dict):
            self._merged[place] = {**present, **value}
        else:
            self._merged[place] = value
        self._last[place] = value
        if self._dumped is not None:
            self._dumped[place] = None

    def _forget(self, place: _Place) -> None:
        self._last.pop(place, None)
        self._merged.pop(place, None)
        if self._dumped is not None:
            self._dumped.pop(place, None)

    def _control(self, event: ControlEvent) -> None:
        match event.headers.control:
            case "reset":
                if event.headers.offset is not None:
                    raise LocalProtocolError("a stream with a reset to an offset cannot be folded")
                self._last, self._merged, self._dumped = {}, {}, None
            case "snapshot-start":
                self._dumped = {}
            case "snapshot-end":
                dumped, self._dumped = self._dumped, None
                if dumped is not None:
                    self._last = {at: row for at, row in self._last.items() if at in dumped}
                    self._merged = {at: row for at, row in self._merged.items() if at in dumped}


def _event(operation: str, place: _Place, value: Any) -> dict[str, Any]:
    return {"type": place[0], "key": place[1], "value": value, "headers": {"operation": operation}}
