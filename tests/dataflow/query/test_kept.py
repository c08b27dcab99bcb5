"""What later queries of a shape find ready holds on to nothing that users gave."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from dataflow import Collection, count, fn, fold, live, query
from dataflow.query.builder import Query

Ask = Callable[[Collection[Any], Callable[..., Any]], Query[Any]]


def _selected(rows: Collection[Any], function: Callable[..., Any]) -> Query[Any]:
    row = rows.alias("row")
    return query(row).select(a=row.a, made=fn(function, row.b))


def _counted(rows: Collection[Any], function: Callable[..., Any]) -> Query[Any]:
    row = rows.alias("row")
    some = count().where(fn(function, row.b) == 1)
    return query(row).group_by(row.a).select(a=row.a, n=some)


def _folded(rows: Collection[Any], function: Callable[..., Any]) -> Query[Any]:
    row = rows.alias("row")
    folded = fold(row.b, 0, lambda state, b: function(state + b), order_by=row.id)
    return query(row).group_by(row.a).select(a=row.a, all=folded)


def _ordered(rows: Collection[Any], function: Callable[..., Any]) -> Query[Any]:
    row = rows.alias("row")
    return query(row).select(a=row.a, b=row.b).order_by(fn(function, row.b)).limit(2)


def _filtered(rows: Collection[Any], function: Callable[..., Any]) -> Query[Any]:
    row = rows.alias("row")
    return query(row).where(row.a == 1, fn(function, row.b) == 1)


@pytest.mark.parametrize("ask", [_selected, _counted, _folded, _ordered, _filtered])
def test_functions_go_with_the_queries_that_call_them(ask: Ask) -> None:
    def function(value: Any) -> Any:
        return value

    rows: Collection[Any] = Collection("rows", key="id")
    with rows.sync() as write:
        write.insert_all([{"id": key, "a": 1, "b": 1} for key in range(3)])
    with live(ask(rows, function)) as first, live(ask(rows, function)) as second:
        assert first.rows() == second.rows() != []
    gone = weakref.ref(function)
    del first, second, function
    gc.collect()
    assert gone() is None


def test_selects_of_groups_with_other_options_are_others() -> None:
    rows: Collection[Any] = Collection("rows", key="id")
    with rows.sync() as write:
        write.insert({"id": 1, "a": 1, "b": 1})
    row = rows.alias("row")

    def kept(state: Any, _: Any) -> Any:
        return state

    shown = [
        live(query(row).group_by(row.a).select(v=fold(row.b, initial, kept))).rows()[0]["v"]
        for initial in (0, False, 0)
    ]
    assert list(map(repr, shown)) == ["0", "False", "0"]


def test_one_select_answers_for_each_source_and_each_name() -> None:
    one: Collection[Any] = Collection("one", key="id")
    other: Collection[Any] = Collection("other", key="id")
    for rows, value in ((one, 1), (other, 2)):
        with rows.sync() as write:
            write.insert({"id": 1, "a": value})
    found = []
    for rows in (one, other, one):
        row = rows.alias("row")
        by_column = live(query(row).select(a=row.a))
        by_group = live(query(row).group_by(row.a).select(a=row.a, n=count()))
        found.append((by_column.rows(), by_group.rows(), by_group.name))
    assert found == [
        ([{"a": 1}], [{"a": 1, "n": 1}], "row"),
        ([{"a": 2}], [{"a": 2, "n": 1}], "row"),
        ([{"a": 1}], [{"a": 1, "n": 1}], "row"),
    ]
