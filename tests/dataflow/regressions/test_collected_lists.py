"""The list of `collect` belongs to the function that gets it: what it does to it harms nobody."""

from typing import Any

from dataflow import Collection, collect, live, query


def drained(row: dict[str, Any]) -> tuple[Any, int]:
    return row["g"], len([row["ids"].pop() for _ in range(len(row["ids"]))])


def test_a_function_that_empties_its_list_changes_no_other_result_and_misses_no_change() -> None:
    items = Collection("items", key="id")
    item = items.alias("item")
    groups = query(item).group_by(item.g).select(g=item.g, ids=collect(item.id))
    base = live(groups)
    sizes = live(query(groups.alias("groups")).map(drained))
    with items.sync() as write:
        for i in range(3):
            write.insert({"id": i, "g": "x"})
    assert (base.rows(), sizes.rows()) == ([{"g": "x", "ids": [0, 1, 2]}], [("x", 3)])
    with items.sync() as write:
        write.delete(2)
    assert (base.rows(), sizes.rows()) == ([{"g": "x", "ids": [0, 1]}], [("x", 2)])
