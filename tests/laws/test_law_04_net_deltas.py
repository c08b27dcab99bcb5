"""Law 4: deltas are net, and folding them reproduces the collection.

A subscriber of every collection and every live view, some with `initial=`, some with `where=`, keeps
its own copy of the rows by folding what it gets. Every delivery is a non-empty list with one change
per key, each of which changes something and starts from the row the subscriber knows; after every
epoch the copy equals what is shown. An epoch that changes nothing visible delivers nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import Phase, given, settings

from tests.forms import has_x
from tests.laws.copies import Copy, follow
from tests.laws.running import Run, attempt, by_key
from tests.laws.shrinking import Failure, assert_holds
from tests.oracle.semantics import same
from tests.strategies import cases

if TYPE_CHECKING:
    from tests.cases import Case

ALL = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])


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
            follow(Copy(name, source), initial=False),
            follow(Copy(f"{name} initially", source), initial=True),
            follow(Copy(f"{name} where x", source, has_x), initial=True),
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


@ALL
@given(cases())
def test_folding_net_deltas_reproduces_the_collection(case: Case) -> None:
    assert_holds(case, deltas_are_net)
