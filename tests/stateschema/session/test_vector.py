"""The persistent vector: like a list, but older versions stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stateschema.session.vector import Vector


@given(st.lists(st.integers(), max_size=70), st.lists(st.tuples(st.integers(0, 80), st.integers())))
def test_append_and_set_do_what_they_do_to_a_list(
    start: list[int], edits: list[tuple[int, int]]
) -> None:
    versions = [(Vector(start), start)]
    for index, value in edits:
        vector, expected = versions[-1]
        if index < len(expected):
            changed = [*expected[:index], value, *expected[index + 1 :]]
            versions.append((vector.set(index, value), changed))
        else:
            versions.append((vector.append(value), [*expected, value]))
    for vector, expected in versions:
        vector._check()
        assert list(vector) == expected
        assert vector == Vector(expected)


@pytest.mark.parametrize("size", [0, 1, 32, 33, 64, 1023, 1024, 1025, 1056, 1057, 33_000])
def test_every_shape_of_the_tree_is_the_same_however_it_was_built(size: int) -> None:
    grown: Vector[int] = Vector()
    for n in range(size):
        grown = grown.append(n)
    at_once = Vector(range(size))
    assert list(grown) == list(at_once) == list(range(size))
    assert grown == at_once
    for index in {0, size // 2, size - 1} - {-1} if size else ():
        assert grown[index] == grown[index - size] == index
        changed = grown.set(index, -1)
        assert (changed[index], grown[index], changed == grown) == (-1, index, False)


def test_it_reads_like_a_tuple() -> None:
    vector = Vector("abcd")
    assert vector[-1] == "d"
    assert vector[1:3] == ("b", "c")
    assert vector[::-1] == ("d", "c", "b", "a")
    assert "c" in vector
    assert vector.index("c") == 2
    assert repr(vector) == "Vector(['a', 'b', 'c', 'd'])"
    assert hash(vector) == hash(Vector("abc").append("d"))


@pytest.mark.parametrize("index", [2, -3])
def test_an_index_outside_is_an_error(index: int) -> None:
    with pytest.raises(IndexError, match=f"vector index {index} is out of range"):
        Vector("ab")[index]
    with pytest.raises(IndexError, match=f"vector index {index} is out of range"):
        Vector("ab").set(index, "x")


def test_comparing_versions_does_not_look_into_shared_blocks() -> None:
    class Loud:
        def __eq__(self, other: object) -> bool:
            raise AssertionError("compared")

        def __hash__(self) -> int:
            return 0

    shared = Vector([Loud() for _ in range(5_000)])
    assert shared.append(Loud()) != shared.append(Loud()).append(Loud())
    one = shared.append(Loud())
    assert one.set(5_000, one[5_000]) == one


def test_other_sequences_are_never_equal() -> None:
    assert Vector("ab") != ["a", "b"]
    assert Vector("ab") != ("a", "b")
