"""Law 2: after every epoch, a live query holds exactly what its text means.

Random queries over random rows, while every one of their inputs is changed, several at once too;
after each epoch rows, keys and order are compared with a naive evaluation from scratch, and with
SQLite and DuckDB wherever SQL can say the same. In each case some mechanisms of the engine are at
work always or never, instead of where they pay. What the cases cover is counted: a soak has every
pair of features, and every feature with every kind of change on each of its inputs, fifty times.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, settings

from dataflow.query.compiler import entries
from tests.coverage_table import Tally, aimed, case_of
from tests.features import FEATURES
from tests.laws.mechanisms import SETTINGS, running_with, some_mechanisms
from tests.laws.running import Run, attempt, difference, held, start
from tests.laws.scrutiny import scrutinize, stands
from tests.laws.shrinking import Failure, assert_holds
from tests.strategies import cases

if TYPE_CHECKING:
    from dataflow.live.live import LiveQuery
    from tests.cases import Case

SOME, MANY, AIMED = 300, 20_000, 10_000  # cases; of the last, as many as it takes
OFTEN = 50
CASES = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])


def agrees(case: Case) -> Failure | None:
    """Compare every view with the reference evaluator, at the start and after every epoch."""
    return attempt(case, _agrees)


def _agrees(run: Run) -> Failure | None:
    run.start_views()
    failure = _compare(run, "at the start")
    for n, commit in enumerate(run.case.history, start=1):
        if failure is not None:
            break
        run.commit(commit)
        failure = _compare(run, f"after commit {n}")
    return failure


def _compare(run: Run, when: str) -> Failure | None:
    for view, expected in zip(run.watched, run.expected(), strict=True):
        if view.result.status != "ready":
            return Failure(
                "status", f"{view.name} is {view.result.status} {when}: {view.result.error!r}"
            )
        found = difference(view.tree, expected, held(view.result))
        if found is not None:
            return Failure("result", f"{view.name} differs {when}{found}")
    return None


def agrees_while_views_come_and_go(case: Case) -> Failure | None:
    """Start every view again and again during the history, and close some of them."""
    return attempt(case, _agrees_while_views_come_and_go)


def _agrees_while_views_come_and_go(run: Run) -> Failure | None:
    rng = random.Random(len(run.case.history))
    run.start_views()
    later: list[tuple[int, LiveQuery[Any]]] = []
    try:
        for n, commit in enumerate(run.case.history, start=1):
            run.commit(commit)
            for place, view in enumerate(run.watched):
                if rng.random() < 0.5:
                    later.append((place, start(view.tree)))
            expected = run.expected()
            for place, result in later:
                view = run.watched[place]
                found = difference(view.tree, expected[place], held(result))
                if found is not None:
                    return Failure(
                        "result", f"{view.name}, started later, differs after commit {n}{found}"
                    )
            while later and rng.random() < 0.6:
                later.pop(rng.randrange(len(later)))[1].close()
        return None
    finally:
        for _, result in later:
            result.close()


def agrees_with_sqlite(case: Case) -> Failure | None:
    """Compare every view with everything there is but DuckDB, after every epoch."""
    return stands(case, with_duckdb=False)


@CASES
@given(cases(), some_mechanisms)
def test_live_result_is_the_reference_result_after_every_epoch(
    case: Case, mechanisms: set[str]
) -> None:
    with running_with(sorted(mechanisms)):
        assert_holds(case, agrees)


@CASES
@given(cases(views=2))
def test_a_limit_that_keeps_hardly_more_than_its_window_agrees_too(case: Case) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entries, "SPARE", 1)  # these few rows would never empty the usual buffer
        assert_holds(case, agrees)


@CASES
@given(cases(views=2), some_mechanisms)
def test_views_may_start_and_end_at_any_time(case: Case, mechanisms: set[str]) -> None:
    with running_with(sorted(mechanisms)):
        assert_holds(case, agrees_while_views_come_and_go)


@CASES
@given(cases(commits=5, views=2))
def test_live_result_is_that_of_sqlite_and_duckdb_after_every_epoch(case: Case) -> None:
    assert_holds(case, stands)


def test_some_hundred_cases_meet_every_feature(tally: Tally) -> None:
    mine = Tally()
    for seed in range(SOME):
        scrutinize(case_of(seed), mine, seed)
    tally.merge(mine)
    assert mine.cases >= SOME * 0.99
    assert {name: mine.features[name] for name in FEATURES if mine.features[name] < 5} == {}
    changed = {(name, kind) for name, _, kind in mine.changes}
    assert {(name, kind) for name in FEATURES for kind in ("insert", "update")} <= changed


@pytest.mark.soak
@pytest.mark.parametrize("start", range(0, MANY, 1_000))
def test_thousands_of_cases_stand_up_to_every_oracle(start: int, tally: Tally) -> None:
    for seed in range(start, start + 1_000):
        rng = random.Random(seed)
        with running_with(rng.sample(sorted(SETTINGS), rng.randrange(4))):
            scrutinize(case_of(seed), tally, seed)


@pytest.mark.soak
def test_thousands_of_cases_meet_every_pair_of_features_and_every_change(tally: Tally) -> None:
    if tally.cases < MANY * 0.99:
        pytest.skip("the thousands of cases have not run in this session")
    for seed, wishes in zip(range(MANY, MANY + AIMED), aimed(tally, OFTEN), strict=False):
        scrutinize(case_of(seed, wishes), tally, seed)
    assert tally.rare_pairs(OFTEN) == {}
    assert tally.rare_changes(OFTEN) == {}
