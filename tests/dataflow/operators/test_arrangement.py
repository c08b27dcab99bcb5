"""Arrangements of Z-sets, and the checks of operators that keep state."""

from __future__ import annotations

from typing import Any

import pytest

from dataflow.errors import InvariantError
from dataflow.operators.arrangement import WeightedArrangement, by_key, keys_of
from dataflow.operators.circuit import Circuit
from dataflow.zset import ZSet
from tests.dataflow.operators.running import key_of

ROWS: list[tuple[Any, int]] = [
    ((1, "a"), 2),
    ((1.0, "b"), -1),
    ((True, "c"), 1),
    ((None, "d"), 1),
    (([1], "e"), 3),
]


def test_a_delta_by_key_has_nulls_under_one_key_and_equal_keys_under_another() -> None:
    delta = ZSet(ROWS)
    keyed = by_key(delta, key_of)
    assert list(keyed.values()) == [ROWS[:2], ROWS[2:3], ROWS[3:4], ROWS[4:]]
    assert list(keyed)[2] is None
    assert keys_of(delta, key_of) == ZSet([(1, 1), (True, 1), (None, 1), ([1], 3)])


def test_every_null_is_the_one_null_key() -> None:
    msgspec = pytest.importorskip("msgspec")
    delta = ZSet([((msgspec.UNSET, "a"), 1), ((None, "b"), 1)])
    assert list(by_key(delta, key_of)) == [None]
    assert keys_of(delta, key_of) == ZSet([(None, 2)])


def test_applying_a_delta_and_taking_it_back_leaves_nothing() -> None:
    arrangement: WeightedArrangement[Any] = WeightedArrangement(key_of)
    keyed = by_key(ZSet(ROWS), key_of)
    arrangement.apply(keyed)
    arrangement._check()
    assert (arrangement.rows(), arrangement.group(1)) == (5, ZSet(ROWS[:2]))
    arrangement.apply(keyed, sign=-1)
    arrangement._check()
    assert (arrangement.rows(), arrangement.group(1)) == (0, ZSet())


def test_a_row_under_another_key_is_found() -> None:
    arrangement: WeightedArrangement[Any] = WeightedArrangement(key_of)
    arrangement.apply({2: [((1, "a"), 1)]})
    with pytest.raises(InvariantError, match="a row of another key is in group 2"):
        arrangement._check()


def test_a_group_without_rows_is_found() -> None:
    arrangement: WeightedArrangement[Any] = WeightedArrangement(key_of)
    arrangement._groups[1] = ZSet()
    with pytest.raises(InvariantError, match="group 1 is empty"):
        arrangement._check()


def test_a_circuit_finds_a_row_that_was_changed_after_its_push() -> None:
    circuit = Circuit()
    source = circuit.source()
    source.distinct()
    row = {"n": 1}
    source.push(ZSet.from_rows([row]))
    circuit._check()
    row["n"] = 2
    with pytest.raises(InvariantError, match="was mutated since it was added"):
        circuit._check()


def lose_a_member(ranking: Any) -> None:
    ranking.members.clear()


def forget_the_window(ranking: Any) -> None:
    ranking.window = ZSet()


def zero_a_weight(ranking: Any) -> None:
    next(iter(ranking.order)).weight = 0


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lose_a_member, r"group \(\) disagrees with its order"),
        (forget_the_window, r"the window of group \(\) is stale"),
        (zero_a_weight, r"group \(\) holds a weight of zero"),
    ],
)
def test_a_ranking_that_is_wrong_is_found(damage: Any, message: str) -> None:
    circuit = Circuit()
    source = circuit.source()
    operator: Any = source.topk(1).edge.operator
    source.push(ZSet.from_rows([1, 2]))
    damage(operator._rankings[()])
    with pytest.raises(InvariantError, match=message):
        circuit._check()


def test_a_row_found_without_a_derivation_is_found() -> None:
    circuit = Circuit()
    source = circuit.source()
    operator: Any = source.iterate(lambda found: found).edge.operator
    source.push(ZSet.from_rows([1]))
    operator._found.add(2)
    with pytest.raises(InvariantError, match="a row is found without a derivation"):
        circuit._check()
