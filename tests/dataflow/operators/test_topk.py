"""Topk against its definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.errors import QueryError
from dataflow.operators.circuit import Circuit
from dataflow.zset import ZSet
from tests.dataflow.operators.definitions import topk
from tests.dataflow.operators.running import (
    Epoch,
    assert_incremental,
    histories,
    key_of,
    value_of,
)

few = st.integers(0, 3)


@given(histories(), few, few, st.booleans())
def test_topk_is_a_window_of_each_group(
    history: list[Epoch], k: int, offset: int, descending: bool
) -> None:
    assert_incremental(
        lambda source: source.topk(
            k, offset=offset, key=key_of, order=value_of, descending=descending
        ),
        lambda bag: topk(bag, k, offset, key_of, value_of, descending=descending),
        history,
    )


@given(histories(), few, few)
def test_without_key_and_order_it_is_a_window_of_all_rows_in_their_own_order(
    history: list[Epoch], k: int, offset: int
) -> None:
    assert_incremental(
        lambda source: source.topk(k, offset=offset),
        lambda bag: topk(bag, k, offset, lambda _: (), lambda row: row, descending=False),
        history,
    )


def test_rows_that_have_no_order_stand_as_they_arrived() -> None:
    first, second, third = object(), object(), object()
    circuit = Circuit()
    source = circuit.source()
    window = source.topk(2).output()
    source.push(ZSet.from_rows([first, second]))
    source.push(ZSet.from_rows([third]))
    assert window.rows == ZSet.from_rows([first, second])
    source.push(ZSet([(first, -1)]))
    assert window.rows == ZSet.from_rows([second, third])
    circuit._check()


@pytest.mark.parametrize(("k", "offset"), [(-1, 0), (1, -2)])
def test_a_window_is_nowhere_negative(k: int, offset: int) -> None:
    source = Circuit().source()
    with pytest.raises(QueryError, match=rf"topk of {k} rows from position {offset}: neither may"):
        source.topk(k, offset=offset)
