"""What a group keeps may change its form, and where it looks for its cells; its answer is that of a new query all the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.collection.collection import Collection
from dataflow.live.live import LiveQuery, live
from dataflow.query.aggregates import avg, collect, count, fold, max_, min_, sum_
from dataflow.query.builder import query
from dataflow.query.compiler import cells
from dataflow.values.equality import equal

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES = [1, 2, 3, 4, 5, 1.0, 2.5, -0.0, math.nan, None, True, "x"]
CHANGES = st.lists(
    st.tuples(st.integers(0, 9), st.none() | st.tuples(st.integers(0, 1), st.sampled_from(VALUES))),
    max_size=40,
)


@pytest.fixture
def few_ints(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a plain list hold three ints only."""
    with monkeypatch.context() as patch:
        patch.setattr(cells, "LONGEST", 3)
        patch.setitem(cells.NAMES, "LONGEST", 3)
        yield


def _ends(rows: Collection[Any]) -> LiveQuery[Any]:
    row = rows.alias("row")
    low, high = min_(row.x), max_(row.x)
    return live(query(row).group_by(row.g).select(g=row.g, n=count(), low=low, high=high))


@pytest.mark.usefixtures("few_ints")
def test_extremes_are_those_of_a_new_query_whatever_comes_and_goes() -> None:
    @given(changes=CHANGES)
    def check(changes: list[tuple[int, tuple[int, Any] | None]]) -> None:
        rows = Collection[Any]("rows", key="id")
        result = _ends(rows)
        for key, content in changes:
            with rows.sync() as write:
                if content is not None:
                    write.upsert({"id": key, "g": content[0], "x": content[1]})
                elif key in rows:
                    write.delete(key)
            again = Collection[Any]("again", key="id")
            with again.sync() as write:
                write.insert_all(list(rows.values()))
            expected = dict(_ends(again))
            assert equal(dict(result), expected)

    check()


def test_a_row_that_moves_changes_both_groups_and_one_that_stays_its_own() -> None:
    rows = Collection[Any]("rows", key="id")
    with rows.sync() as write:
        write.insert_all([{"id": n, "g": n % 2, "h": 1000 + n % 2, "x": n} for n in range(4)])
    row = rows.alias("row")
    total, mean = sum_(row.x), avg(row.x)
    result = live(query(row).group_by(row.g, row.h).select(total=total, mean=mean))
    events: list[Any] = []
    result.subscribe(lambda changes: events.append([(each.op, each.key) for each in changes]))
    with rows.sync() as write:
        write.update({"id": 0, "g": 0, "h": 1000, "x": 5})
    with rows.sync() as write:
        write.update({"id": 0, "g": 1, "h": int("1000"), "x": 5})
    with rows.sync() as write:
        write.update({"id": 0, "g": 1, "h": int("1000"), "x": 5, "note": "not read"})
    assert events == [
        [("update", (0, 1000))],
        [("update", (0, 1000)), ("insert", (1, 1000))],
    ]
    assert dict(result) == {
        (0, 1000): {"total": 2, "mean": 2.0},
        (1, 1001): {"total": 4, "mean": 2.0},
        (1, 1000): {"total": 5, "mean": 5.0},
    }


def test_whole_rows_are_other_rows_if_they_are_other_objects() -> None:
    rows = Collection[Any]("rows", key="id")
    with rows.sync() as write:
        write.insert({"id": 1, "g": 0})
    row = rows.alias("row")
    result = live(query(row).group_by(row.g).select(all=collect(row, order_by=row.id)))
    with rows.sync() as write:
        write.update({"id": 1, "g": 0, "note": "new"})
    assert dict(result) == {0: {"all": [{"id": 1, "g": 0, "note": "new"}]}}


def test_a_chunk_at_the_end_is_one_step_of_a_fold_and_any_other_change_replays() -> None:
    calls: list[str] = []

    def append(text: str, chunk: str) -> str:
        calls.append(chunk)
        return text + chunk

    rows = Collection[Any]("rows", key="id")
    with rows.sync() as write:
        write.insert_all([{"id": n, "g": "m", "text": str(n)} for n in range(4)])
    row = rows.alias("row")
    text = fold(row.text, "", append, order_by=row.id)
    result = live(query(row).group_by(row.g).select(text=text))
    calls.clear()
    for number in (4, 5):
        with rows.sync() as write:
            write.insert({"id": number, "g": "m", "text": str(number)})
    assert (result["m"]["text"], calls) == ("012345", ["4", "5"])
    with rows.sync() as write:
        write.insert({"id": 6, "g": "m", "text": "6"})
        write.update({"id": 5, "g": "m", "text": "V"})
    assert result["m"]["text"] == "01234V6"
    with rows.sync() as write:
        write.delete(6)
        write.insert({"id": 7, "g": "m", "text": "7"})
    assert result["m"]["text"] == "01234V7"
