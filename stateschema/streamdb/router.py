"""From events to collections: routed by entity type, committed together.

```python
router = Router(attach(Chat))
router.apply(messages)        # one batch, one epoch over all collections
```

Law        One commit is one epoch over all collections it touches, however many batches it holds;
           however the batches are cut, the rows end the same
Routing    An event goes to the entity with its type. Types the schema does not name are none of its
           business: counted, not an error.
Writing    insert, update and upsert all store the row, delete removes it if it is there, so a replay
           is idempotent. With `Entity(merge=True)` update and upsert merge top-level fields.
Control    `reset` clears every collection; the events after it apply. Its offset is not looked at: who
           reads the stream goes there, and tells that resets with an offset mean nothing on the way.
           `snapshot-start` .. `snapshot-end` enclose a complete dump, over as many batches as it
           takes: at its end every row of the schema that it did not store is removed. Until then
           its rows show up batch by batch and nothing vanishes. A second start begins the dump
           anew, a reset abandons it, an end without a start means nothing. In a dump use insert:
           it replaces, also where update would merge.
Pieces     Most events are staged many at once (see `pieces`), with the result of reading each by itself
Bad events A message that is no event, or does not fit the schema. "raise": everything staged is
           discarded, the collections keep their last rows, the router is done for. "skip": it is
           left out as if it had never been sent, its txid included, counted and reported.
Conflicts  An event whose `old_value` is not the row that is there: see `conflicts`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from dataflow.collection.batch import batch
from stateschema.errors import EventError, Where
from stateschema.events import ChangeEvent, ControlEvent, parse_events
from stateschema.schema.entity import StateSchema, entities
from stateschema.stream.offset import Offset
from stateschema.streamdb.attach import collections_of
from stateschema.streamdb.bad_events import BadEvents, Policies
from stateschema.streamdb.conflicts import Conflict, ConflictRule, Conflicts
from stateschema.streamdb.pieces import PIECE, PieceReader
from stateschema.streamdb.staging import Staging

_EVENT = (ChangeEvent, ControlEvent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What one epoch brought in: counts of events, and the txids they carried.

    Attributes:
        events: All events read, control events included.
        ignored: Those of types that the schema does not name.
        skipped: Messages left out as bad.
        conflicts: Events that met another row than their author saw; 0 where nobody looks.
        txids: Distinct, in order; also those of ignored events.
        refused: Distinct txids of events in conflict that had no effect.
        offset: Where the stream goes on after the last event, if it was told.
    """

    events: int
    ignored: int
    skipped: int
    txids: tuple[str, ...]
    offset: Offset | None
    conflicts: int = 0
    refused: tuple[str, ...] = ()


