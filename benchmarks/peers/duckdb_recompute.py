"""DuckDB, which computes the answer anew after every commit.

Best setting: in memory, the answer made as a table inside the database, batches netted by key and moved in as one Arrow frame.
It wins where an answer is computed once; nobody is told what changed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from benchmarks.peers.peer import Unavailable
from benchmarks.peers.sql import ORDER, SELECT, columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write


class DuckDb:
    """A question as SQL that is run again and again."""

    receiver = None

    def __init__(self, question: str) -> None:
        try:
            duckdb, self._arrow = import_module("duckdb"), import_module("pyarrow")
        except ImportError as error:
            raise Unavailable("needs the packages duckdb and pyarrow") from error
        if question not in SELECT:
            raise Unavailable(f"{question} is not written as SQL")
        self._answer = f"CREATE OR REPLACE TEMP TABLE answer AS {SELECT[question]}"
        self._is_ordered = ORDER in self._answer
        self._base: Any = duckdb.connect(":memory:")
        self._schemas: dict[str, Any] = {}

    def load(self, tables: Tables) -> None:
        """Create the tables from Arrow frames."""
        for table, rows in tables.items():
            fields = [
                (name, getattr(self._arrow, _ARROW[kind])()) for name, kind in columns(rows).items()
            ]
            self._schemas[table] = self._arrow.schema(fields)
            self._base.register("rows", self._arrow.Table.from_pylist(rows, self._schemas[table]))
            self._base.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM rows")
            self._base.unregister("rows")

    def hydrate(self) -> None:
        """Compute the answer."""
        self._base.execute(self._answer)

    def forget(self) -> None:
        """Do nothing: computing replaces the answer."""

    def commit(self, writes: Sequence[Write]) -> None:
        """Apply writes, then compute the answer."""
        if len(writes) == 1:
            ((_, table, key, row),) = writes
            self._replace(table, {key: row})
        else:
            last: dict[str, dict[object, Row | None]] = {}
            for _, table, key, row in writes:
                last.setdefault(table, {})[key] = row
            self._base.execute("BEGIN")
            for table, rows in last.items():
                self._replace_all(table, rows)
            self._base.execute("COMMIT")
        self._base.execute(self._answer)

    def _replace(self, table: str, rows: dict[object, Row | None]) -> None:
        for key, row in rows.items():
            self._base.execute(f"DELETE FROM {table} WHERE id = ?", [key])
            if row is not None:
                marks = ", ".join("?" * len(row))
                self._base.execute(f"INSERT INTO {table} VALUES ({marks})", list(row.values()))

    def _replace_all(self, table: str, rows: dict[object, Row | None]) -> None:
        self._base.register("keys", self._arrow.table({"id": list(rows)}))
        self._base.execute(f"DELETE FROM {table} WHERE id IN (SELECT id FROM keys)")
        new = [row for row in rows.values() if row is not None]
        self._base.register("rows", self._arrow.Table.from_pylist(new, self._schemas[table]))
        self._base.execute(f"INSERT INTO {table} SELECT * FROM rows")

    def rows(self) -> list[Row]:
        """Return the answer."""
        found = self._base.sql(f"SELECT * FROM answer {ORDER if self._is_ordered else ''}")
        rows: list[Row] = found.to_arrow_table().to_pylist()
        return rows

    def close(self) -> None:
        """Close the database."""
        self._base.close()


_ARROW = {"BIGINT": "int64", "DOUBLE": "float64", "TEXT": "string"}
