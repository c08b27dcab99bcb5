"""SortedBlocks against a dict that is sorted from scratch after every step."""

from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.aggregation import blocks
from dataflow.aggregation.blocks import SortedBlocks

OPERATIONS = st.sampled_from(["put", "put", "setdefault", "discard", "drain", "extend"])


def values_of(model: dict[int, str]) -> list[str]:
    return [model[key] for key in sorted(model)]


def rank(model: dict[int, str], key: int) -> int:
    return sum(other < key for other in model)


def apply(entries: SortedBlocks[int, str], model: dict[int, str], name: str, key: int) -> None:
    """Do one operation to both, comparing what the structure returns."""
    value = f"{name}:{key}"
    match name:
        case "put":
            model[key] = value
            assert entries.put(key, value) == rank(model, key)
        case "setdefault":
            assert entries.setdefault(key, value) == model.setdefault(key, value)
        case "discard" if key not in model:
            with pytest.raises(KeyError):
                entries.discard(key)
        case "discard":
            assert entries.discard(key) == rank(model, key)
            del model[key]
        case "drain":  # a run of neighbours, to empty whole blocks
            for doomed in [other for other in sorted(model) if other >= key][:20]:
                assert entries.discard(doomed) == rank(model, doomed)
                del model[doomed]
        case _:  # extend: a run past the end, to fill whole blocks
            start = max(model, default=0) + 1
            for new in range(start, start + 12):
                model[new] = value
                assert entries.put(new, value) == len(model) - 1


@given(st.lists(st.tuples(OPERATIONS, st.integers(0, 150)), max_size=60))
def test_any_history_equals_a_sorted_dict(history: list[tuple[str, int]]) -> None:
    with mock.patch.object(blocks, "CAPACITY", 8):
        entries: SortedBlocks[int, str] = SortedBlocks()
        model: dict[int, str] = {}
        for name, key in history:
            apply(entries, model, name, key)
            entries._check()
            expected = values_of(model)
            assert list(entries) == expected
            assert len(entries) == len(expected)
            assert entries.position(key) == rank(model, key)
            assert entries.first() == (expected[0] if expected else None)
            assert entries.last() == (expected[-1] if expected else None)


@given(st.sets(st.integers(0, 500)), st.integers(0, 60))
def test_starting_at_a_position_yields_the_tail(keys: set[int], position: int) -> None:
    with mock.patch.object(blocks, "CAPACITY", 8):
        entries: SortedBlocks[int, int] = SortedBlocks()
        for key in keys:
            entries.put(key, key)
        start = min(position, len(keys))
        assert list(entries.starting_at(start)) == sorted(keys)[start:]


def test_a_full_load_survives_shrinking_to_nothing() -> None:
    entries: SortedBlocks[int, int] = SortedBlocks()
    keys = range(5 * blocks.CAPACITY)
    for key in keys:
        entries.put(key, key)
    entries._check()
    for key in sorted(keys, key=lambda key: (key % 7, key)):
        entries.discard(key)
    entries._check()
    assert list(entries) == []
    assert entries.put(3, 3) == 0


def test_keys_need_an_order_but_no_hash() -> None:
    entries: SortedBlocks[list[int], str] = SortedBlocks()
    entries.put([2], "b")
    entries.put([1, 5], "a")
    assert list(entries) == ["a", "b"]
