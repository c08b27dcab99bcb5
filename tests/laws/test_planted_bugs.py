"""The laws notice: an engine with a planted bug does not pass them.

Each bug is one that real engines have had. It is planted by replacing one function; then the check
of a law must fail on one of its first cases. A law that lets a planted bug through proves nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from dataflow.aggregation.extremes import Extremes
from dataflow.collection import changes, subscription, sync
from dataflow.query.compiler import nest, setops, window
from dataflow.query.compiler.distinct import Distinct
from dataflow.query.compiler.fixpoint import Fixpoint
from dataflow.query.compiler.group import Group
from dataflow.query.compiler.join import Join
from dataflow.query.compiler.order import Order
from dataflow.query.compiler.semijoin import SemiJoin
from dataflow.zset import ZSet
from tests.laws import test_law_05_conservation as law_5
from tests.laws import test_law_09_work as law_9
from tests.laws.test_law_01_no_zero_weights import assert_is
from tests.laws.test_law_02_oracle_agrees import agrees, agrees_with_sqlite
from tests.laws.test_law_03_partition import ends_alike
from tests.laws.test_law_04_net_deltas import deltas_are_net
from tests.strategies import random_case

if TYPE_CHECKING:
    from dataflow.circuit.node import Delta
    from tests.cases import Case
    from tests.laws.shrinking import Check

CASES = 400

Plant = Callable[[pytest.MonkeyPatch], None]


def some_cases() -> Iterator[Case]:
    """Yield the cases a planted bug has to show itself in: any first, then those with the rarest feature."""
    for wishes in (frozenset[str](), frozenset({"recursion over a cycle"})):
        for seed in range(CASES):
            yield random_case(random.Random(seed), commits=6, views=2, wishes=wishes)


def one_sided_join(patch: pytest.MonkeyPatch) -> None:
    """A join that only follows changes of its left side."""
    patch.setattr(Join, "_delta", lambda self: [])


def join_with_the_present(patch: pytest.MonkeyPatch) -> None:
    """A join that, when both sides change, joins both changes with the new state."""
    patch.setattr(Join, "_right_past", Join._right_now)


def sticky_extremes(patch: pytest.MonkeyPatch) -> None:
    """A maximum that outlives the row it came from."""
    patch.setattr(Extremes, "remove", lambda self, value: None)


def limit_without_refill(patch: pytest.MonkeyPatch) -> None:
    """A window that lets rows go, and none in after them."""
    remove = Order._remove

    def remove_only(self: Order, entry: Any) -> None:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(Order, "_enter", lambda self, key: None)
            remove(self, entry)

    patch.setattr(Order, "_remove", remove_only)


def stale_row_in_a_window(patch: pytest.MonkeyPatch) -> None:
    """An ordered result that keeps the old row when its place stays the same."""
    patch.setattr(Order, "_refresh", lambda self, key, row: None)


def list_that_stays(patch: pytest.MonkeyPatch) -> None:
    """A nested list that is new only when it is longer or shorter."""
    patch.setattr(nest, "same", lambda was, now: len(was) == len(now))


def unmatched_rows_that_stay(patch: pytest.MonkeyPatch) -> None:
    """A left join that does not notice the first match of a row, nor the loss of its last."""
    patch.setattr(Join, "_turned", lambda self: ())


def one_sided_semi_join(patch: pytest.MonkeyPatch) -> None:
    """A semi join that does not look again at the rows of a key that came or went on the right."""
    honest = SemiJoin.step

    def step(self: SemiJoin) -> Delta:
        moved = {key for (key, *_), *_ in self._left_index.moves}
        return [change for change in honest(self) if change[0] in moved]

    patch.setattr(SemiJoin, "step", step)


def rows_that_never_move(patch: pytest.MonkeyPatch) -> None:
    """Window functions that leave an updated row where it was in its partition."""
    patch.setattr(window, "_is_in_place", lambda before, after: before.partition == after.partition)


def except_of_the_first_alone(patch: pytest.MonkeyPatch) -> None:
    """A set difference that takes nothing away."""
    patch.setitem(setops.RULES, "except", lambda counts: counts[0] > 0)


def distinct_without_counts(patch: pytest.MonkeyPatch) -> None:
    """A distinct for which a value is gone when one of the rows that have it goes."""
    step = Distinct.step

    def step_with_one_row_each(self: Distinct) -> Delta:
        if any(new is None for _, _, new in self.inputs[0].out):
            self._repeats.clear()
        return step(self)

    patch.setattr(Distinct, "step", step_with_one_row_each)


def cycles_that_stay(patch: pytest.MonkeyPatch) -> None:
    """A recursion that counts derivations and trusts the count."""

    def retract(self: Fixpoint) -> None:
        rows = self._present()
        while self._lost:
            lost, self._lost = self._lost, {}
            doomed = [v for v in lost if v in rows and not any(self._supports[v])]
            for value in doomed:
                self._before.setdefault(value, rows[value])
            self._round([(value, rows.pop(value), None) for value in doomed])

    patch.setattr(Fixpoint, "_retract", retract)


def deletes_that_are_not_told(patch: pytest.MonkeyPatch) -> None:
    """A subscription that keeps deletes to itself when something else changed as well."""

    def changes_of(delta: Delta) -> Any:
        told = list(changes.changes_of(delta))
        return [change for change in told if change.op != "delete"] or told

    patch.setattr(subscription, "changes_of", changes_of)


def last_write_lost(patch: pytest.MonkeyPatch) -> None:
    """A commit that stages the first of two writes to one row."""

    class FirstOnes(dict[Any, Any]):
        def __setitem__(self, key: Any, row: Any) -> None:
            self.setdefault(key, row)

    make = sync.StagedRows.__init__

    def stage(self: sync.StagedRows, *args: Any) -> None:
        make(self, *args)
        self.rows = FirstOnes()

    patch.setattr(sync.StagedRows, "__init__", stage)


def changes_told_twice(patch: pytest.MonkeyPatch) -> None:
    """A subscription that hands out every change twice."""

    def twice(delta: Delta) -> Any:
        return [change for change in changes.changes_of(delta) for _ in range(2)]

    patch.setattr(subscription, "changes_of", twice)


def torn_commit(patch: pytest.MonkeyPatch) -> None:
    """A batch whose commits become visible one by one."""
    patch.setattr(sync, "current_batch", lambda: None)


@pytest.mark.parametrize(
    ("plant", "check"),
    [
        (one_sided_join, agrees),
        (one_sided_join, agrees_with_sqlite),
        (join_with_the_present, agrees),
        (join_with_the_present, ends_alike),
        (sticky_extremes, agrees),
        (sticky_extremes, ends_alike),
        (limit_without_refill, agrees),
        (limit_without_refill, ends_alike),
        (stale_row_in_a_window, agrees),
        (list_that_stays, agrees),
        (unmatched_rows_that_stay, agrees),
        (one_sided_semi_join, agrees),
        (one_sided_semi_join, agrees_with_sqlite),
        (rows_that_never_move, agrees),
        (except_of_the_first_alone, agrees),
        (except_of_the_first_alone, agrees_with_sqlite),
        (distinct_without_counts, agrees),
        (cycles_that_stay, agrees),
        (last_write_lost, agrees),
        (last_write_lost, ends_alike),
        (changes_told_twice, deltas_are_net),
        (deletes_that_are_not_told, deltas_are_net),
        (torn_commit, deltas_are_net),
    ],
)
def test_a_planted_bug_is_found(plant: Plant, check: Check) -> None:
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        found = next((case for case in some_cases() if check(case) is not None), None)
    assert found is not None
    assert check(found) is None  # it is the planted bug, and nothing else


def test_a_torn_commit_loses_money(monkeypatch: pytest.MonkeyPatch) -> None:
    assert law_5.faults_of(1) == []
    torn_commit(monkeypatch)
    assert law_5.faults_of(1) != []


def test_a_kept_zero_weight_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(self: ZSet[Any], form: Any, row: Any, weight: int) -> None:
        _, before = self._entries.get(form, (row, 0))
        self._entries[form] = (row, before + weight)

    monkeypatch.setattr(ZSet, "_add", keep)
    with pytest.raises(AssertionError):
        assert_is(ZSet([("a", 1), ("a", -1)]), [("a", 1), ("a", -1)])


def test_a_group_that_recomputes_everything_is_found_although_it_is_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest = Group.step

    def recompute(self: Group) -> Delta:
        assert all(row.amount is not None for _, row in self.inputs[0].scan())
        return honest(self)

    monkeypatch.setattr(Group, "step", recompute)
    monkeypatch.setattr(law_9, "SHAPES", {"grouped": law_9.grouped})
    small, large = ([cost.read for cost in law_9.work.__wrapped__(size)] for size in (100, 500))
    assert small != large
