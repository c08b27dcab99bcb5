"""Engine and hand-written views agree: two implementations of one question, changed by the same random history."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.floors.top import LIMIT, SPARE
from benchmarks.sides import ByHand, Ours, Side
from benchmarks.traffic import Shop, Traffic, Transcript, Write
from benchmarks.workloads import WORKLOADS, Workload

# Smaller and wilder than what is measured: groups and messages empty out, users come and go, order matters at the rim.
STRESS: dict[str, Callable[[int], Traffic]] = {
    "filter": lambda seed: Shop(20, seed),
    "join": lambda seed: Shop(20, seed, users=0.4, orphans=0.2),
    "leftjoin": lambda seed: Shop(20, seed, users=0.4, orphans=0.2),
    "group100": lambda seed: Shop(20, seed),
    "groupfk": lambda seed: Shop(20, seed, orphans=0.2),
    "top100": lambda seed: Shop(LIMIT + SPARE + 50, seed, hot=LIMIT + 5),
    "fold": lambda seed: Transcript(400, seed, edits=0.6),
}

by_name = pytest.mark.parametrize(
    "workload", WORKLOADS, ids=[workload.name for workload in WORKLOADS]
)


class Pair:
    """Both sides of a workload; they agree after every commit, on the result and on what was delivered."""

    def __init__(self, workload: Workload, traffic: Traffic) -> None:
        self.ours, self.floor = Ours(workload, traffic.tables()), ByHand(workload, traffic.tables())
        self.ours.hydrate()
        self.floor.hydrate()
        self.is_ordered = workload.ordered
        self.check()

    def commit(self, writes: list[Write]) -> None:
        self.ours.commit(writes)
        self.floor.commit(writes)
        self.check()

    def check(self) -> None:
        rows, by_hand = dict(self.ours.result()), dict(self.floor.result())
        assert rows == by_hand
        assert not self.is_ordered or list(rows) == list(by_hand)
        assert delivered(self.ours) == delivered(self.floor)


def delivered(side: Side) -> tuple[int, list[tuple[Any, ...]]]:
    """Return how many deliveries there were, and the events of the last one in an order both sides share."""
    last = sorted(map(tuple, side.receiver.last), key=lambda event: repr(event[1]))
    return side.receiver.calls, last


@by_name
@pytest.mark.parametrize("seed", range(3))
def test_engine_and_floor_agree_after_every_commit(workload: Workload, seed: int) -> None:
    rng, traffic = random.Random(seed), STRESS[workload.name](seed)
    pair = Pair(workload, traffic)
    for _ in range(120):
        pair.commit([traffic.change() for _ in range(rng.choice((1, 1, 1, 2, 5, 30)))])
    assert pair.ours.receiver.calls > 60


@by_name
def test_engine_and_floor_agree_when_everything_goes_and_comes_back(workload: Workload) -> None:
    tables = STRESS[workload.name](0).tables()
    rows = [(name, row) for name, table in tables.items() for row in table]
    random.Random(0).shuffle(rows)
    pair = Pair(workload, STRESS[workload.name](0))
    for name, row in rows:
        pair.commit([Write("delete", name, row["id"], None)])
    assert pair.floor.result() == {}
    for name, row in reversed(rows):
        pair.commit([Write("insert", name, row["id"], dict(row))])


@by_name
def test_writes_that_cancel_each_other_deliver_nothing(workload: Workload) -> None:
    traffic = STRESS[workload.name](0)
    pair = Pair(workload, traffic)
    name, table = next(iter(traffic.tables().items()))
    row = table[0]
    pair.commit(
        [Write("delete", name, row["id"], None), Write("insert", name, row["id"], dict(row))]
    )
    pair.commit([Write("update", name, row["id"], dict(row))])
    assert (pair.floor.receiver.calls, pair.ours.receiver.calls) == (0, 0)
