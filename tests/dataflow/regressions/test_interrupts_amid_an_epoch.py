"""An interrupt between the writing of rows and the first step leaves no live query behind the rows without saying so."""

from __future__ import annotations

from typing import Any

import pytest

from dataflow import Collection, batch, count, live, query


class Value:
    """A value that interrupts who compares it, while it is told to."""

    __hash__ = None  # type: ignore[assignment]  # no two are asked for it

    def __init__(self, *, interrupts: bool = False) -> None:
        self.interrupts = interrupts

    def __eq__(self, other: object) -> bool:
        if self.interrupts:
            raise KeyboardInterrupt
        return self is other


class Thing:
    """A row that interrupts who reads its column, while it is told to."""

    def __init__(self, id: int, n: int, *, interrupts: bool = False) -> None:  # noqa: A002 - the name of the field
        self.id = id
        self._n = n
        self.interrupts = interrupts

    @property
    def n(self) -> int:
        """The column."""
        if self.interrupts:
            raise KeyboardInterrupt
        return self._n


def test_a_commit_interrupted_while_rows_are_compared_changes_nothing() -> None:
    rows: Collection[dict[str, Any]] = Collection("rows", key="id")
    with rows.sync() as write:
        for index in range(4):
            write.insert({"id": index, "n": index, "value": Value(interrupts=index == 2)})
    row = rows.alias("row")
    result = live(query(row).select(n=row.n))

    def commit() -> None:
        with rows.sync() as write:
            write.delete(0)
            for index, n in ((1, -1), (5, 5), (2, 2), (3, -3)):
                write.insert({"id": index, "n": n, "value": Value()})

    with pytest.raises(KeyboardInterrupt):
        commit()
    assert {key: rows[key]["n"] for key in rows} == {0: 0, 1: 1, 2: 2, 3: 3}
    with rows.sync() as write:
        write.insert({"id": 1, "n": 7, "value": 7})
    assert {key: result[key]["n"] for key in result} == {0: 0, 1: 7, 2: 2, 3: 3}


@pytest.mark.parametrize("sources", [1, 2])
def test_queries_that_were_to_be_chosen_when_an_interrupt_came_are_out_of_order(
    sources: int,
) -> None:
    things = Collection("things", row=Thing, key="id")
    other: Collection[dict[str, Any]] = Collection("other", key="id")
    with things.sync() as write:
        write.insert_all([Thing(index, index) for index in range(4)])
    thing = things.alias("thing")
    results = [live(query(thing).where(thing["n"] == n)) for n in range(12)]
    number = live(query(thing).group_by().select(n=count()))
    added = Thing(9, 3, interrupts=True)

    def commit() -> None:
        with batch():
            if sources == 2:
                other.insert({"id": 1})
            with things.sync() as write:
                write.insert(added)

    with pytest.raises(KeyboardInterrupt):
        commit()
    added.interrupts = False
    assert {result.status for result in (*results, number)} == {"error"}
    for result in (*results, number):
        result.restart()
    assert {result.status for result in (*results, number)} == {"ready"}
    assert [len(result) for result in results] == [1, 1, 1, 2] + [0] * 8
    assert number.rows() == [{"n": 5}]
    with things.sync() as write:
        write.insert(Thing(1, 3))
    assert [len(result) for result in results] == [1, 0, 1, 3] + [0] * 8
