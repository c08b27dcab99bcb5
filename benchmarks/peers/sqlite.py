"""SQLite with triggers: the answer is a table that triggers keep up to date, in memory, called from Python.

Best setting: keys as rowids, indexes for whatever a trigger looks up, statements kept prepared, one transaction per batch, no
journal. It has no changes to deliver: nobody is told what happened to the answer, which flatters it.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from benchmarks.peers.peer import Unavailable
from benchmarks.peers.sql import SELECT, columns
from benchmarks.peers.sqlite_views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write


class Sqlite:
    """A question as a table and its triggers."""

    def __init__(self, question: str) -> None:
        if question not in VIEWS:
            raise Unavailable(f"{question} is not written as triggers")
        self._view = VIEWS[question]
        self._select = SELECT[question]
        self._base = sqlite3.connect(":memory:", isolation_level=None, cached_statements=256)
        self._base.execute("PRAGMA journal_mode = OFF")
        self._insert: dict[str, str] = {}
        self._update: dict[str, str] = {}
        self._delete: dict[str, str] = {}

    def load(self, tables: Tables) -> None:
        """Create the tables and fill them."""
        for table, rows in tables.items():
            self._create(table, columns(rows))
            self._base.execute("BEGIN")
            self._base.executemany(self._insert[table], rows)
            self._base.execute("COMMIT")

    def _create(self, table: str, types: dict[str, str]) -> None:
        declared = ", ".join(
            "id INTEGER PRIMARY KEY" if name == "id" else f"{name} {kind}"
            for name, kind in types.items()
        )
        self._base.execute(f"DROP TABLE IF EXISTS {table}")
        self._base.execute(f"CREATE TABLE {table} ({declared})")
        values = ", ".join(f":{name}" for name in types)
        pairs = ", ".join(f"{name} = :{name}" for name in types if name != "id")
        self._insert[table] = f"INSERT INTO {table} VALUES ({values})"
        self._update[table] = f"UPDATE {table} SET {pairs} WHERE id = :id"
        self._delete[table] = f"DELETE FROM {table} WHERE id = ?"

    def hydrate(self) -> None:
        """Build the answer with its indexes, then add the triggers."""
        self._base.executescript(self._view.build.format(select=self._select))
        self._base.executescript(self._view.triggers)

    def forget(self) -> None:
        """Drop the answer, the triggers and the indexes."""
        found = self._base.execute(
            "SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL AND"
            " (type IN ('trigger', 'index') OR name = 'answer') ORDER BY type = 'table'"
        ).fetchall()
        for kind, name in found:
            self._base.execute(f"DROP {kind} {name}")

    def commit(self, writes: Sequence[Write]) -> None:
        """Apply writes as one transaction; where the answer is not a table, read it."""
        execute = self._base.execute
        if len(writes) > 1:
            execute("BEGIN")
        for op, table, key, row in writes:
            if row is None:
                execute(self._delete[table], (key,))
            else:
                execute(self._insert[table] if op == "insert" else self._update[table], row)
        if len(writes) > 1:
            execute("COMMIT")
        if self._view.reads:
            execute(self._view.rows).fetchall()

    def rows(self) -> list[Row]:
        """Return the answer."""
        found = self._base.execute(self._view.rows)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found]

    def close(self) -> None:
        """Close the database."""
        self._base.close()
