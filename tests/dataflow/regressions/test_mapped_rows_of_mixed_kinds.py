"""A map may return objects for some rows and dicts for others; fields of both are read as fields."""

from dataclasses import dataclass
from typing import Any

from dataflow import Collection, live, query


@dataclass(frozen=True)
class Box:
    items: int


def test_a_field_called_like_a_method_is_read_from_every_row() -> None:
    source: Collection[dict[str, Any]] = Collection("source", key="id")
    row = source.alias("row")
    with source.sync() as write:
        write.insert({"id": 1, "n": 1})
    mapped = live(query(row).map(lambda r: Box(r["n"]) if r["id"] % 2 else {"items": r["n"]}))
    box = mapped.alias("box")
    items = live(query(box).select(items=box["items"]))
    with source.sync() as write:
        write.insert({"id": 2, "n": 2})
    assert items.rows() == [{"items": 1}, {"items": 2}]
