"""Law 3: however a history of changes is cut into epochs, it ends in the same state.

One history is run as it is, change by change, as one single epoch, and cut at random; and once the
queries start only when everything is over. No oracle is needed: the runs are held against each
other.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from hypothesis import Phase, given, settings

from tests.laws.running import Run, attempt, by_key, held
from tests.laws.shrinking import Failure, assert_holds
from tests.oracle.reference import is_ordered
from tests.oracle.semantics import same
from tests.strategies import cases

if TYPE_CHECKING:
    from tests.cases import Case, Commit, Op
    from tests.laws.running import Entries

SOME = settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=max(settings().max_examples // 2, 20),
)


def partitions(history: tuple[Commit, ...]) -> dict[str, tuple[Commit, ...]]:
    """Cut the changes of a history in several ways, keeping their order."""
    ops = tuple(op for commit in history for op in commit)
    rng = random.Random(len(ops))
    at_random: list[tuple[Op, ...]] = []
    for op in ops:
        if at_random and rng.random() < 0.6:
            at_random[-1] += (op,)
        else:
            at_random.append((op,))
    return {
        "as it is": history,
        "change by change": tuple((op,) for op in ops),
        "at once": (ops,),
        "cut at random": tuple(at_random),
    }


def ends_alike(case: Case) -> Failure | None:
    """Run every partition of a case's history and compare the ends."""
    ends: dict[str, list[Entries]] = {}

    def play(run: Run, how: str) -> Failure | None:
        if how != "before the start":
            run.start_views()
        for commit in run.case.history:
            run.commit(commit)
        if how == "before the start":
            run.start_views()
        ends[how] = [
            held(view.result) if is_ordered(view.tree) else by_key(held(view.result))
            for view in run.watched
        ]
        return None

    ways = partitions(case.history) | {"before the start": case.history}
    for how, history in ways.items():
        failure = attempt(replace(case, history=history), partial(play, how=how))
        if failure is not None:
            return failure
        if not same(ends[how], ends["as it is"]):
            detail = f"as it is {ends['as it is']}\n{how} {ends[how]}"
            return Failure(f"partition {how}", detail)
    return None


@SOME
@given(cases(commits=8))
def test_every_partition_of_a_history_ends_in_the_same_state(case: Case) -> None:
    assert_holds(case, ends_alike)