class Router:
    """Writes the events of a stream into the collections of a schema.

    Not to be used inside a `batch()` of your own: what is merged is what was committed before.

    Args:
        collections: An attached schema.
        on_error: What a bad event does: "raise" or "skip", for all entities or by entity name.
        on_skip: Called with the error of each event left out; it says where it was.
        on_commit: Called after each epoch, also after one whose subscribers raised.
        conflicts: What an event does that met another row than its author saw.
        on_conflict: Called with each conflict, unless they are ignored.

    Raises:
        SchemaError: `on_error` names no entity of the schema.
    """

    def __init__(
        self,
        collections: StateSchema,
        *,
        on_error: Policies = "raise",
        on_skip: Callable[[EventError], object] | None = None,
        on_commit: Callable[[Committed], object] | None = None,
        conflicts: Conflicts = "ignore",
        on_conflict: Callable[[Conflict], object] | None = None,
    ) -> None:
        by_name = collections_of(collections)
        rule = None if conflicts == "ignore" else ConflictRule(conflicts, on_conflict)
        self._conflicts = rule
        self._staged = {
            entity.type: Staging(entity, by_name[name], rule)
            for name, entity in entities(type(collections)).items()
        }
        self._pieces = PieceReader(self._staged, looks_back=rule is not None)
        self._bad = BadEvents(type(collections), on_error, on_skip)
        self._on_commit = on_commit
        self._failed: Exception | None = None
        self._passes_resets = False
        self._leads_to: str | None = None
        self._restart_counts()

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many messages were left out as bad, by wire type; "" for those that have none."""
        return MappingProxyType(self._bad.skipped)

    @property
    def is_in_snapshot(self) -> bool:
        """Whether a snapshot has begun and not ended, as far as events have been read."""
        return any(staged.is_in_snapshot for staged in self._staged.values())

    def apply(
        self,
        messages: Iterable[Any],
        *,
        offset: Offset | None = None,
        where: Callable[[int], Where] | None = None,
    ) -> Committed:
        """Read one batch and commit it: `stage`, then `commit`."""
        self.stage(messages, where=where)
        return self.commit(offset=offset)

    def stage(
        self,
        messages: Iterable[Any],
        *,
        where: Callable[[int], Where] | None = None,
        passes_resets: bool = False,
    ) -> str | None:
        """Read events without showing them yet.

        Args:
            messages: Events, or the JSON objects of events.
            where: Maps the index of a message to the place to name in errors.
            passes_resets: Whether resets with an offset mean nothing: they have been followed.

        Returns:
            Where the last reset with an offset leads; None if there was none.

        Raises:
            EventError: A message is bad and the policy is "raise"; nothing staged will be shown.
            Exception: `on_skip` raised; nothing staged will be shown.
        """
        self._passes_resets = passes_resets
        self._leads_to = None
        if self._failed is not None:
            raise self._failed
        given = messages if isinstance(messages, list) else list(messages)
        for start in range(0, len(given), PIECE):
            piece = given[start : start + PIECE]
            read = self._pieces.read(piece) if len(piece) > 1 else None
            if read is None:
                self._read_each(piece, start, where)
            else:
                self._events += len(piece)
                self._ignored += read.ignored
                self._txids |= read.txids
        return self._leads_to

    def _read_each(
        self, piece: list[Any], start: int, where: Callable[[int], Where] | None
    ) -> None:
        for index, message in enumerate(piece, start):
            try:
                self._read(message)
            except EventError as error:
                place = where(index) if where is not None else Where(index=index)
                try:
                    self._skipped += 1
                    self._bad.meet(message, error.at(place, message=message), error)
                except Exception as fatal:
                    self._failed = fatal
                    raise

    def truncate(self) -> None:
        """Stage the removal of all rows; a snapshot that was under way is abandoned."""
        for staged in self._staged.values():
            staged.truncate()

    def commit(
        self, *, offset: Offset | None = None, beside: Callable[[], object] | None = None
    ) -> Committed:
        """Show everything staged, as one epoch.

        Args:
            offset: Where the stream goes on after it.
            beside: Called inside the batch; what it writes belongs to the epoch.

        Raises:
            Exception: Staging failed before: there is nothing to show, now and ever.
            ExceptionGroup: What subscribers raised. The epoch is complete all the same.
        """
        if self._failed is not None:
            raise self._failed
        committed = Committed(
            events=self._events,
            ignored=self._ignored,
            skipped=self._skipped,
            txids=tuple(self._txids),
            offset=offset,
            conflicts=0 if self._conflicts is None else self._conflicts.count,
            refused=() if self._conflicts is None else tuple(self._conflicts.refused),
        )
        self._restart_counts()
        raised: list[Exception] = []
        try:
            self._write(beside)
        except ExceptionGroup as group:
            raised += group.exceptions
        try:
            self._report(committed)
        except ExceptionGroup as group:
            raised += group.exceptions
        if raised:
            raise ExceptionGroup("subscribers raised", raised)
        return committed

    def _write(self, beside: Callable[[], object] | None) -> None:
        changed = [staged for staged in self._staged.values() if staged]
        if len(changed) == 1 and beside is None:  # one commit is one epoch, a batch costs as much
            changed[0].write()
            return
        with batch():
            for staged in changed:
                staged.write()
            if beside is not None:
                beside()

    def _report(self, committed: Committed) -> None:
        if self._on_commit is not None:
            self._on_commit(committed)

    def _read(self, message: Any) -> None:
        (event,) = [message] if isinstance(message, _EVENT) else parse_events([message])
        if isinstance(event, ControlEvent):
            self._control(event)
        else:
            staged = self._staged.get(event.type)
            if staged is None:
                self._ignored += 1
            else:
                staged.read(event)
            if event.headers.txid is not None:
                self._txids[event.headers.txid] = None
        self._events += 1

    def _control(self, event: ControlEvent) -> None:
        if event.headers.control == "reset":
            self._leads_to = event.headers.offset or self._leads_to
            if event.headers.offset is None or not self._passes_resets:
                self.truncate()
            return
        for staged in self._staged.values():
            if event.headers.control == "snapshot-start":
                staged.start_snapshot()
            else:
                staged.end_snapshot()

    def _restart_counts(self) -> None:
        self._events = self._ignored = self._skipped = 0
        self._txids: dict[str, None] = {}
        if self._conflicts is not None:
            self._conflicts.count = 0
            self._conflicts.refused.clear()
