"""Reduce against its definition."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from dataflow.operators.circuit import Circuit
from dataflow.zset import ZSet
from tests.dataflow.operators.definitions import Bag, groups
from tests.dataflow.operators.running import Epoch, assert_incremental, histories, key_of


def whole_group(key: Any, rows: Bag) -> list[Any]:
    """Every group of an odd number of rows, twice."""
    return [(key, list(rows))] * 2 if len(rows) % 2 else []


@given(histories())
def test_reduce_calls_the_function_on_each_group_in_order(history: list[Epoch]) -> None:
    assert_incremental(
        lambda source: source.reduce(whole_group, key=key_of),
        lambda bag: [
            (row, 1) for key, rows in groups(bag, key_of) for row in whole_group(key, rows)
        ],
        history,
    )


@given(histories())
def test_without_a_key_all_rows_are_one_group(history: list[Epoch]) -> None:
    assert_incremental(
        lambda source: source.reduce(lambda key, rows: [(key, rows)]),
        lambda bag: [(((), bag), 1)] if bag else [],
        history,
    )


def test_the_function_runs_once_per_changed_key_and_never_for_a_retraction() -> None:
    called: list[Any] = []

    def serial(key: Any, _rows: Bag) -> list[Any]:
        called.append(key)
        return [(key, len(called))]

    circuit = Circuit()
    source = circuit.source()
    results = source.reduce(serial, key=key_of).output()
    source.push(ZSet.from_rows([("a", 1), ("a", 2), ("b", 1)]))
    source.push(ZSet([(("a", 1), -1), (("a", 3), 1)]))
    assert called == ["a", "b", "a"]
    assert results.delta == ZSet([(("a", 1), -1), (("a", 3), 1)])
    source.push(ZSet([(("a", 2), -1), (("a", 3), -1)]))
    assert called == ["a", "b", "a"]
    assert results.rows == ZSet.from_rows([("b", 2)])
