"""What a subscriber knows: a copy of the rows, folded from what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.laws.running import by_key, held
from tests.oracle.semantics import kind, normal, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.laws.running import Entries


@dataclass
class Copy:
    """What a subscriber knows: rows by key, folded from deliveries.

    Attributes:
        alike: Bucket -> the pairs whose keys are in it; views of thousands of rows are folded too.
    """

    name: str
    source: Any
    where: Callable[[Any], bool] | None = None
    alike: dict[int, Entries] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    deliveries: int = 0

    @property
    def entries(self) -> Entries:
        return [entry for entries in self.alike.values() for entry in entries]

    def receive(self, changes: list[Any]) -> None:
        self.deliveries += 1
        if not changes:
            self.faults.append("an empty delivery")
        seen: dict[int, list[Any]] = {}
        for change in changes:
            keys = seen.setdefault(bucket(change.key), [])
            if any(same(change.key, key) for key in keys):
                self.faults.append(f"two changes of key {change.key!r}: {changes}")
            keys.append(change.key)
            fault = self.fold(change)
            if fault:
                self.faults.append(f"{fault}: {change}")

    def fold(self, change: Any) -> str | None:
        """Apply one change; say what is wrong with it."""
        entries = self.alike.setdefault(bucket(change.key), [])
        known = [n for n, (key, _) in enumerate(entries) if same(key, change.key)]
        if change.op == "insert":
            entries.append((change.key, change.value))
            if change.old is not None:
                return "an insert with an old row"
            return "an insert of a present key" if known else None
        if not known:
            return f"an {change.op} of an unknown key"
        (position,) = known
        before = entries[position][1]
        if change.op == "delete":
            del entries[position]
            return None if same(change.value, before) else "a delete of another row"
        entries[position] = (change.key, change.value)
        if same(change.old, change.value):
            return "an update that changes nothing"
        return None if same(change.old, before) else "an update from another row"

    def shown(self) -> Entries:
        entries = held(self.source)
        return [e for e in entries if self.where is None or self.where(e[1])]

    def fault(self) -> str | None:
        if self.faults:
            return f"{self.name} got {self.faults[0]}"
        mine, shown = by_key(self.entries), by_key(self.shown())
        return None if same(mine, shown) else f"{self.name} folded {mine}\n  but shown is {shown}"


def bucket(key: Any) -> int:
    """Return where to look for a key: equal keys have equal buckets, and few others have the same."""
    match kind(key):
        case "tuple":
            return hash(tuple(map(bucket, key)))
        case "object" | "mapping" | "list":
            return 0
        case _:
            return hash(normal(key))


def follow(copy: Copy, *, initial: bool) -> tuple[Copy, Any]:
    """Subscribe a copy; return it with its subscription."""
    for key, row in () if initial else held(copy.source):
        copy.alike.setdefault(bucket(key), []).append((key, row))
    subscription = copy.source.subscribe(copy.receive, initial=initial, where=copy.where)
    return copy, subscription
