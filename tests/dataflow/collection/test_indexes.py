import gc
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow import Collection, CollectionError, UnknownFieldError, batch, lit, live, query, run
from dataflow.circuit.graph import current_graph

Row = dict[str, Any]


@dataclass(frozen=True)
class Person:
    id: int
    age: int | None


def collection(*rows: Row) -> Collection[Row]:
    items = Collection("items", key="id")
    write(items, *rows)
    return items


def write(items: Collection[Row], *rows: Row) -> None:
    with items.sync() as writer:
        for row in rows:
            writer.upsert(row)


NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - compares with no aware one
numbers = st.sampled_from([0, 1, 1.0, 2.5, -1, float("nan"), float("inf")])
others: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        False,
        "",
        "a",
        "b",
        b"a",
        NAIVE,
        NAIVE.replace(tzinfo=UTC),
        [1, 2],
        [1, 3],
        (1,),
        {},
    ]
)
values = numbers | others
histories = st.lists(st.lists(st.tuples(st.integers(0, 6), values | st.just("gone")), max_size=4))


@settings(max_examples=settings().max_examples // 4)
@given(histories, st.lists(values, min_size=1, max_size=4), st.booleans())
def test_an_index_finds_what_a_condition_finds_after_every_epoch(
    history: list[list[tuple[int, Any]]], wanted: list[Any], descending: bool
) -> None:
    items = collection({"id": 0, "v": 1})
    by_value, in_order = items.create_index("v"), items.create_index("v", ordered=True)
    row = items.alias("row")
    for epoch in history:
        with batch():
            for key, value in epoch:
                with items.sync() as writer:
                    if value == "gone":
                        writer.delete(key)
                    else:
                        writer.upsert({"id": key, "v": value})
        for bound in wanted:
            found = {each["id"] for each in run(query(row).where(row.v == lit(bound)))}
            assert set(by_value.keys(bound)) == found
            order = row.v.desc() if descending else row.v
            for name, condition in [
                ("ge", row.v >= lit(bound)),
                ("gt", row.v > lit(bound)),
                ("le", row.v <= lit(bound)),
                ("lt", row.v < lit(bound)),
            ]:
                expected = run(query(row).where(condition).order_by(order))
                bounds = {name: bound}
                assert in_order.rows(**bounds, descending=descending) == expected
                assert in_order.rows(**bounds, descending=descending, limit=2) == expected[:2]
        everything = query(row).where(row.v.is_not_null()).order_by(row.v)
        assert in_order.rows() == run(everything)


def test_two_bounds_make_a_range() -> None:
    items = collection(*({"id": i, "n": i} for i in range(10)), {"id": 10, "n": "5"})
    by_n = items.create_index("n", ordered=True)
    assert by_n.keys(ge=3, lt=6) == [3, 4, 5]
    assert by_n.keys(gt=3, le=6, descending=True, limit=2) == [6, 5]
    assert by_n.keys(ge=6, lt=3) == []
    assert by_n.keys(ge=3, lt="9") == []
    assert by_n.keys(ge=3, lt=None) == []
    assert by_n.keys(ge="") == [10]
    assert by_n.keys(ge=8) == [8, 9]


def test_an_index_on_several_fields_takes_a_value_for_each() -> None:
    items = collection(
        {"id": 1, "a": 1, "b": "x"}, {"id": 2, "a": 1}, {"id": 3, "a": 1.0, "b": "x"}
    )
    both = items.create_index("a", "b")
    assert both.keys(1, "x") == [1, 3]
    assert both.keys(1, None) == []
    with pytest.raises(TypeError, match="is by 2 fields, not 1"):
        both.rows(1)


def nodes() -> int:
    gc.collect()
    return current_graph().statistics().nodes


def test_a_hash_index_is_the_arrangement_of_joins_on_the_same_fields() -> None:
    items, others = collection({"id": 1, "g": 1}), collection({"id": 7, "g": 1})
    item, other = items.alias("item"), others.alias("other")

    def added_by_join() -> int:
        before = nodes()
        with live(query(other).join(item, on=other.g == item.g)) as joined:
            assert len(joined) == 1
            return nodes() - before

    without = added_by_join()
    by_g = items.create_index("g")
    assert (added_by_join(), by_g.keys(1)) == (without - 1, [1])


def test_an_index_goes_with_its_last_handle() -> None:
    items = collection({"id": 1, "n": 1})
    before = nodes()
    first, second = items.create_index("n"), items.create_index("n")
    ordered = items.create_index("n", ordered=True)
    assert nodes() == before + 2
    first.close()
    first.close()
    with pytest.raises(CollectionError, match="this index of collection 'items' is closed"):
        first.rows(1)
    assert (second.keys(1), ordered.keys()) == ([1], [1])
    del second, ordered
    assert nodes() == before
    with items.create_index("n", ordered=True) as again:
        assert again.keys() == [1]
    assert nodes() == before


def test_an_update_that_keeps_the_value_finds_the_new_row() -> None:
    items = collection({"id": 1, "n": 1, "m": 1})
    by_n, in_order = items.create_index("n"), items.create_index("n", ordered=True)
    write(items, {"id": 1, "n": 1, "m": 2})
    assert by_n.rows(1) == in_order.rows(ge=1) == [{"id": 1, "n": 1, "m": 2}]


def test_optimistic_rows_are_found_as_well() -> None:
    items = collection()
    by_n = items.create_index("n")
    items.insert({"id": 1, "n": 5})
    assert by_n.keys(5) == [1]


def test_fields_that_do_not_exist_are_refused() -> None:
    people = Collection("people", key="id", row=Person)
    with pytest.raises(UnknownFieldError, match=r"has no field 'aeg' \(did you mean 'age'"):
        people.create_index("aeg")
    with pytest.raises(TypeError, match="exactly one"):
        people.create_index("id", "age", ordered=True)  # type: ignore[call-overload]  # that is the point
    with pytest.raises(TypeError, match="one field or several"):
        people.create_index()
    by_age = people.create_index("age", ordered=True)
    with people.sync() as writer:
        writer.insert(Person(1, 40))
        writer.insert(Person(2, None))
    assert by_age.rows() == [Person(1, 40)]


def test_a_changed_row_costs_the_index_one_row() -> None:
    items = collection(*({"id": i, "n": i} for i in range(500)))
    index = items.create_index("n", ordered=True)
    before = index._node.touched
    write(items, {"id": 7, "n": 900})
    assert (index._node.touched - before, index.keys(gt=498)) == (1, [499, 7])
