"""A measurement means something: it says what it did, and fails loudly when the sides disagree."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from benchmarks.floors.filtering import FilterFloor
from benchmarks.floors.top import TopFloor
from benchmarks.measure import Plan, measure
from benchmarks.sides import DisagreementError, checksum
from benchmarks.traffic import Row, Write
from benchmarks.workloads import WORKLOADS, Workload

TINY = Plan(sizes=(100, 300), segments=2, changes=50, batches=2)

FILTER = next(workload for workload in WORKLOADS if workload.name == "filter")
TOP = next(workload for workload in WORKLOADS if workload.name == "top100")


@pytest.mark.parametrize("workload", WORKLOADS, ids=[workload.name for workload in WORKLOADS])
def test_every_workload_alters_its_result_with_half_of_its_changes(workload: Workload) -> None:
    single = replace(workload, sizes=(1_000,), kinds=("change",))
    (measured,) = measure(single, replace(TINY, changes=200))
    assert measured.altered is not None
    assert measured.altered >= 0.5


def test_a_workload_is_measured_in_each_of_its_ways_at_each_size() -> None:
    measured = list(measure(FILTER, TINY))
    assert [(found.kind, found.size) for found in measured] == [
        ("change", 100),
        ("batch", 100),
        ("load", 300),
        ("hydrate", 300),
        ("change", 300),
        ("batch", 300),
    ]
    for found in measured:
        assert 0 < found.ratio_low <= found.ratio <= found.ratio_high
        assert 0 < found.ours.p50 <= found.ours.p99
        assert 0 < found.floor.p50 <= found.floor.p99


def test_a_view_that_misses_a_delete_is_noticed() -> None:
    class Forgetful(FilterFloor):
        def commit(self, writes: Sequence[Write]) -> None:
            super().commit([write for write in writes if write.op != "delete"])

    with pytest.raises(DisagreementError, match=r"filter: \d+ keys differ, the first at \d+: ours"):
        list(measure(replace(FILTER, floor=Forgetful), TINY))


def test_a_view_in_the_wrong_order_is_noticed() -> None:
    class Backwards(TopFloor):
        def result(self) -> dict[object, Row]:
            return dict(reversed(super().result().items()))

    with pytest.raises(DisagreementError, match="top100: the same rows in another order"):
        list(measure(replace(TOP, floor=Backwards), TINY))


def test_a_view_that_delivers_too_often_is_noticed() -> None:
    class Chatty(FilterFloor):
        def commit(self, writes: Sequence[Write]) -> None:
            super().commit(writes)
            self._subscriber([])

    with pytest.raises(DisagreementError, match=r"filter: .*delivered differ"):
        list(measure(replace(FILTER, floor=Chatty), TINY))


def test_a_checksum_depends_on_keys_and_rows_alone() -> None:
    rows: dict[object, Row] = {1: {"n": 1}, 2: {"n": 2}}
    assert checksum(rows) == checksum(dict(reversed(rows.items()))) == 2_245_889_705
    assert len({checksum(rows), checksum({1: {"n": 2}, 2: {"n": 1}}), checksum({1: {"n": 1}})}) == 3
