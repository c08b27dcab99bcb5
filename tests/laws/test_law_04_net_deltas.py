"""Law 4: deltas are net, and folding them reproduces the collection.

A subscriber of every collection and every live view, some with `initial=`, some with `where=`, keeps
its own copy of the rows by folding what it gets. Every delivery is a non-empty list with one change
per key, each of which changes something and starts from the row the subscriber knows; after every
epoch the copy equals what is shown. An epoch that changes nothing visible delivers nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import Phase, given, settings

from tests.laws.running import Run, attempt, by_key, held
from tests.laws.shrinking import Failure, assert_holds
from tests.oracle.semantics import same
from tests.programs import has_x
from tests.strategies import cases

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cases import Case
    from tests.laws.running import Entries

ALL = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])


@dataclass
class Copy:
    """What a subscriber knows: rows by key, folded from deliveries."""

    name: str
    source: Any
    where: Callable[[Any], bool] | None = None
    entries: Entries = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    deliveries: int = 0

    def receive(self, changes: list[Any]) -> None:
        self.deliveries += 1
        if not changes:
            self.faults.append("an empty delivery")
        seen: list[Any] = []
        for change in changes:
            if any(same(change.key, key) for key in seen):
                self.faults.append(f"two changes of key {change.key!r}: {changes}")
            seen.append(change.key)
            fault = self.fold(change)
            if fault:
                self.faults.append(f"{fault}: {change}")

    def fold(self, change: Any) -> str | None:
        """Apply one change; say what is wrong with it."""
        known = [n for n, (key, _) in enumerate(self.entries) if same(key, change.key)]
        if change.op == "insert":
            self.entries.append((change.key, change.value))
            if change.old is not None:
                return "an insert with an old row"
            return "an insert of a present key" if known else None
        if not known:
            return f"an {change.op} of an unknown key"
        (position,) = known
        before = self.entries[position][1]
        if change.op == "delete":
            del self.entries[position]
            return None if same(change.value, before) else "a delete of another row"
        self.entries[position] = (change.key, change.value)
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


def deltas_are_net(case: Case) -> Failure | None:
    """Follow everything in a case and look at every delivery."""
    return attempt(case, _deltas_are_net)


def _deltas_are_net(run: Run) -> Failure | None:
    run.start_views()
    sources: list[tuple[str, Any]] = list(run.collections.items())
    sources += [(view.name, view.result) for view in run.watched]
    copies = []
    for name, source in sources:
        copies += [
            _follow(Copy(name, source), initial=False),
            _follow(Copy(f"{name} initially", source), initial=True),
            _follow(Copy(f"{name} where x", source, has_x), initial=True),
        ]
    subscriptions = [subscription for _, subscription in copies]
    try:
        for n, commit in enumerate(run.case.history, start=1):
            before = [(copy.deliveries, by_key(copy.shown())) for copy, _ in copies]
            run.commit(commit)
            for (copy, _), (deliveries, shown) in zip(copies, before, strict=True):
                fault = copy.fault()
                if fault is None and copy.deliveries - deliveries > 1:
                    fault = f"{copy.name} got {copy.deliveries - deliveries} deliveries"
                if (
                    fault is None
                    and copy.deliveries > deliveries
                    and same(shown, by_key(copy.shown()))
                ):
                    fault = f"{copy.name} got a delivery although nothing changed"
                if fault is not None:
                    return Failure("delta", f"after commit {n} {fault}")
    finally:
        for subscription in subscriptions:
            subscription.close()
    return None


def _follow(copy: Copy, *, initial: bool) -> tuple[Copy, Any]:
    if not initial:
        copy.entries = held(copy.source)
    subscription = copy.source.subscribe(copy.receive, initial=initial, where=copy.where)
    return copy, subscription


@ALL
@given(cases())
def test_folding_net_deltas_reproduces_the_collection(case: Case) -> None:
    assert_holds(case, deltas_are_net)
