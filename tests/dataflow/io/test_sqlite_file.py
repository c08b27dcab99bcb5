import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dataflow import Collection, StorageError
from dataflow.io.outbox import Outbox
from dataflow.io.persistence import persist


def kept(path: Path) -> Any:
    rows: Collection[Any] = Collection("rows", key="id")
    return persist(rows, path)


@pytest.mark.parametrize("opened", [kept, Outbox])
def test_a_database_of_something_else_is_left_as_it_was(opened: Any, tmp_path: Path) -> None:
    path = tmp_path / "foreign.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t (x)")
    before = path.read_bytes()
    with pytest.raises(StorageError, match="is a database of something else"):
        opened(path)
    assert (path.read_bytes(), [*tmp_path.iterdir()]) == (before, [path])


@pytest.mark.parametrize("size", [1, 99, 511])
def test_a_file_too_short_for_a_database_is_not_written_over(size: int, tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("x" * size)
    with pytest.raises(StorageError, match="is no SQLite database"):
        kept(path)
    assert path.read_text() == "x" * size


def test_an_empty_file_and_an_empty_database_are_new(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with closing(sqlite3.connect(tmp_path / "vacuumed")) as connection:
        connection.execute("VACUUM")  # writes the first page
    for name in ("empty", "vacuumed"):
        kept(tmp_path / name).close()
        kept(tmp_path / name).close()


def test_damage_that_is_quoted_in_a_message_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    kept(path).close()
    content = path.read_bytes()
    assert content.count(b"sqlite_autoindex_collections_1")
    path.write_bytes(content.replace(b"sqlite_autoindex_col", b"sqlite_\xf8utoindex_col"))
    with pytest.raises(StorageError, match="is damaged"):
        kept(path)
