"""Runs circuits of one operator over random deltas, against its definition.

A history is a list of epochs, an epoch a delta per source, a delta a list of (row, weight) pairs. Rows are pairs of a key and
a value, or dicts: hashable and not, with the values that Python's dicts confuse.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

from hypothesis import strategies as st

from dataflow.operators.circuit import Circuit
from dataflow.zset import ZSet
from tests.dataflow.operators.definitions import Bag, consolidated, minus, same_bag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dataflow.operators.output import Output
    from dataflow.operators.stream import DeltaStream

Delta: TypeAlias = list[tuple[Any, int]]
Epoch: TypeAlias = tuple[Delta, ...]

KEYS: tuple[Any, ...] = (None, 1, 1.0, True, math.nan, -math.nan, "a", [1], [True], {"k": 1})
VALUES: tuple[Any, ...] = (None, 0, -0.0, 1, 2.5, True, math.nan, "b", (1, None))
ROWS: tuple[Any, ...] = tuple((key, value) for key in KEYS for value in VALUES)


def key_of(row: Any) -> Any:
    return row[0]


def value_of(row: Any) -> Any:
    return row[1]


def wild_rows() -> st.SearchStrategy[Any]:
    """Pairs of a key and a value; few enough that equal ones meet."""
    return st.sampled_from(ROWS)


def deltas(rows: st.SearchStrategy[Any]) -> st.SearchStrategy[Delta]:
    """Rows with weights of either sign, not consolidated."""
    return st.lists(st.tuples(rows, st.integers(-2, 3)), max_size=5)


def histories(
    sources: int = 1, rows: st.SearchStrategy[Any] | None = None
) -> st.SearchStrategy[list[Epoch]]:
    """Epochs that change any of some sources."""
    delta = deltas(wild_rows() if rows is None else rows)
    return st.lists(st.tuples(*[delta] * sources), min_size=1, max_size=6)


def assert_incremental(
    build: Callable[..., DeltaStream[Any]],
    define: Callable[..., Iterable[tuple[Any, int]]],
    history: list[Epoch],
) -> None:
    """Compare a circuit with its definition after every epoch, and with itself under other cuts of the same history.

    Args:
        build: source streams -> the stream to compare.
        define: integrated sources, consolidated -> rows with weights.
        history: what is pushed.
    """
    sources = len(history[0])
    integrated: list[Bag] = [[] for _ in range(sources)]
    before = consolidated(define(*integrated))
    runner = Runner(build, sources)
    for epoch in history:
        number = runner.circuit.epoch
        runner.push(epoch)
        runner.circuit._check()
        changed = any(map(consolidated, epoch))
        assert runner.circuit.epoch == number + changed
        integrated = [
            consolidated([*bag, *delta]) for bag, delta in zip(integrated, epoch, strict=True)
        ]
        after = consolidated(define(*integrated))
        assert_same(runner.output.rows, after)
        if changed:
            assert_same(runner.output.delta, minus(after, before))
        before = after
    for schedule in (one_epoch(history, sources), row_by_row(history)):
        other = Runner(build, sources)
        for epoch in schedule:
            other.push(epoch)
        other.circuit._check()
        assert_same(other.output.rows, before)


class Runner:
    """A circuit of some sources and one output."""

    def __init__(self, build: Callable[..., DeltaStream[Any]], sources: int) -> None:
        self.circuit = Circuit()
        self.sources = [self.circuit.source(f"source {i}") for i in range(sources)]
        self.output: Output[Any] = build(*self.sources).output()

    def push(self, epoch: Epoch) -> None:
        with self.circuit.batch():
            for source, delta in zip(self.sources, epoch, strict=True):
                source.push(ZSet(delta))


def one_epoch(history: list[Epoch], sources: int) -> list[Epoch]:
    return [tuple([pair for epoch in history for pair in epoch[i]] for i in range(sources))]


def row_by_row(history: list[Epoch]) -> list[Epoch]:
    return [
        tuple([pair] if i == source else [] for i in range(len(epoch)))
        for epoch in history
        for source, delta in enumerate(epoch)
        for pair in delta
    ]


def assert_same(found: ZSet[Any], expected: Bag) -> None:
    found._check()
    bag = consolidated(found.items())
    assert same_bag(bag, expected), (bag, expected)
