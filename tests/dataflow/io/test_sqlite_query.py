import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dataflow import Collection
from dataflow.io.polling import Polled
from dataflow.io.sqlite_query import sqlite_query
from dataflow.testing import ManualClock
from tests.dataflow.io.waiting import settle


@dataclass(frozen=True)
class Item:
    id: int
    n: int


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop ä?.db"
    change(path, "CREATE TABLE items (id INTEGER PRIMARY KEY, n INTEGER, shop TEXT)")
    change(path, "INSERT INTO items VALUES (1, 1, 'a'), (2, 1, 'a'), (9, 9, 'b')")
    return path


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql)


def source_of(path: Path, row: Any = Item) -> tuple[Polled[Any], list[Any]]:
    items: Collection[Any] = Collection("items", key="id", row=row, ready=False)
    seen: list[Any] = []
    items.subscribe(lambda changes: seen.append([(each.op, each.key) for each in changes]))
    sql = "SELECT id, n FROM items WHERE shop = :shop ORDER BY id"
    return sqlite_query(items, path, sql, {"shop": "a"}), seen


def test_what_others_commit_arrives_as_changes(database: Path) -> None:
    source, seen = source_of(database)
    source.refetch_now()
    assert source.collection.rows() == [Item(1, 1), Item(2, 1)]
    change(database, "UPDATE items SET n = n + 1 WHERE id IN (2, 9)")
    change(database, "INSERT INTO items VALUES (3, 3, 'a')")
    change(database, "DELETE FROM items WHERE id = 1")
    source.refetch_now()
    change(database, "UPDATE items SET n = n")
    source.refetch_now()
    assert source.collection.rows() == [Item(2, 2), Item(3, 3)]
    assert seen == [
        [("insert", 1), ("insert", 2)],
        [("update", 2), ("insert", 3), ("delete", 1)],
    ]


def test_rows_are_read_only_when_the_database_has_changed(database: Path) -> None:
    built = 0

    @dataclass(frozen=True)
    class Counted(Item):
        def __post_init__(self) -> None:
            nonlocal built
            built += 1

    source, _ = source_of(database, Counted)
    for _ in range(3):
        source.refetch_now()
    assert built == 2
    change(database, "DELETE FROM items WHERE id = 9")
    for _ in range(3):
        source.refetch_now()
    assert built == 4


def test_a_database_that_is_missing_or_broken_fails_until_it_is_put_right(database: Path) -> None:
    source, _ = source_of(database, None)
    source.refetch_now()
    rows = source.collection.rows()
    kept = database.rename(database.with_name("kept.db"))
    database.write_bytes(b"no database at all" * 100)
    source._stop()  # type: ignore[misc]  # so that the next read opens the file anew
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        source.refetch_now()
    database.unlink()
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        source.refetch_now()
    assert (source.collection.status, source.collection.rows()) == ("error", rows)
    kept.rename(database)
    change(database, "DELETE FROM items WHERE id = 1")
    source.refetch_now()
    assert (source.collection.status, set(source.collection)) == ("ready", {2})


def test_a_row_that_does_not_fit_fails_until_the_database_changes(database: Path) -> None:
    source, _ = source_of(database)
    source.refetch_now()
    change(database, "UPDATE items SET n = 'many' WHERE id = 1")
    for _ in range(2):
        with pytest.raises(ValueError, match="valid integer"):
            source.refetch_now()
    assert (source.collection.status, len(source.collection)) == ("error", 2)
    change(database, "UPDATE items SET n = 5 WHERE id = 1")
    source.refetch_now()
    assert (source.collection.status, source.collection[1]) == ("ready", Item(1, 5))


def test_it_polls_by_the_clock(database: Path) -> None:
    async def scenario() -> None:
        items = Collection("items", key="id", ready=False)
        clock = ManualClock()
        async with sqlite_query(items, database, "SELECT * FROM items", every=1.0, clock=clock):
            assert set(items) == {1, 2, 9}
            await settle()
            change(database, "DELETE FROM items WHERE id = 9")
            clock.advance(1.0)
            await settle()
            assert set(items) == {1, 2}

    asyncio.run(scenario())


def test_a_database_that_takes_the_place_of_another_is_read(database: Path) -> None:
    source, _ = source_of(database)
    source.refetch_now()
    other = database.with_name("other.db")
    change(other, "CREATE TABLE items (id INTEGER PRIMARY KEY, n INTEGER, shop TEXT)")
    change(other, "INSERT INTO items VALUES (7, 7, 'a')")
    other.replace(database)
    source.refetch_now()
    assert source.collection.rows() == [Item(7, 7)]
    database.unlink()
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        source.refetch_now()
    assert (source.collection.status, source.collection.rows()) == ("error", [Item(7, 7)])
