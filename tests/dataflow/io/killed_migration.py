"""Scenario for `killing`: rows of an old version become rows of a new one when the file is opened."""

from pathlib import Path
from typing import Any

from dataflow import Collection
from dataflow.io.persistence import Store, persist
from dataflow.io.sqlite_file import Connect
from tests.dataflow.io.killing import connect

ROWS = 3


def newer(name: str, version: int, fields: dict[str, Any]) -> dict[str, Any]:
    """Rename a field; rows that are new already would raise."""
    return {"id": -fields["id"], "number": fields["n"]}


def opened(folder: Path, connect: Connect | None = None) -> tuple[Collection[Any], Store]:
    items = Collection("items", key="id")
    options: dict[str, Any] = {} if connect is None else {"connect": connect}
    return items, persist(items, folder / "kept.db", version=2, migrate=newer, **options)


def run(folder: Path) -> None:
    items = Collection("items", key="id")
    with persist(items, folder / "kept.db") as store:
        with items.sync() as write:
            for key in range(1, ROWS + 1):
                write.insert({"id": key, "n": key})
        store.set_metadata(offset=7)
    _, store = opened(folder, connect)
    store.close()


def left(folder: Path) -> dict[str, Any]:
    items, store = opened(folder)
    with store:
        return {"rows": items.rows(), "offset": store.metadata["offset"]}
