"""A measurement means something: it says what it did, and fails loudly when the sides disagree."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest

from benchmarks.answers import DisagreementError
from benchmarks.checksum import checksum
from benchmarks.floors.filtering import FilterFloor
from benchmarks.floors.top import TopFloor
from benchmarks.measure import measure
from benchmarks.measurement import Measurement, summarized
from benchmarks.peers.local import Local
from benchmarks.peers.roster import FLOOR, OURS, ROSTER
from benchmarks.peers.sql import SELECT
from benchmarks.peers.sqlite import Sqlite
from benchmarks.peers.views import local
from benchmarks.plan import Plan
from benchmarks.questions import QUESTIONS, Question
from benchmarks.traffic import Row, Write

TINY = Plan(sizes=(100, 300), segments=2, commits=((1, 50), (100, 2)), peers=(OURS, FLOOR))

BY_NAME = {question.name: question for question in QUESTIONS}
FILTER, TOP = BY_NAME["filter"], BY_NAME["top100"]


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep peers in this process, where starting them takes no time and they may be made of classes of the tests."""
    for name in (OURS, FLOOR, "sqlite"):
        entry = replace(ROSTER[name], make=partial(local, name))
        monkeypatch.setitem(ROSTER, name, entry)


def ours(measured: Sequence[Measurement]) -> list[Measurement]:
    return [found for found in measured if found.peer == OURS]


@pytest.mark.parametrize("question", QUESTIONS, ids=list(BY_NAME))
def test_every_question_has_its_answer_altered_by_half_of_the_changes(question: Question) -> None:
    plan = replace(TINY, sizes=(1_000,), commits=((1, 200),), workloads=(question.workload,))
    (measured,) = ours(list(measure(replace(question, sizes=(1_000,)), plan)))
    assert measured.altered is not None
    assert measured.altered >= 0.5


def test_a_question_is_measured_in_each_of_its_ways_at_each_size() -> None:
    measured = list(measure(FILTER, TINY))
    assert [(found.workload, found.metric, found.size) for found in ours(measured)] == [
        (workload, metric, size)
        for size in TINY.sizes
        for workload, metric in (
            ("W1", "load"),
            ("W1", "hydrate"),
            ("W2", "change"),
            ("W2", "batch 100"),
        )
    ]
    for found in measured:
        assert 0 < found.low <= found.p50 <= found.high
        assert found.ratio_low is not None
        assert found.ratio is not None
        assert found.ratio_high is not None
        assert 0 < found.ratio_low <= found.ratio <= found.ratio_high
        assert (found.segments, found.against) == (2, FLOOR if found.peer == OURS else OURS)


def test_only_the_workloads_asked_for_are_measured() -> None:
    plan = replace(TINY, sizes=(100,))
    first = ours(list(measure(FILTER, replace(plan, workloads=("W1",)))))
    second = ours(list(measure(FILTER, replace(plan, workloads=("W2",)))))
    assert [found.metric for found in first] == ["load", "hydrate"]
    assert [found.metric for found in second] == ["change", "batch 100"]
    assert list(measure(FILTER, replace(plan, workloads=("W3",)))) == []


def test_a_peer_without_allowance_is_timed_once_and_ends_in_the_same_state() -> None:
    plan = replace(TINY, sizes=(200,), peers=(OURS, "sqlite"), allowance=0)
    measured = list(measure(FILTER, plan))
    assert {(found.peer, found.metric): found.segments for found in measured} == {
        (OURS, "load"): 2,
        (OURS, "hydrate"): 2,
        (OURS, "change"): 2,
        (OURS, "batch 100"): 2,
        ("sqlite", "load"): 1,
        ("sqlite", "hydrate"): 1,
        ("sqlite", "change"): 2,
        ("sqlite", "batch 100"): 2,
    }


def test_a_view_that_misses_a_delete_is_noticed() -> None:
    class Forgetful(FilterFloor):
        def commit(self, writes: Sequence[Write]) -> None:
            super().commit([write for write in writes if write.op != "delete"])

    with pytest.raises(DisagreementError, match="filter: floor has another answer than ours: "):
        list(measure(replace(FILTER, floor=Forgetful), TINY))


def test_a_peer_with_another_answer_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Forgetful(Sqlite):
        def commit(self, writes: Sequence[Write]) -> None:
            super().commit([write for write in writes if write.op != "delete"])

    entry = replace(
        ROSTER["sqlite"], make=lambda question: Local(Forgetful(question.name, delivers=True))
    )
    monkeypatch.setitem(ROSTER, "sqlite", entry)
    plan = replace(TINY, sizes=(200,), peers=(OURS, "sqlite"))
    measured = [(found.peer, found.metric) for found in measure(FILTER, plan)]
    assert measured == [
        (OURS, "load"),
        ("sqlite", "load"),
        (OURS, "hydrate"),
        ("sqlite", "hydrate"),
        (OURS, "change"),
        (OURS, "batch 100"),
    ]
    assert "without sqlite from here: filter: sqlite has another answer" in capsys.readouterr().err


def test_a_view_in_the_wrong_order_is_noticed() -> None:
    class Backwards(TopFloor):
        def result(self) -> dict[object, Row]:
            return dict(reversed(super().result().items()))

    with pytest.raises(DisagreementError, match=r"top100: .* the same rows in another order"):
        list(measure(replace(TOP, floor=Backwards), TINY))


def test_a_view_that_delivers_too_often_is_noticed() -> None:
    class Chatty(FilterFloor):
        def commit(self, writes: Sequence[Write]) -> None:
            super().commit(writes)
            self._subscriber([])

    with pytest.raises(DisagreementError, match=r"filter: .*delivered differ"):
        list(measure(replace(FILTER, floor=Chatty), TINY))


def test_an_answer_that_a_recount_does_not_give_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SELECT, "filter", f"{SELECT['filter']} AND priority < 4")
    with pytest.raises(DisagreementError, match="filter: a recount gives another answer"):
        list(measure(FILTER, replace(TINY, sizes=(100,))))


def test_a_checksum_depends_on_rows_and_where_asked_on_their_order() -> None:
    rows: list[Row] = [{"n": 1, "m": 2.0}, {"n": 2, "m": 0.5}]
    same: list[Row] = [{"m": 0.5, "n": 2.0}, {"m": 2, "n": 1}]
    other: list[Row] = [{"n": 1, "m": 2}, {"n": 2, "m": 0.25}]
    assert checksum(rows) == checksum(same) == 3_434_415_172
    assert len({checksum(rows), checksum(other), checksum(rows[:1])}) == 3
    assert checksum(rows, ordered=True) != checksum(same, ordered=True)


def test_figures_are_medians_over_segments() -> None:
    found = summarized(
        [[1.0, 2.0, 9.0], [4.0], [*map(float, range(201))]],
        workload="W2",
        query="q",
        size=10,
        metric="change",
        unit="us per change",
        peer=OURS,
        against=FLOOR,
        others=[[1.0], [2.0]],
    )
    assert (found.p50, found.p99, found.low, found.high, found.segments) == (4, 198, 2, 100, 3)
    assert (found.ratio, found.ratio_low, found.ratio_high) == (2, 2, 2)
