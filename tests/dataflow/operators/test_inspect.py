"""Inspect: sees every epoch that took place, when it is complete."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from dataflow.errors import CollectionError
from dataflow.operators.circuit import Circuit
from dataflow.zset import ZSet
from tests.dataflow.operators.running import Epoch, assert_incremental, histories


@given(histories())
def test_inspect_changes_nothing_and_sees_the_deltas(history: list[Epoch]) -> None:
    seen: list[ZSet[Any]] = []
    circuit = Circuit()
    source = circuit.source()
    source.inspect(seen.append)
    for (delta,) in history:
        source.push(ZSet(delta))
    assert seen == [ZSet(delta) for (delta,) in history if ZSet(delta)]
    assert_incremental(lambda source: source.inspect(lambda _: None), lambda bag: bag, history)


def test_outputs_are_up_to_date_when_it_is_called() -> None:
    circuit = Circuit()
    source = circuit.source()
    seen: list[object] = []
    source.inspect(lambda _: seen.append((circuit.epoch, total.rows)))
    total = source.count().output()
    source.push(ZSet.from_rows("ab"))
    assert seen == [(1, ZSet.from_rows([((), 2)]))]


def test_it_sees_nothing_of_a_discarded_epoch_and_may_keep_what_it_saw() -> None:
    circuit = Circuit()
    source = circuit.source()
    seen: list[ZSet[Any]] = []
    looked_at = source.inspect(seen.append)
    rows = looked_at.map(lambda number: 1 / number).output()
    with pytest.raises(ZeroDivisionError):
        source.push(ZSet.from_rows([0]))
    source.push(ZSet.from_rows([1]))
    seen[0].add(5)
    assert seen == [ZSet.from_rows([1, 5])]
    assert rows.rows == ZSet.from_rows([1])


def test_what_functions_raise_surfaces_together_and_the_epoch_stands() -> None:
    circuit = Circuit()
    source = circuit.source()
    first, second = ValueError("first"), ValueError("second")
    seen: list[ZSet[Any]] = []

    def raising(error: Exception) -> None:
        raise error

    source.inspect(lambda _: raising(first)).inspect(lambda _: raising(second)).inspect(seen.append)
    rows = source.output()
    with pytest.raises(ExceptionGroup, match="functions given to inspect raised") as raised:
        source.push(ZSet.from_rows("a"))
    assert raised.value.exceptions == (first, second)
    assert first.__notes__ == ["raised by operator 'inspect 2'"]
    assert (seen, rows.rows) == ([ZSet.from_rows("a")], ZSet.from_rows("a"))


def test_it_cannot_push() -> None:
    circuit = Circuit()
    source = circuit.source()
    source.inspect(source.push)
    with pytest.raises(ExceptionGroup) as raised:
        source.push(ZSet.from_rows("a"))
    (error,) = raised.value.exceptions
    assert isinstance(error, CollectionError)
