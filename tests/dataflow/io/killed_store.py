"""Scenario for `killing`: two collections and an offset, written epoch by epoch."""

from pathlib import Path
from typing import Any

from dataflow import Collection, batch
from dataflow.io.persistence import Store, persist
from tests.dataflow.io.killing import connect

EPOCHS = 3


def opened(folder: Path, **options: Any) -> tuple[Collection[Any], Collection[Any], Store]:
    left, right = Collection("left", key="id"), Collection("right", key="id")
    return left, right, persist([left, right], folder / "kept.db", **options)


def state(epoch: int) -> tuple[dict[int, int], dict[int, int]]:
    """The rows after an epoch: one comes, one goes, one changes on the left; the right holds the number of the epoch."""
    ids = range(max(0, epoch - 2), epoch + 1)
    return {key: epoch if key == epoch - 1 else 0 for key in ids}, {1: epoch}


def run(folder: Path) -> None:
    left, right, store = opened(folder, connect=connect)
    for epoch in range(EPOCHS):
        rows, numbers = state(epoch)
        with batch():
            with left.sync() as write:
                write.truncate()
                for key, n in rows.items():
                    write.insert({"id": key, "n": n})
            with right.sync() as write:
                write.upsert({"id": 1, "n": numbers[1]})
            store.set_metadata(offset=epoch)
    store.close()


def left(folder: Path) -> dict[str, Any]:
    kept_left, kept_right, store = opened(folder)
    with store:
        return {
            "offset": store.metadata.get("offset", -1),
            "left": [(row["id"], row["n"]) for row in kept_left.rows()],
            "right": [row["n"] for row in kept_right.rows()],
        }
