"""Fractional indexes: they sort between their neighbours, as plain text, and stay short."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stateschema.streamdb.publishing.fractional import between, is_index, spread
from stateschema.streamdb.publishing.order import LONGEST, order_keys, put_key


@given(st.lists(st.integers(0, 10**6), max_size=200))
def test_rows_put_anywhere_keep_the_order_of_the_list(places: list[int]) -> None:
    keys: list[str] = []
    for place in places:
        put_key(keys, place % (len(keys) + 1))
    assert keys == sorted(set(keys))
    assert all(is_index(key) for key in keys)


@given(st.integers(0, 50), st.lists(st.integers(0, 10**6), min_size=2, max_size=20), st.data())
def test_many_rows_are_put_into_any_gap(count: int, places: list[int], data: st.DataObject) -> None:
    keys: list[str] = []
    for place in places:
        put_key(keys, place % (len(keys) + 1))
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
        put_key(keys, chance.randrange(len(keys) + 1))
    assert keys == sorted(set(keys))
    assert max(map(len, keys)) <= 12
    assert sum(map(len, keys)) <= 8 * len(keys)


PLACES: dict[str, Callable[[int, int], int]] = {
    "before the one before": lambda _row, _size: 10,
    "behind the one before": lambda row, _size: 10 + row,
    "between the two before": lambda row, _size: 10 + (row + 1) // 2,
    "before the last": lambda _row, size: size - 1,
    "at two places": lambda row, size: (1, size - 1)[row % 2],
}


@pytest.mark.parametrize("name", PLACES)
def test_ten_thousand_rows_put_at_one_place_stay_bounded(name: str) -> None:
    keys = spread(20, None, None)
    told = 0
    for row in range(10_000):
        before = list(keys) if row % 997 == 0 else None
        place = PLACES[name](row, len(keys))
        changed = put_key(keys, place)
        assert place in changed
        told += len(changed) - 1
        if before is not None:
            same = [key for at, key in enumerate(keys) if at not in changed]
            before[changed.start : changed.stop - 1] = []
            assert same == before
    assert keys == sorted(set(keys))
    assert all(map(is_index, keys))
    assert max(map(len, keys)) <= LONGEST
    assert told <= 3 * len(keys)


@settings(max_examples=settings().max_examples // 10)
@given(st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.integers(1, 300)), max_size=4))
def test_room_is_made_for_rows_that_crowd_anywhere(crowds: list[tuple[int, bool, int]]) -> None:
    keys: list[str] = []
    for place, follows, size in crowds:
        at = place % (len(keys) + 1)
        for row in range(size):
            before = list(keys)
            changed = put_key(keys, at + row if follows else at)
            assert keys[: changed.start] == before[: changed.start]
            assert keys[changed.stop :] == before[changed.stop - 1 :]
            assert keys == sorted(set(keys))
            assert max(map(len, keys)) <= LONGEST


def test_long_order_keys_of_a_stream_are_not_gone_on_with() -> None:
    long = "n0" + "0" * LONGEST + "1"
    assert order_keys([long, "n1", None]) == ["n0", "n1", "n2"]
    assert order_keys(["n0", "n0" + "0" * (LONGEST - 3) + "1", "n1"])[1][-1] == "1"


def test_they_sort_alike_by_code_point_and_in_a_browser() -> None:
    chance = random.Random(7)
    keys = [between(None, None)]
    for _ in range(500):
        put_key(keys, chance.randrange(len(keys) + 1))
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
