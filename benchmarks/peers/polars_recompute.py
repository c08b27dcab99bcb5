"""Polars, which computes the answer anew after every commit.

Best setting: frames in memory, the question as SQL through the lazy optimizer, a commit as one filter by key and one
concatenation. It wins where an answer is computed once; nobody is told what changed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from benchmarks.peers.peer import Unavailable
from benchmarks.peers.sql import SELECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traffic import Row, Tables, Write


class Polars:
    """A question as SQL over frames."""

    receiver = None

    def __init__(self, question: str) -> None:
        try:
            self._polars: Any = import_module("polars")
        except ImportError as error:
            raise Unavailable("needs the package polars") from error
        if question not in SELECT:
            raise Unavailable(f"{question} is not written as SQL")
        self._select = SELECT[question]
        self._frames: dict[str, Any] = {}
        self._answer: Any = None

    def load(self, tables: Tables) -> None:
        """Make the frames."""
        self._frames = {
            table: self._polars.DataFrame(rows, infer_schema_length=None)
            for table, rows in tables.items()
        }

    def hydrate(self) -> None:
        """Compute the answer."""
        self._answer = self._polars.SQLContext(self._frames).execute(self._select, eager=True)

    def forget(self) -> None:
        """Drop the answer."""
        self._answer = None

    def commit(self, writes: Sequence[Write]) -> None:
        """Replace what was written, then compute the answer."""
        last: dict[str, dict[object, Row | None]] = {}
        for _, table, key, row in writes:
            last.setdefault(table, {})[key] = row
        for table, rows in last.items():
            frame = self._frames[table]
            kept = frame.filter(~self._polars.col("id").is_in(list(rows)))
            new = [row for row in rows.values() if row is not None]
            self._frames[table] = self._polars.concat(
                [kept, self._polars.DataFrame(new, frame.schema)]
            )
        self.hydrate()

    def rows(self) -> list[Row]:
        """Return the answer."""
        rows: list[Row] = self._answer.to_dicts()
        return rows

    def close(self) -> None:
        """Let go of the frames."""
        self._frames, self._answer = {}, None
