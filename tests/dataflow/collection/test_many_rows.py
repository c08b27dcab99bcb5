"""Rows written many at a time, beside the same rows written one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow import Collection
from dataflow.errors import CollectionError


@dataclass(frozen=True)
class Point:
    id: object
    x: int = 0


class Place(TypedDict):
    id: int


KEYS = st.sampled_from([0, 1, 2, True, 1.0, 2.5, "a", "1"])
COMMITS = st.lists(st.lists(st.tuples(KEYS, st.integers(0, 2)), max_size=6), max_size=4)


@given(COMMITS, st.booleans(), st.sampled_from(["id", ("id",), lambda row: "all"]))
def test_all_at_once_is_one_by_one(
    commits: list[list[tuple[Any, int]]], objects: bool, key: Any
) -> None:
    together: Collection[Any] = Collection("together", key=key)
    single: Collection[Any] = Collection("single", key=key)
    heard: list[list[Any]] = []
    together.subscribe(heard.append)
    told: list[list[Any]] = []
    single.subscribe(told.append)
    for commit in commits:
        rows = [Point(k, x) if objects else {"id": k, "x": x} for k, x in commit]
        with together.sync() as write:
            write.insert_all(iter(rows))
        with single.sync() as write:
            for row in rows:
                write.insert(row)
    assert list(together.items()) == list(single.items())
    assert heard == told


@given(
    st.lists(
        st.dictionaries(
            st.integers(0, 3), st.none() | st.fixed_dictionaries({"x": st.integers(0, 1)})
        ),
        max_size=6,
    )
)
def test_rows_written_by_their_keys_are_added_replaced_and_removed(
    commits: list[dict[int, dict[str, int] | None]],
) -> None:
    keyed: Collection[Any] = Collection("keyed", key="id")
    single: Collection[Any] = Collection("single", key="id")
    heard: list[list[Any]] = []
    keyed.subscribe(heard.append)
    told: list[list[Any]] = []
    single.subscribe(told.append)
    for collection in (keyed, single):
        with collection.sync() as write:
            write.insert({"id": 0, "x": 0})  # the first row decides what rows are
    for commit in commits:
        rows = {key: None if row is None else {"id": key, **row} for key, row in commit.items()}
        with keyed.sync() as write:
            write.write_keyed(rows)
        with single.sync() as write:
            for key, row in rows.items():
                if row is None:
                    write.delete(key)
                else:
                    write.insert(row)
    assert list(keyed.items()) == list(single.items())
    assert heard == told


def test_rows_of_a_declared_type_are_read_as_what_they_are() -> None:
    places = Collection("places", key="id", row=Place)
    with places.sync() as write:
        write.insert_all([{"id": 2}, {"id": 1}])
        write.delete(2)
    assert dict(places) == {1: {"id": 1}}


@pytest.mark.parametrize("bad", [{"x": 1}, {"id": None}, {"id": [1]}, None, Point(1)])
def test_a_row_that_is_none_of_the_collection_leaves_nothing_staged(bad: Any) -> None:
    items: Collection[Any] = Collection("items", key="id")
    with items.sync() as write:
        write.insert({"id": 1})
        with pytest.raises(CollectionError):
            write.insert_all([{"id": 2}, bad])
        write.insert_all([])
    assert dict(items) == {1: {"id": 1}}


def test_a_first_load_that_nobody_reads_is_an_epoch_with_its_deletes() -> None:
    items = Collection("items", key="id")
    with items.sync() as write:
        write.insert_all([{"id": 1}, {"id": 2}])
        write.delete(1)
    assert dict(items) == {2: {"id": 2}}
    assert items.statistics().rows_touched == 2


def test_many_rows_are_written_inside_the_with() -> None:
    writer = Collection("items", key="id").sync()
    with pytest.raises(CollectionError, match="inside its `with`"):
        writer.insert_all([{"id": 1}])
