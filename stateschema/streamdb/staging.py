"""Staged rows: what the events read so far will make of one collection.

Reading an event (which may fail) and writing rows (which makes an epoch) are two steps, so that a
bad event leaves nothing half-written, and many wire batches can become one epoch.

State      key -> row to write, or None to delete; the last event of a key wins
Merging    `Entity(merge=True)`: update and upsert merge into the row as staged, else as present
Snapshot   Between start and end the keys of stored rows are noted; at the end every row without a
           note is deleted. Until then nothing vanishes: readers see old rows beside dumped ones.
Cost       One validator call per event (one more and a serializer call to merge), or for many events;
           O(rows) at the end of a snapshot; O(rows staged) to write.
"""

from collections.abc import Hashable
from typing import Any

from dataflow.collection.collection import Collection
from dataflow.values.normal import PLAIN, normal
from stateschema.errors import EventError
from stateschema.events import ChangeEvent
from stateschema.schema.entity import Entity
from stateschema.streamdb.conflicts import ConflictRule


class Staging:
    """The rows of one entity between reading their events and writing them.

    Attributes:
        merges: Whether update and upsert depend on the row that is there.
    """

    __slots__ = (
        "_collection",
        "_conflicts",
        "_dumped",
        "_entity",
        "_rows",
        "_truncated",
        "merges",
    )

    def __init__(
        self, entity: Entity[Any], collection: Collection[Any], conflicts: ConflictRule | None
    ) -> None:
        self._entity = entity
        self._conflicts = conflicts
        self._collection = collection
        self.merges: bool = entity.merge
        self._rows: dict[Hashable, Any] = {}
        self._truncated = False
        self._dumped: set[Hashable] | None = None  # keys of the snapshot under way

    def __bool__(self) -> bool:
        return self._truncated or bool(self._rows)

    def read(self, event: ChangeEvent) -> None:
        """Stage a change event of this entity; one that raises, or is refused, stages nothing.

        Raises:
            EventError: The value or the key does not fit the entity.
        """
        if self._conflicts is not None and not self._conflicts.admits(
            self._entity, event, self._present(normal(self._entity.decode_key(event.key)))
        ):
            return
        if event.headers.operation == "delete":
            self._rows[normal(self._entity.decode_key(event.key))] = None
            return
        key, row = self._decode(event)
        found = normal(key)
        self._rows[found] = row
        if self._dumped is not None:
            self._dumped.add(found)

    def decode_all(
        self, wire_keys: list[str], values: list[Any], deleted: list[int]
    ) -> tuple[list[Hashable], list[Any]]:
        """Return keys and rows of many events, None for one that deletes; nothing is staged yet.

        Args:
            wire_keys: The key of each event.
            values: The value of each event that stores.
            deleted: The places of the events that delete, in order.

        Raises:
            EventError: Some event does not fit the entity; `read` tells which.
        """
        keys = self._entity.decode_keys(wire_keys)
        if not {*map(type, keys)} <= PLAIN:
            raise EventError("some key has several forms")
        if not deleted:
            return keys, self._entity.decode_all(keys, values)
        gone = {*deleted}
        stored = [key for place, key in enumerate(keys) if place not in gone]
        rows: list[Any] = self._entity.decode_all(stored, values)
        for place in deleted:
            rows.insert(place, None)
        return keys, rows

    def stage(self, keys: list[Hashable], rows: list[Any]) -> None:
        """Stage what `decode_all` returned."""
        self._rows.update(zip(keys, rows, strict=True))
        if self._dumped is not None:
            self._dumped.update(key for key, row in zip(keys, rows, strict=True) if row is not None)

    def _decode(self, event: ChangeEvent) -> tuple[Any, Any]:
        entity = self._entity
        if entity.merge and event.headers.operation != "insert":
            present = self._present(normal(entity.decode_key(event.key)))
            if present is not None:
                return entity.merge_row(present, event)
        return entity.decode(event)

    def _present(self, key: Hashable) -> Any:
        if key in self._rows:
            return self._rows[key]
        return None if self._truncated else self._collection.synced_row(key)

    @property
    def is_in_snapshot(self) -> bool:
        """Whether a snapshot has begun and not ended."""
        return self._dumped is not None

    def truncate(self) -> None:
        """Stage the removal of all rows; a snapshot that was under way is abandoned."""
        self._rows.clear()
        self._truncated = True
        self._dumped = None

    def start_snapshot(self) -> None:
        """Note the keys of rows from here on; a second start begins anew."""
        self._dumped = set()

    def end_snapshot(self) -> None:
        """Stage the removal of the rows without a note; an end without a start means nothing."""
        if self._dumped is None:
            return
        present = () if self._truncated else self._collection.synced_keys()
        for key in (*present, *self._rows):
            if key not in self._dumped:
                self._rows[key] = None
        self._dumped = None

    def write(self) -> None:
        """Write what is staged into the collection, as one commit."""
        with self._collection.sync() as write:
            if self._truncated:
                write.truncate()
            write.write_keyed(self._rows)
        self._rows.clear()
        self._truncated = False
