"""Fractional indexes: they sort between their neighbours, as plain text, and stay short."""

import random
from bisect import insort

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stateschema.streamdb.publishing.fractional import between, is_index, spread
from stateschema.streamdb.publishing.order import key_at, order_keys


@given(st.lists(st.integers(0, 10**6), max_size=200))
def test_rows_put_anywhere_keep_the_order_of_the_list(places: list[int]) -> None:
    keys: list[str] = []
    for place in places:
        index = place % (len(keys) + 1)
        keys.insert(index, key_at(keys, index))
    assert keys == sorted(set(keys))
    assert all(is_index(key) for key in keys)


@given(st.integers(0, 50), st.lists(st.integers(0, 10**6), min_size=2, max_size=20), st.data())
def test_many_rows_are_put_into_any_gap(count: int, places: list[int], data: st.DataObject) -> None:
    keys: list[str] = []
    for place in places:
        insort(keys, key_at(keys, place % (len(keys) + 1)))
    gap = data.draw(st.integers(0, len(keys)))
    low = keys[gap - 1] if gap else None
    new = spread(count, low, keys[gap] if gap < len(keys) else None)
    assert len(new) == count
    whole = [*keys[:gap], *new, *keys[gap:]]
    assert whole == sorted(set(whole))


@given(st.integers(1, 5000), st.sampled_from(["after", "before"]))
def test_counting_crosses_every_length(count: int, direction: str) -> None:
    keys = spread(count, None, None) if direction == "after" else spread(count, None, "n0")
    assert keys == sorted(set(keys))
    assert max(map(len, keys)) <= 4  # 36 + 36² + 36³ rows


def test_they_stay_short_when_rows_are_put_at_random_places() -> None:
    chance = random.Random(7)
    keys: list[str] = []
    for _ in range(10_000):
        index = chance.randrange(len(keys) + 1)
        keys.insert(index, key_at(keys, index))
    assert keys == sorted(set(keys))
    assert max(map(len, keys)) <= 12
    assert sum(map(len, keys)) <= 8 * len(keys)


def test_they_sort_alike_by_code_point_and_in_a_browser() -> None:
    chance = random.Random(7)
    keys = [between(None, None)]
    for _ in range(500):
        index = chance.randrange(len(keys) + 1)
        keys.insert(index, key_at(keys, index))
    assert set("".join(keys)) <= set("0123456789abcdefghijklmnopqrstuvwxyz")


@pytest.mark.parametrize("text", [None, 7, "", "A0", "n", "n00", "n0i0", "n0I", "o0", "é0", "n0 "])
def test_other_values_are_no_index(text: object) -> None:
    assert not is_index(text)


def longest_ascending(known: list[str | None]) -> int:
    """By trying everything."""
    best = [0]
    for place, text in enumerate(known):
        if text is not None:
            before = [
                best[other + 1]
                for other, earlier in enumerate(known[:place])
                if earlier is not None and earlier < text
            ]
            best.append(1 + max(before, default=0))
        else:
            best.append(0)
    return max(best)


@given(st.lists(st.none() | st.sampled_from(spread(12, None, None)), max_size=14))
def test_a_list_told_anew_keeps_as_many_order_keys_as_possible(known: list[str | None]) -> None:
    keys = order_keys(known)
    assert keys == sorted(set(keys))
    assert len(keys) == len(known)
    kept = sum(old == new for old, new in zip(known, keys, strict=True))
    assert kept >= longest_ascending(known)


def test_what_is_no_order_key_is_replaced() -> None:
    assert order_keys([7, "n3", "nonsense!", "n4", {}]) == ["n2", "n3", "n3i", "n4", "n5"]
