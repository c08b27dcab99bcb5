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
Control    `reset` clears every collection; the events after it apply. Its offset is not followed: it
           may lie before the reset, and nothing is read twice.
           `snapshot-start` .. `snapshot-end` enclose a complete dump, over as many batches as it
           takes: at its end every row of the schema that it did not store is removed. Until then
           its rows show up batch by batch and nothing vanishes. A second start begins the dump
           anew, a reset abandons it, an end without a start means nothing. In a dump use insert:
           it replaces, also where update would merge.
Bad events A message that is no event, or does not fit the schema. "raise": everything staged is
           discarded, the collections keep their last rows, the router is done for. "skip": it is
           left out as if it had never been sent, its txid included, counted and reported.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from dataflow.collection.batch import batch
from stateschema.errors import EventError, Where
from stateschema.events import ChangeEvent, ControlEvent, parse_events
from stateschema.schema.entity import StateSchema, entities
from stateschema.stream.offset import Offset
from stateschema.streamdb.attach import collections_of
from stateschema.streamdb.staging import StagedRows

OnError: TypeAlias = Literal["raise", "skip"]

_EVENT = (ChangeEvent, ControlEvent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What one epoch brought in: counts of events, and the txids they carried.

    Attributes:
        events: All events read, control events included.
        ignored: Those of types that the schema does not name.
        skipped: Messages left out as bad.
        txids: Distinct, in order; also those of ignored events.
        offset: Where the stream goes on after the last event, if it was told.
    """

    events: int
    ignored: int
    skipped: int
    txids: tuple[str, ...]
    offset: Offset | None


class Router:
    """Writes the events of a stream into the collections of a schema.

    Not to be used inside a `batch()` of your own: what is merged is what was committed before.

    Args:
        collections: An attached schema.
        on_error: What a bad event does: "raise" or "skip".
        on_skip: Called with the error of each event left out; it says where it was.
        on_commit: Called after each epoch, also after one whose subscribers raised.
    """

    def __init__(
        self,
        collections: StateSchema,
        *,
        on_error: OnError = "raise",
        on_skip: Callable[[EventError], object] | None = None,
        on_commit: Callable[[Committed], object] | None = None,
    ) -> None:
        by_name = collections_of(collections)
        self._staged = {
            entity.type: StagedRows(entity, by_name[name])
            for name, entity in entities(type(collections)).items()
        }
        self._on_error = on_error
        self._on_skip = on_skip
        self._on_commit = on_commit
        self._failed: Exception | None = None
        self._restart_counts()

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
        self, messages: Iterable[Any], *, where: Callable[[int], Where] | None = None
    ) -> None:
        """Read events without showing them yet.

        Args:
            messages: Events, or the JSON objects of events.
            where: Maps the index of a message to the place to name in errors.

        Raises:
            EventError: A message is bad and the policy is "raise"; nothing staged will be shown.
            Exception: `on_skip` raised; nothing staged will be shown.
        """
        if self._failed is not None:
            raise self._failed
        for index, message in enumerate(messages):
            try:
                self._read(message)
            except EventError as error:
                placed = error.at(where(index) if where is not None else Where(index=index))
                try:
                    self._bad(placed, error)
                except Exception as fatal:
                    self._failed = fatal
                    raise

    def commit(self, *, offset: Offset | None = None) -> Committed:
        """Show everything staged, as one epoch.

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
        )
        self._restart_counts()
        try:
            self._write()
        except ExceptionGroup:
            self._report(committed)
            raise
        self._report(committed)
        return committed

    def _write(self) -> None:
        with batch():
            for staged in self._staged.values():
                if staged:
                    staged.write()

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

    def _bad(self, placed: EventError, error: EventError) -> None:
        if self._on_error == "raise":
            raise placed from error
        self._skipped += 1
        if self._on_skip is not None:
            self._on_skip(placed)

    def _control(self, event: ControlEvent) -> None:
        for staged in self._staged.values():
            match event.headers.control:
                case "reset":
                    staged.truncate()
                case "snapshot-start":
                    staged.start_snapshot()
                case "snapshot-end":
                    staged.end_snapshot()

    def _restart_counts(self) -> None:
        self._events = self._ignored = self._skipped = 0
        self._txids: dict[str, None] = {}
