import math
from typing import Any

import pytest

from dataflow import Collection, LiveQuery, collect, count, live, query, selected


def table(*rows: dict[str, Any]) -> Collection[dict[str, Any]]:
    items = Collection("items", key="id")
    with items.sync() as write:
        for row in rows:
            write.insert(row)
    return items


def by_value(items: Collection[dict[str, Any]]) -> LiveQuery[dict[str, Any]]:
    item = items.alias("item")
    return live(
        query(item).group_by(item.v).select(v=item.v, ids=collect(item.id)).order_by(selected.v)
    )


def test_a_collection_is_a_mapping_of_keys_to_rows() -> None:
    one, two = {"id": 1}, {"id": 2}
    items = table(one, two)
    assert list(items) == [1, 2]
    assert (len(items), 1 in items, 3 in items, items.get(3)) == (2, True, False, None)
    assert items[1] is one
    assert items == {2: two, 1: one}
    assert items != {1: one}
    assert items != {1: one, 2: {"id": 3}}
    assert list(items.values()) == [one, two]
    assert dict(items.items()) == {1: one, 2: two}
    with pytest.raises(KeyError, match=r"^3$"):
        items[3]
    with pytest.raises(TypeError, match="unhashable"):
        hash(items)


def test_a_live_result_is_a_mapping_in_query_order() -> None:
    items = table({"id": 1, "v": "b"}, {"id": 2, "v": "a"}, {"id": 3, "v": "c"})
    item = items.alias()
    ordered = live(query(item).order_by(item.v.desc()).limit(2))
    assert (list(ordered), [row["v"] for row in ordered.rows()]) == ([3, 1], ["c", "b"])
    assert [row["v"] for row in ordered.values()] == ["c", "b"]
    with pytest.raises(KeyError, match=r"^2$"):
        ordered[2]


@pytest.mark.parametrize(
    ("value", "key", "wrong"),
    [
        (True, True, 1),
        (1, 1, True),
        (math.nan, float("nan"), None),
        (None, None, 0),
        ([1, True], [1.0, True], [1, 1]),
        ({"a": [1]}, {"a": [1], "b": None}, {"a": 1}),
    ],
)
def test_look_up_goes_by_the_equality_of_the_engine(value: Any, key: Any, wrong: Any) -> None:
    groups = by_value(table({"id": 1, "v": value}))
    assert groups[key]["ids"] == [1]
    assert (key in groups, wrong in groups) == (True, False)
    with pytest.raises(KeyError):
        groups[wrong]
    (seen,) = groups
    assert groups[seen] is groups[key]


def test_a_key_error_names_the_key_that_was_asked_for() -> None:
    groups = by_value(table({"id": 1, "v": 1}))
    with pytest.raises(KeyError) as caught:
        groups[[True]]
    assert caught.value.args == ([True],)


def test_lists_handed_out_are_new() -> None:
    groups = by_value(table({"id": 1, "v": 1}, {"id": 2, "v": 1}))
    items = table({"id": 1})
    for result in (groups, items):
        result.rows().clear()
        assert len(result.rows()) == len(result) == 1


def test_the_result_may_change_while_it_is_iterated() -> None:
    items = table(*({"id": i, "v": i} for i in range(4)))
    item = items.alias()
    for result in (items, live(query(item).order_by(item.v)), live(query(item))):
        seen = []
        for key in result:
            seen.append(key)
            with items.sync() as write:
                write.delete(key)
        assert seen == [0, 1, 2, 3]
        with items.sync() as write:
            for i in range(4):
                write.insert({"id": i, "v": i})


def test_a_global_aggregate_is_known_under_the_empty_tuple() -> None:
    items = table()
    total = live(query(items.alias()).select(n=count()))
    assert total == {(): {"n": 0}}
    assert list(total) == [()]


def test_two_equal_keys_that_python_takes_for_one_stay_apart_in_comparison() -> None:
    groups = by_value(table({"id": 1, "v": 1}, {"id": 2, "v": True}))
    assert len(groups) == 2
    assert groups == groups
    assert groups != {1: groups[1]}
