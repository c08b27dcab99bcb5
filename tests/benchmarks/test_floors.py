"""Engine and hand-written views agree: two implementations of one question, changed by the same random history."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.floors.top import LIMIT, SPARE
from benchmarks.lines import Lines
from benchmarks.peers.by_hand import ByHand
from benchmarks.peers.ours import Ours
from benchmarks.peers.sql import SELECT
from benchmarks.peers.sqlite import Sqlite
from benchmarks.questions import QUESTIONS, Question
from benchmarks.traffic import Shop, Traffic, Transcript, Write
from dataflow import Insert, Move, Remove, Replace, apply_splices
from dataflow.values.null import ABSENT

# Smaller and wilder than what is measured: groups and messages empty out, users come and go, order matters at the rim.
STRESS: dict[str, Callable[[int], Traffic]] = {
    "filter": lambda seed: Shop(20, seed),
    "distinct": lambda seed: Shop(400, seed),
    "join": lambda seed: Shop(20, seed, users=0.4, orphans=0.2),
    "leftjoin": lambda seed: Shop(20, seed, users=0.4, orphans=0.2),
    "group100": lambda seed: Shop(20, seed),
    "groupfk": lambda seed: Shop(20, seed, orphans=0.2),
    "groupfloat": lambda seed: Shop(20, seed, unit=0.25),
    "sorted": lambda seed: Shop(20, seed),
    "positions": lambda seed: Shop(20, seed),
    "threeway": lambda seed: Lines(40, seed),
    "top100": lambda seed: Shop(LIMIT + SPARE + 50, seed, hot=LIMIT + 5),
    "fold": lambda seed: Transcript(400, seed, edits=0.6),
}

SPLICES: dict[str, Callable[..., Any]] = {
    "remove": Remove,
    "insert": Insert,
    "move": Move,
    "replace": Replace,
}

by_name = pytest.mark.parametrize(
    "question", QUESTIONS, ids=[question.name for question in QUESTIONS]
)


class Pair:
    """Both sides of a question; they agree after every commit, on the result and on what was delivered."""

    def __init__(self, question: Question, traffic: Traffic) -> None:
        self.ours, self.floor = Ours(question), ByHand(question)
        for side in (self.ours, self.floor):
            side.load(traffic.tables())
            side.hydrate()
        self.question = question
        self.shown = list(self.ours.result().values()), list(self.floor.result().values())
        self.check()

    def commit(self, writes: list[Write]) -> None:
        self.ours.commit(writes)
        self.floor.commit(writes)
        self.check()

    def check(self) -> None:
        rows, by_hand = dict(self.ours.result()), dict(self.floor.result())
        assert rows == by_hand
        assert not self.question.ordered or list(rows) == list(by_hand)
        if self.question.positions:
            self.follow()
        else:
            assert delivered(self.ours) == delivered(self.floor)

    def follow(self) -> None:
        """Let the lists shown follow what was told last, and see that they became the result."""
        sides: tuple[Ours | ByHand, ...] = (self.ours, self.floor)
        for side, shown in zip(sides, self.shown, strict=True):
            splices: list[Any] = [
                SPLICES[step[0]](*step[1:]) if isinstance(step, tuple) else step
                for step in side.receiver.last
            ]
            side.receiver.last = ()
            apply_splices(shown, splices)
            assert shown == list(side.result().values())
        assert self.ours.receiver.calls == self.floor.receiver.calls


def delivered(side: Ours | ByHand | Sqlite) -> tuple[int, list[tuple[Any, ...]]]:
    """Return how many deliveries there were, and the events of the last one in an order both sides share.

    In keys, None stands for a partner that is not there, as it does in SQL.
    """
    assert side.receiver is not None
    told: Any = side.receiver.last
    last = [(op, _as_in_sql(key), *rows) for op, key, *rows in map(tuple, told)]
    return side.receiver.calls, sorted(last, key=lambda event: repr(event[1]))


def _as_in_sql(key: Any) -> Any:
    return tuple(None if part is ABSENT else part for part in key) if type(key) is tuple else key


@by_name
@pytest.mark.parametrize("seed", range(3))
def test_engine_and_floor_agree_after_every_commit(question: Question, seed: int) -> None:
    rng, traffic = random.Random(seed), STRESS[question.name](seed)
    pair = Pair(question, traffic)
    for _ in range(120):
        pair.commit([traffic.change() for _ in range(rng.choice((1, 1, 1, 2, 5, 30)))])
    assert pair.ours.receiver.calls > 60


@pytest.mark.parametrize("name", [name for name in STRESS if name in SELECT])
@pytest.mark.parametrize("seed", range(3))
def test_triggers_of_sqlite_tell_what_the_floor_tells(name: str, seed: int) -> None:
    question = next(question for question in QUESTIONS if question.name == name)
    stress = STRESS[name if name != "groupfk" else "group100"]  # a primary key is never null
    rng, traffic = random.Random(seed), stress(seed)
    floor, triggers = ByHand(question), Sqlite(name, delivers=True)
    for side in (floor, triggers):
        side.load(traffic.tables())
        side.hydrate()
    for _ in range(120):
        writes = [traffic.change() for _ in range(rng.choice((1, 1, 1, 2, 5, 30)))]
        floor.commit(writes)
        triggers.commit(writes)
        assert delivered(triggers) == delivered(floor)
    assert floor.receiver.calls > 60
    assert triggers.receiver is not None
    assert triggers.receiver.events == floor.receiver.events


@by_name
def test_engine_and_floor_agree_when_everything_goes_and_comes_back(question: Question) -> None:
    tables = STRESS[question.name](0).tables()
    rows = [(name, row) for name, table in tables.items() for row in table]
    random.Random(0).shuffle(rows)
    pair = Pair(question, STRESS[question.name](0))
    for name, row in rows:
        pair.commit([Write("delete", name, row["id"], None)])
    assert pair.floor.result() == {}
    for name, row in reversed(rows):
        pair.commit([Write("insert", name, row["id"], dict(row))])


@by_name
def test_writes_that_cancel_each_other_deliver_nothing(question: Question) -> None:
    traffic = STRESS[question.name](0)
    pair = Pair(question, traffic)
    name, table = next(iter(traffic.tables().items()))
    row = table[0]
    pair.commit(
        [Write("delete", name, row["id"], None), Write("insert", name, row["id"], dict(row))]
    )
    pair.commit([Write("update", name, row["id"], dict(row))])
    assert (pair.floor.receiver.calls, pair.ours.receiver.calls) == (0, 0)
