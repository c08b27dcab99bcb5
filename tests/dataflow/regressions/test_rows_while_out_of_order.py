"""A live query in status "error" shows its last good rows, all of them and those alone, however it is read."""

from __future__ import annotations

from typing import Any

import pytest

from dataflow import Collection, LiveQuery, fn, live, query, selected


class Switch:
    """A function of a query that raises while it is on."""

    def __init__(self) -> None:
        self.on = False

    def __call__(self, value: Any) -> Any:
        if self.on:
            raise ValueError(value)
        return value


class Thing:
    """A row whose column may raise."""

    __slots__ = ("_n", "id")

    def __init__(self, id: int, n: int | None) -> None:  # noqa: A002 - the name of the field
        self.id = id
        self._n = n

    @property
    def n(self) -> int:
        """The column."""
        if self._n is None:
            raise RuntimeError("no number")
        return self._n


def numbers(*values: int) -> Collection[dict[str, Any]]:
    rows: Collection[dict[str, Any]] = Collection("rows", key="id")
    with rows.sync() as write:
        write.insert_all([{"id": index, "n": n} for index, n in enumerate(values)])
    return rows


def is_failed(result: LiveQuery[Any]) -> bool:
    return result.status == "error"


def shown(result: LiveQuery[Any], column: str = "id") -> list[Any]:
    """Return what every way of reading agrees on."""
    rows = result.rows()
    assert [row[column] for row in rows] == list(result)
    assert len(rows) == len(result)
    assert [result[key] for key in result] == rows
    return list(result)


@pytest.mark.parametrize("window", [(4, 0), (None, 0), (2, 3), (1, 1), (0, 0)])
def test_a_window_moved_in_status_error_moves_with_the_recovery(
    window: tuple[int | None, int],
) -> None:
    switch = Switch()
    rows = numbers(10, 11, 12, 13, 14, 15)
    row = rows.alias("row")
    top = query(row).select(id=row.id, n=fn(switch, row.n)).order_by(selected.n).limit(2)
    result = live(top)
    switch.on = True
    with rows.sync() as write:
        write.insert({"id": 9, "n": 1})
    result.set_window(limit=window[0], offset=window[1])
    assert is_failed(result)
    assert shown(result) == [0, 1]
    switch.on = False
    result.restart()
    assert not is_failed(result)
    stop = None if window[0] is None else window[1] + window[0]
    assert shown(result) == [9, 0, 1, 2, 3, 4, 5][window[1] : stop]


@pytest.mark.parametrize("limit", [2, 4, None])
def test_what_fails_above_an_order_keeps_the_rows_that_the_order_lets_go(limit: int | None) -> None:
    switch = Switch()
    rows = numbers(10, 11, 12, 13)
    row = rows.alias("row")
    ordered = query(row).order_by(row.n)
    result = live((ordered if limit is None else ordered.limit(limit)).map(switch))
    before = shown(result)
    switch.on = True
    with rows.sync() as write:
        write.insert({"id": 9, "n": 1})
        write.delete(1)
    assert result.status == "error"
    assert sorted(shown(result)) == before
    switch.on = False
    result.restart()
    assert shown(result) == [9, 0, 2, 3][:limit]


@pytest.mark.parametrize("limit", [2, 4])
def test_a_window_that_failed_in_the_middle_of_a_step_shows_what_it_showed(limit: int) -> None:
    things = Collection("things", row=Thing, key="id")
    with things.sync() as write:
        write.insert_all([Thing(index, index) for index in range(5)])
    thing = things.alias("thing")
    result = live(query(thing).order_by(thing["n"]).limit(limit))
    before = list(result)
    with things.sync() as write:
        write.delete(0)
        write.insert(Thing(1, 50))
        write.insert(Thing(7, None))
    assert result.status == "error"
    assert list(result) == [thing.id for thing in result.rows()] == before
    with things.sync() as write:
        write.delete(7)
    assert [thing.id for thing in result.rows()] == [2, 3, 4, 1][:limit]
