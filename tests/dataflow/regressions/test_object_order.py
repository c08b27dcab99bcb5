"""Faults in the order of rows that hold objects, found by the laws."""

from __future__ import annotations

from dataclasses import dataclass

from dataflow.values.order import sort_key


@dataclass(frozen=True)
class Thing:
    id: int
    deep: object = None
    k: object = None


def test_objects_are_ordered_by_their_sorted_fields_without_the_null_ones() -> None:
    things = [Thing(1, k="1"), Thing(5, deep=[True]), Thing(0, k=2)]
    assert [thing.id for thing in sorted(things, key=sort_key)] == [5, 0, 1]
