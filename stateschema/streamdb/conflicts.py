"""Conflicts: events that were made for another row than the one they meet.

An update, upsert or delete may carry `old_value`, the row its author saw. Where another author was
faster, that is not the row that is there.

Policies   "ignore"  the last write wins, `old_value` is not looked at
           "report"  the last write wins, and a callback is told
           "refuse"  the first write wins: an event in conflict has no effect, and a callback is told
Law        Readers of one stream under one policy agree: what is compared is the fold of the stream so
           far, never anything pending. Under "refuse" all of them have to read from the start, or
           resume from what one of them kept.
Equality   Both rows are read by the schema and compared as rows: fields that only one side knows, and
           that have a default, make no difference. An `old_value` that does not fit is equal to none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from stateschema.errors import EventError
from stateschema.events import ChangeEvent
from stateschema.schema.entity import Entity

Conflicts: TypeAlias = Literal["ignore", "report", "refuse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """An event and the row it met.

    Attributes:
        entity: Name of the entity.
        event: What was sent.
        row: The row that was there; None if there was none.
        is_refused: Whether the event had no effect.
    """

    entity: str
    event: ChangeEvent
    row: Any
    is_refused: bool


class ConflictRule:
    """Decides about events with an `old_value`.

    Args:
        policy: "report" or "refuse".
        on_conflict: Called with each conflict.

    Attributes:
        count: Conflicts met since it was last set to 0.
        refused: Txids of events that had no effect since it was last cleared.
    """

    def __init__(self, policy: Conflicts, on_conflict: Callable[[Conflict], object] | None) -> None:
        self._refuses = policy == "refuse"
        self._on_conflict = on_conflict
        self.count = 0
        self.refused: dict[str, None] = {}

    def admits(self, entity: Entity[Any], event: ChangeEvent, row: Any) -> bool:
        """Tell whether an event has an effect on the row that is there, None for no row."""
        if event.old_value is None or event.headers.operation == "insert":
            return True
        try:
            is_same = row is not None and entity.decode_old(event) == row
        except EventError:
            is_same = False
        if is_same:
            return True
        self.count += 1
        if self._on_conflict is not None:
            found = Conflict(entity=entity.name, event=event, row=row, is_refused=self._refuses)
            self._on_conflict(found)
        if self._refuses and event.headers.txid is not None:
            self.refused[event.headers.txid] = None
        return not self._refuses
