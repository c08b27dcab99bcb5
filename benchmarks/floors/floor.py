"""Floor: what a hand-written view has to do to count as one.

It holds the source rows, takes any batch of writes, skips those that change nothing, keeps its result and the state that
needs up to date in time proportional to the change, nets what happened to each key of the result over the batch, and hands
the list of events, if there are any, to its one subscriber. Given the same writes it delivers the same events as the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.traffic import Row, Tables, Write

Event: TypeAlias = tuple[str, Any, Any, Any]  # op, key, value, old: as `dataflow.Change`
Step: TypeAlias = tuple[Any, ...]  # kind of a splice and its fields: as `dataflow.Splice`
Subscriber: TypeAlias = "Callable[[Sequence[Event | Step]], object]"


class Floor(Protocol):
    """A view written by hand; made from its tables and a subscriber, with an empty result until `hydrate`."""

    def hydrate(self) -> None:
        """Build the result and the state from the tables' rows."""
        ...

    def commit(self, writes: Sequence[Write]) -> None:
        """Apply writes and deliver the net events of the result."""
        ...

    def result(self) -> dict[Any, Row]:
        """Return the result, key -> row, in its order if it has one."""
        ...


class MakeFloor(Protocol):
    """Makes a floor."""

    def __call__(self, tables: Tables, subscriber: Subscriber) -> Floor:
        """Take the tables in, without building anything from them yet."""
        ...


def by_id(rows: list[Row]) -> dict[Any, Row]:
    """Return rows under their ids."""
    return {row["id"]: row for row in rows}


def net_events(before: dict[Any, Row | None], rows: dict[Any, Row]) -> list[Event]:
    """Return the events that lead from the rows before, of the keys that were touched, to the rows now."""
    events: list[Event] = []
    for key, old in before.items():
        new = rows.get(key)
        if old is None:
            if new is not None:
                events.append(("insert", key, new, None))
        elif new is None:
            events.append(("delete", key, old, old))
        elif new is not old and new != old:
            events.append(("update", key, new, old))
    return events
