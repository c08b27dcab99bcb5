"""The splices between two lists of distinct rows, whatever they have in common."""

from hypothesis import given
from hypothesis import strategies as st

from dataflow import Insert, Move, Remove, Replace, Reset, apply_splices
from dataflow.live.splices import Splice, splice_list


def splices_between(old: list[int], new: list[int], movable: set[int]) -> list[Splice[int]]:
    """Return the splices from one list to another; rows that are not movable keep their order."""
    return splice_list(
        [old.index(row) for row in old if row not in new],
        [(old.index(row), new.index(row), row) for row in new if row in movable and row in old],
        [(index, row, row) for index, row in enumerate(new) if row not in old],
        [],
    )


@st.composite
def changed_lists(draw: st.DrawFn) -> tuple[list[int], list[int], set[int]]:
    old = list(range(draw(st.integers(0, 12))))
    gone = draw(st.sets(st.sampled_from(old))) if old else set()
    movable = draw(st.sets(st.sampled_from(old))) if old else set()
    new = [row for row in old if row not in gone | movable]
    come = range(100, 100 + draw(st.integers(0, 4)))
    for row in draw(st.permutations([*(movable - gone), *come])):
        new.insert(draw(st.integers(0, len(new))), row)
    return old, new, movable


@given(changed_lists())
def test_splices_applied_in_sequence_make_the_new_list(
    case: tuple[list[int], list[int], set[int]],
) -> None:
    old, new, movable = case
    splices = splices_between(old, new, movable)
    rows = list(old)
    apply_splices(rows, splices)
    assert rows == new
    assert len(splices) <= len(movable) + sum((row in old) != (row in new) for row in {*old, *new})


@given(st.integers(2, 30), st.data())
def test_one_row_that_moves_is_one_move(length: int, data: st.DataObject) -> None:
    index, to = data.draw(st.integers(0, length - 1)), data.draw(st.integers(0, length - 1))
    old = list(range(length))
    new = [*old[:index], *old[index + 1 :]]
    new.insert(to, index)
    expected = [] if index == to else [Move(index, to, index)]
    assert splices_between(old, new, {index}) == expected


def test_rows_that_only_might_have_moved_are_not_told_of() -> None:
    assert splices_between([1, 2, 3], [1, 2, 3], {1, 2, 3}) == []


def test_every_kind_of_splice_applies() -> None:
    rows = ["a", "b", "c"]
    apply_splices(rows, [Remove(0), Move(0, 1, "b"), Insert(0, "d", "d"), Replace(1, "C")])
    assert rows == ["d", "C", "b"]
    apply_splices(rows, [Reset(("x", "y"), (1, 2)), Remove(1)])
    assert rows == ["x"]
